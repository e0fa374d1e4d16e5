# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion as its camera sees it, at any time."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..arrays import Array, BoolArray
from ..motion import Motion, forward_kinematics

__all__ = ["ProjectedMotion"]

HALF_A_FRAME = 0.5  # how far before the first and after the last frame a motion is still shown, frames
AHEAD_FRAMES = 256  # projected at once


class ProjectedMotion:
    """A motion in its camera's picture. Only the frames that are asked for are projected, some at a time.

    Args:
        motion: Of J joints, with a camera.

    Attributes:
        motion: The same.
    """

    def __init__(self, motion: Motion) -> None:
        if motion.camera is None:
            raise ValueError("a motion without a camera cannot be projected")
        self.motion = motion
        self._camera = motion.camera
        self._first = 0
        self._xy, self._depths_m = self._project(slice(0, min(AHEAD_FRAMES, len(motion.rotations))))

    @classmethod
    def of(cls, motion: Motion) -> ProjectedMotion | None:
        """Return a motion to be projected; None when it has no camera."""
        return None if motion.camera is None else cls(motion)

    def at(self, times_s: Array) -> tuple[Array, Array, BoolArray]:
        """Return the picture at times (N,) s, interpolated between frames: the camera may move, too.

        Returns:
            positions (N, J, 2) px, NaN behind the camera, depths (N, J) m, and (N,) whether the motion covers
            the time; where it does not, its first or last frame is given.
        """
        position = (np.asarray(times_s) - self.motion.start_time_s) * self.motion.frame_rate_hz
        last = len(self.motion.rotations) - 1
        covered = (position >= -HALF_A_FRAME) & (position <= last + HALF_A_FRAME)
        position = np.clip(position, 0.0, last)
        before = position.astype(np.int64)
        after, fraction = np.minimum(before + 1, last), (position - before)[:, None]
        if len(position):
            self._prepare(int(before.min()), int(after.max()))
        before, after = before - self._first, after - self._first
        xy = (1 - fraction[..., None]) * self._xy[before] + fraction[..., None] * self._xy[after]
        depths_m = (1 - fraction) * self._depths_m[before] + fraction * self._depths_m[after]
        return xy, depths_m, covered

    def _prepare(self, first: int, last: int) -> None:
        """Have frames from ``first`` to ``last``, and some more behind them."""
        if self._first <= first and last < self._first + len(self._xy):
            return
        stop = min(max(last + 1, first + AHEAD_FRAMES), len(self.motion.rotations))
        self._first = first
        self._xy, self._depths_m = self._project(slice(first, stop))

    def _project(self, frames: slice) -> tuple[Array, Array]:
        """Return (N, J, 2) px and (N, J) m of some frames."""
        motion, camera = self.motion, self._camera
        if camera.world_from_camera.ndim == 3:
            camera = dataclasses.replace(camera, world_from_camera=camera.world_from_camera[frames])
        joints_world = forward_kinematics(
            motion.skeleton, motion.root_positions[frames], motion.rotations[frames]
        )[0]
        points = camera.camera_points(joints_world)
        return camera.project_camera_points(points), points[..., 2]
