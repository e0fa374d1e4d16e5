# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a capture: as the user knows it, or a guess that is said to be one."""

from __future__ import annotations

import numpy as np

from ..camera import Camera, focal_px_from_fov, focal_px_from_mm, intrinsics_from_focal
from ..errors import InputError
from ..settings import RANGES, CaptureSettings
from .progress import Progress

__all__ = ["camera_from_settings", "camera_key"]

# 35-mm equivalent where nobody tells: phones film at 24 to 28 mm, a little longer when they steady the
# picture, film cameras mostly at 24 to 50. The picture's diagonal, 43 mm, is too long for phones.
USUAL_FOCAL_MM = 30.0


def camera_key(camera: Camera) -> tuple[list[float], list[float] | None]:
    """Return intrinsics and distortion as plain values, for the key of a stage."""
    distortion = None if camera.distortion is None else [float(value) for value in camera.distortion]
    return [float(value) for value in camera.intrinsics.ravel()], distortion


def camera_from_settings(
    settings: CaptureSettings, image_size: tuple[int, int], progress: Progress
) -> tuple[Camera, str]:
    """Return a camera at the origin, and which setting its focal length is from ("guessed" without any).

    Args:
        settings: At most one of focal_px, focal_mm and fov_deg is set.
        image_size: (width, height) px.
        progress: Is warned when the focal length is a guess.

    Raises:
        InputError: If the focal length is not possible for a picture of that size.
    """
    if settings.focal_px is not None:
        focal_px, origin = settings.focal_px, "focal_px"
    elif settings.focal_mm is not None:
        focal_px, origin = focal_px_from_mm(settings.focal_mm, image_size=image_size), "focal_mm"
    elif settings.fov_deg is not None:
        focal_px, origin = focal_px_from_fov(settings.fov_deg, width=image_size[0]), "fov_deg"
    else:
        focal_px, origin = focal_px_from_mm(USUAL_FOCAL_MM, image_size=image_size), "guessed"
        fov_deg = _fov_deg(focal_px, image_size)
        progress.warn(
            "focal_guessed",
            f"The focal length is not known and was taken as {focal_px:.0f} px (a field of view of "
            f"{fov_deg:.0f} degrees). The distance from the camera and the length of a path towards it "
            "depend on it, the pose hardly does. Give --fov, --focal-mm or --focal-px if you know it.",
        )
    _check_focal(focal_px, image_size)
    return Camera(intrinsics_from_focal(focal_px, image_size=image_size)), origin


def _check_focal(focal_px: float, image_size: tuple[int, int]) -> None:
    """Raise InputError for a wider view than ``fov_deg`` can have, or a longer lens than ``focal_mm``."""
    widest_deg, longest_mm = RANGES["fov_deg"][1], RANGES["focal_mm"][1]
    low = focal_px_from_fov(widest_deg, width=image_size[0])
    high = focal_px_from_mm(longest_mm, image_size=image_size)
    if not low <= focal_px <= high:
        fov_deg = _fov_deg(focal_px, image_size)
        raise InputError(
            f"A focal length of {focal_px:.12g} px is a field of view of {fov_deg:.4g} degrees in a picture "
            f"{image_size[0]} px wide; expected {low:.1f} px ({widest_deg:g} degrees) to {high:.0f} px "
            f"({longest_mm:g} mm)",
            hint="Give a focal length in that range, or the field of view in degrees.",
        )


def _fov_deg(focal_px: float, image_size: tuple[int, int]) -> float:
    return 2.0 * float(np.degrees(np.arctan2(image_size[0] / 2.0, focal_px)))
