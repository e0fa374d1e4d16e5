# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn videos upright where Blender does not do it itself (before 4.5)."""

from __future__ import annotations

from math import radians
from pathlib import Path

import bpy

from ..vp3d_core.display_matrix import display_rotation_deg
from .blender_version import TURNS_VIDEOS

__all__ = ["turn_background"]


def turn_background(
    background: bpy.types.CameraBackgroundImage,
    clip: bpy.types.MovieClip,
    video: Path,
    *,
    frame_aspect: float,
) -> None:
    """Turn a camera's background as the video's file says.

    Args:
        background: Shows the clip, fitted into the frame.
        clip: As Blender reads it.
        video: The file.
        frame_aspect: Width by height of the camera's frame.
    """
    rotation_deg = 0 if TURNS_VIDEOS else display_rotation_deg(video)
    if not rotation_deg:
        return
    background.rotation = radians(rotation_deg)
    if rotation_deg in (90, 270):
        # The picture is fitted as it is stored, and turned after that.
        stored = clip.size[0] / clip.size[1]
        background.scale = _fitted_height(1.0 / stored, frame_aspect) / (
            stored * _fitted_height(stored, frame_aspect)
        )


def _fitted_height(aspect: float, frame_aspect: float) -> float:
    """Return the height of a picture fitted into a frame of height 1."""
    return min(1.0, frame_aspect / aspect)
