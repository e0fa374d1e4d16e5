# SPDX-License-Identifier: GPL-3.0-or-later
"""The pose that a rig is to take, in the world, bone by bone. numpy only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..rotations import quat_conjugate, quat_from_matrix, quat_multiply
from .rig import Rig
from .rig_map import RigMap
from .rig_pose import PosedBones, pose_bones, rotation_parts

__all__ = ["TargetPose"]


@dataclass(frozen=True, slots=True, eq=False)
class TargetPose:
    """World rotations and places of a rig's bones while they are worked out.

    Attributes:
        rig: The rig.
        rig_map: Roles of its bones.
        num_frames: T.
        turns: Bone to (T, 4) world_from_bone rotations.
        places: Bone to (T, 3) heads, world units.
        alignment_pose: (B, 4, 4) armature_from_bone of the pose that corresponds to the source's rest pose,
            or None for the rig's own.
    """

    rig: Rig
    rig_map: RigMap
    num_frames: int
    turns: dict[int, Array]
    places: dict[int, Array]
    alignment_pose: Array | None = None

    @property
    def world_turn(self) -> Array:
        """(4,) rotation of the armature object."""
        return quat_from_matrix(rotation_parts(self.rig.world_from_armature))

    def rest_turn(self, bone: int) -> Array:
        """Return a bone's world rotation (4,) at rest."""
        rest = quat_from_matrix(rotation_parts(self.rig.armature_from_bone[bone]))
        return quat_multiply(self.world_turn, rest)

    def aligned_rest(self, bone: int) -> Array:
        """Return a bone's world rotation (4,) in the pose that is aligned with the source's rest."""
        if self.alignment_pose is None:
            return self.rest_turn(bone)
        return quat_multiply(self.world_turn, quat_from_matrix(rotation_parts(self.alignment_pose[bone])))

    def rest_head(self, bone: int) -> Array:
        """Return where a bone's head is at rest: (3,) world."""
        world = self.rig.world_from_armature
        return world[:3, :3] @ self.rig.armature_from_bone[bone, :3, 3] + world[:3, 3]

    def bones(self, role: str) -> tuple[int, ...]:
        """Return the indices of a role's bones."""
        return tuple(self.rig.index(name) for name in self.rig_map.bones.get(role, ()))

    def turn_role(self, role: str, turns: Array) -> None:
        """Put world rotations (T, 4) after those of all bones with a role."""
        for bone in self.bones(role):
            if bone in self.turns:
                self.turns[bone] = quat_multiply(turns, self.turns[bone])

    def posed(self, bones: Iterable[int]) -> PosedBones:
        """Pose some bones, in armature space."""
        back = quat_conjugate(self.world_turn)
        world = self.rig.world_from_armature
        from_world = np.linalg.inv(world[:3, :3]).T
        return pose_bones(
            self.rig,
            self.num_frames,
            bones=bones,
            turns={bone: quat_multiply(back, turn) for bone, turn in self.turns.items()},
            places={bone: (place - world[:3, 3]) @ from_world for bone, place in self.places.items()},
        )

    def heads(self, bones: Iterable[int]) -> Mapping[int, Array]:
        """Return where bones start: bone to (T, 3) world."""
        wanted = list(bones)
        world = self.rig.world_from_armature
        posed = self.posed(wanted)
        return {bone: posed.heads[bone] @ world[:3, :3].T + world[:3, 3] for bone in wanted}
