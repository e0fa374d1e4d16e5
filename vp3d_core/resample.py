# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a motion to the frames of a scene, at the scene's rate; the duration is kept."""

from __future__ import annotations

import dataclasses

import numpy as np

from .arrays import Array
from .filters import interpolate_linear, interpolate_quats
from .kinematics import camera_at
from .motion import Motion

__all__ = ["resample", "scene_frames"]

_ROUNDING_FRAMES = 1e-3  # rates such as 30000/1001 do not come out even


def scene_frames(motion: Motion, *, frames_per_second: float, first_frame: int) -> Array:
    """Return the whole scene frames (T,) that a motion covers, at least one.

    Args:
        motion: Its times are those of the video.
        frames_per_second: Rate of the scene.
        first_frame: Scene frame on which the video starts.
    """
    start_s, end_s = float(motion.times_s[0]), float(motion.times_s[-1])
    first = int(np.ceil(start_s * frames_per_second - _ROUNDING_FRAMES))
    last = int(np.floor(end_s * frames_per_second + _ROUNDING_FRAMES))
    return first_frame + np.arange(first, max(first, last) + 1, dtype=np.float64)


def resample(motion: Motion, times_s: Array) -> Motion:
    """Return a motion at other times.

    Args:
        motion: T frames.
        times_s: (N,) s, evenly spaced; before its start and after its end the motion holds still.
    """
    have_s = motion.times_s
    if len(times_s) == len(have_s) and np.allclose(times_s, have_s, atol=1e-6):
        return motion
    step_s = float(times_s[1] - times_s[0]) if len(times_s) > 1 else 1.0 / motion.frame_rate_hz
    return dataclasses.replace(
        motion,
        root_positions=interpolate_linear(have_s, motion.root_positions, times_s),
        rotations=interpolate_quats(have_s, motion.rotations, times_s),
        contacts=interpolate_linear(have_s, motion.contacts, times_s),
        confidence=interpolate_linear(have_s, motion.confidence, times_s),
        frame_rate_hz=1.0 / step_s,
        start_time_s=float(times_s[0]),
        camera=camera_at(motion.camera, have_s, times_s),
    )
