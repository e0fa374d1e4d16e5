# SPDX-License-Identifier: GPL-3.0-or-later
"""A target rig in its rest pose, and the animation curves made for it.

All matrices are Blender's: the rest pose of a bone is ``bone.matrix_local``, its +y axis running from head to
tail, in the axes and units of the armature object. Basis channels are what Blender keys on a pose bone:
pose = parent_pose @ parent_rest^-1 @ rest @ basis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..arrays import Array, BoolArray, check_finite, check_shape

__all__ = ["BoneCurves", "Rig"]


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """Bones of an armature in their rest pose.

    Attributes:
        name: Of the armature object.
        bone_names: B names.
        parents: B indices, -1 for a bone without parent; a parent comes before its children.
        armature_from_bone: (B, 4, 4) rest matrices, armature units.
        lengths: (B,) armature units.
        world_from_armature: (4, 4) of the armature object; rotation and scale as the user left them.
        inherits_rotation: (B,) bool.
        connected: (B,) bool; a connected bone cannot be moved.
        deforms: (B,) bool.
        rotation_modes: B of Blender's modes ("QUATERNION", "XYZ" …, "AXIS_ANGLE").
        properties: Bones' custom properties of numbers, (bone, property) to value.
        local_locations: (B,) bool, or None for all; the location of a bone that has none is keyed along the
            axes of its parent's pose.
        standing_rotations: Bone to (4,) basis quaternion, of bones that are turned now.
        standing_locations: Bone to (3,) basis location, as keyed, of bones that are moved now.
    """

    name: str
    bone_names: tuple[str, ...]
    parents: tuple[int, ...]
    armature_from_bone: Array
    lengths: Array
    world_from_armature: Array
    inherits_rotation: Array
    connected: Array
    deforms: Array
    rotation_modes: tuple[str, ...]
    properties: Mapping[tuple[str, str], float] = field(default_factory=dict)
    local_locations: BoolArray | None = None
    standing_rotations: Mapping[str, Array] = field(default_factory=dict)
    standing_locations: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.bone_names)
        check_shape("armature_from_bone", self.armature_from_bone, (count, 4, 4))
        check_shape("lengths", self.lengths, (count,))
        check_shape("world_from_armature", self.world_from_armature, (4, 4))
        check_finite("armature_from_bone", self.armature_from_bone)
        for name in ("parents", "inherits_rotation", "connected", "deforms", "rotation_modes"):
            if len(getattr(self, name)) != count:
                raise ValueError(f"{name} has {len(getattr(self, name))} entries for {count} bones")
        if self.local_locations is not None and len(self.local_locations) != count:
            raise ValueError(f"local_locations has {len(self.local_locations)} entries for {count} bones")
        if any(parent >= bone for bone, parent in enumerate(self.parents)):
            raise ValueError("a parent must come before its children")

    def index(self, bone_name: str) -> int:
        """Return a bone's index; ValueError when there is none of that name."""
        return self.bone_names.index(bone_name)


@dataclass(frozen=True, slots=True, eq=False)
class BoneCurves:
    """Keys for a rig, one a frame.

    Attributes:
        frames: (T,) scene frames.
        rotations: Bone name to (T, 4) basis quaternions wxyz, unit, sign-continuous; written in each bone's
            own rotation mode.
        locations: Bone name to (T, 3) basis locations, armature units; along the bone's axes, or those of its
            parent's pose where the rig says so.
        object_locations: (T, 3) of the armature object, in the world, or None.
        object_rotations: (T, 4) of the armature object, in the world, or None.
        properties: (bone, custom property) to a value that is set and keyed once (FK/IK switches).
    """

    frames: Array
    rotations: Mapping[str, Array]
    locations: Mapping[str, Array] = field(default_factory=dict)
    object_locations: Array | None = None
    object_rotations: Array | None = None
    properties: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.frames)
        for bone, values in self.rotations.items():
            check_shape(f"rotations[{bone}]", values, (count, 4))
            check_finite(f"rotations[{bone}]", values)
            if not np.allclose(np.linalg.norm(values, axis=-1), 1.0, atol=1e-4):
                raise ValueError(f"rotations[{bone}] must be unit quaternions")
        for bone, values in self.locations.items():
            check_shape(f"locations[{bone}]", values, (count, 3))
            check_finite(f"locations[{bone}]", values)
