# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion as its camera sees it, at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, BoolArray
from ..motion import Motion

__all__ = ["ProjectedMotion"]

HALF_A_FRAME = 0.5  # how far before the first and after the last frame a motion is still shown, frames


@dataclass(frozen=True, slots=True, eq=False)
class ProjectedMotion:
    """A motion in its camera's picture.

    Attributes:
        motion: Of J joints.
        joints_xy: (T, J, 2) px of the camera's picture; NaN behind the camera.
        depths_m: (T, J) m before the camera.
    """

    motion: Motion
    joints_xy: Array
    depths_m: Array

    @classmethod
    def of(cls, motion: Motion) -> ProjectedMotion | None:
        """Project a motion; None when it has no camera."""
        if motion.camera is None:
            return None
        points = motion.camera.camera_points(motion.joints_world())
        return cls(motion, motion.camera.project_camera_points(points), points[..., 2])

    def at(self, times_s: Array) -> tuple[Array, Array, BoolArray]:
        """Return the picture at times (N,) s, interpolated between frames: the camera may move, too.

        Returns:
            positions (N, J, 2) px, depths (N, J) m, and (N,) whether the motion covers the time; where it
            does not, its first or last frame is given.
        """
        position = (np.asarray(times_s) - self.motion.start_time_s) * self.motion.frame_rate_hz
        last = len(self.joints_xy) - 1
        covered = (position >= -HALF_A_FRAME) & (position <= last + HALF_A_FRAME)
        position = np.clip(position, 0.0, last)
        before = position.astype(np.int64)
        after, fraction = np.minimum(before + 1, last), (position - before)[:, None]
        xy = (1 - fraction[..., None]) * self.joints_xy[before] + fraction[..., None] * self.joints_xy[after]
        depths_m = (1 - fraction) * self.depths_m[before] + fraction * self.depths_m[after]
        return xy, depths_m, covered
