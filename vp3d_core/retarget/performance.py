# SPDX-License-Identifier: GPL-3.0-or-later
"""What a motion's body does, by role and independent of its skeleton. numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..arrays import Array
from ..motion import Motion, forward_kinematics
from ..rotations import quat_rotate
from .rest_body import RestBody, rest_body
from .rig_map import RigMap
from .source_map import rig_from_skeleton

__all__ = ["Performance", "perform"]


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

    def ankles(self, side: str) -> Array:
        """Return where a shin ends: (T, 3) m."""
        foot = self.heads.get(f"{side}_foot")
        if foot is not None:
            return foot
        shin = f"{side}_shin"
        return self.heads[shin] + quat_rotate(
            self.turns[shin][-1], self.rest.ends[shin] - self.rest.heads[shin]
        )

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.hip_centres)


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
