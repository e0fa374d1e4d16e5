# SPDX-License-Identifier: GPL-3.0-or-later
"""What a motion's body does, by role and independent of its skeleton. numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..filters import interpolate_cubic, interpolate_linear, interpolate_quats
from ..motion import Motion, forward_kinematics
from .rest_body import RestBody, rest_body
from .rig_map import RigMap
from .source_map import rig_from_skeleton

__all__ = ["Performance", "perform", "resample"]


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """A body's motion by role, in the world.

    Attributes:
        turns: Role to (T, 4) of each of its joints from the root to the tip: how far they turned from rest.
        heads: Role to (T, 3) m, where it starts.
        hip_centres: (T, 3) m.
        contacts: (T, 4) in the order of ``CONTACT_JOINTS``, or None when the motion has none.
        rest: The body at rest.
    """

    turns: Mapping[str, tuple[Array, ...]]
    heads: Mapping[str, Array]
    hip_centres: Array
    contacts: Array | None
    rest: RestBody

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.hip_centres)


def resample(motion: Motion, frames_per_second: float) -> Motion:
    """Return a motion at another rate: the same duration, rotations on the shortest arc."""
    if not frames_per_second > 0:
        raise ValueError(f"frames_per_second is {frames_per_second}, expected more than 0")
    if abs(frames_per_second - motion.frame_rate_hz) < 1e-9 * motion.frame_rate_hz or not len(
        motion.contacts
    ):
        return motion
    times = np.arange(len(motion.contacts)) / motion.frame_rate_hz
    count = int(np.floor(times[-1] * frames_per_second + 1e-6)) + 1
    new_times = np.arange(count) / frames_per_second
    return Motion(
        motion.skeleton,
        interpolate_cubic(times, motion.root_positions, new_times),
        interpolate_quats(times, motion.rotations, new_times),
        interpolate_linear(times, motion.contacts, new_times),
        interpolate_linear(times, motion.confidence, new_times),
        frame_rate_hz=frames_per_second,
        start_time_s=motion.start_time_s,
        image_size=motion.image_size,
        meta=motion.meta,
    )


def perform(motion: Motion, source_map: RigMap) -> Performance:
    """Say what a motion's body does.

    Args:
        motion: Of any skeleton.
        source_map: Roles of its joints.

    Raises:
        BoneNotFound, RigMapIncomplete: when the map does not fit the motion's skeleton.
        RigNotUsable: when its rest pose makes no body.
    """
    rig = rig_from_skeleton(motion.skeleton)
    source_map.check(rig)
    joint = {name: j for j, name in enumerate(motion.skeleton.names)}
    places, turns = forward_kinematics(motion.skeleton, motion.root_positions, motion.rotations)
    heads = {role: places[:, joint[names[0]]] for role, names in source_map.bones.items()}
    return Performance(
        {role: tuple(turns[:, joint[name]] for name in names) for role, names in source_map.bones.items()},
        heads,
        (heads["left_thigh"] + heads["right_thigh"]) / 2,
        motion.contacts if motion.contacts.shape[1] == 4 else None,
        rest_body(rig, source_map),
    )
