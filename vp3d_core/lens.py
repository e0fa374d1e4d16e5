# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera as Blender describes it: lens, sensor, shift, and axes with y up and -z forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .arrays import Array

__all__ = ["Lens", "blender_places", "lens_of"]

SENSOR_MM = 36.0
CV_FROM_BLENDER = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True, slots=True)
class Lens:
    """What Blender wants to know of a camera.

    Attributes:
        sensor_fit: Side of the frame that the sensor's size is that of.
        focal_mm: For a sensor of ``SENSOR_MM`` along that side.
        shift_x: Share of that side.
        shift_y: Share of that side.
    """

    sensor_fit: Literal["HORIZONTAL", "VERTICAL"]
    focal_mm: float
    shift_x: float
    shift_y: float


def lens_of(intrinsics: Array, *, image_size: tuple[int, int], frame_aspect: float) -> Lens:
    """Return the lens for which the whole picture lies in the camera's frame.

    Args:
        intrinsics: (3, 3) px; the origin is the centre of the top-left pixel.
        image_size: (width, height) px.
        frame_aspect: Width by height of what the scene renders. In a frame that is wider than the picture
            their heights are the same, in a taller one their widths.
    """
    width, height = image_size
    vertical = frame_aspect > width / height * (1.0 + 1e-6)
    side_px = height if vertical else width
    focal_px = float(np.sqrt(intrinsics[0, 0] * intrinsics[1, 1]))
    return Lens(
        "VERTICAL" if vertical else "HORIZONTAL",
        focal_px / side_px * SENSOR_MM,
        (width / 2.0 - (float(intrinsics[0, 2]) + 0.5)) / side_px,
        ((float(intrinsics[1, 2]) + 0.5) - height / 2.0) / side_px,
    )


def blender_places(world_from_camera: Array) -> Array:
    """Return the matrices (..., 4, 4) of Blender's camera objects for those of OpenCV's cameras."""
    return world_from_camera @ CV_FROM_BLENDER
