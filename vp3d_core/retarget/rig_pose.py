# SPDX-License-Identifier: GPL-3.0-or-later
"""Pose a rig as Blender does, without constraints: rotations and heads in armature space. numpy only.

A bone carries its rest pose along with its parent; what it has of its own on top is the basis that is keyed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..rotations import (
    IDENTITY,
    matrix_from_quat,
    normalize,
    quat_conjugate,
    quat_continuous,
    quat_from_matrix,
    quat_multiply,
    quat_rotate,
)
from .rig import BoneCurves, Rig

__all__ = [
    "PosedBones",
    "basis_locations",
    "basis_rotations",
    "pose_bones",
    "pose_matrices",
    "with_ancestors",
]


@dataclass(frozen=True, slots=True, eq=False)
class PosedBones:
    """Bones of a posed rig by index.

    Attributes:
        turns: (T, 4) armature_from_bone rotations.
        heads: (T, 3) armature units.
        carried_turns: (T, 4) what the rotation would be with an identity basis.
        location_turns: (T, 4) axes along which the bone's location is keyed.
        carried_heads: (T, 3) where the head would be with an identity basis.
    """

    turns: Mapping[int, Array]
    heads: Mapping[int, Array]
    carried_turns: Mapping[int, Array]
    location_turns: Mapping[int, Array]
    carried_heads: Mapping[int, Array]


def with_ancestors(rig: Rig, bones: Iterable[int]) -> list[int]:
    """Return bones and all that they hang on, parents first."""
    wanted: set[int] = set()
    for bone in bones:
        while bone >= 0 and bone not in wanted:
            wanted.add(bone)
            bone = rig.parents[bone]
    return sorted(wanted)


def pose_bones(
    rig: Rig,
    num_frames: int,
    *,
    bones: Iterable[int],
    turns: Mapping[int, Array],
    places: Mapping[int, Array],
) -> PosedBones:
    """Pose bones and all that they hang on.

    Args:
        rig: The rig.
        num_frames: T.
        bones: Indices of the bones to pose.
        turns: Bone index to (T, 4) rotations in armature space; others keep the basis that they stand in.
        places: Bone index to (T, 3) heads in armature space; so do others.
    """
    rest = quat_from_matrix(rotation_parts(rig.armature_from_bone))
    heads = rig.armature_from_bone[:, :3, 3]
    result = PosedBones({}, {}, {}, {}, {})
    for bone in with_ancestors(rig, bones):
        _pose_bone(rig, bone, rest, heads, num_frames, result)
        name = rig.bone_names[bone]
        turn, head = result.turns[bone], result.heads[bone]
        if name in rig.standing_rotations:
            turn = quat_multiply(turn, rig.standing_rotations[name])
        if name in rig.standing_locations:
            head = head + quat_rotate(result.location_turns[bone], rig.standing_locations[name])
        _set(result.turns, bone, turns.get(bone, turn))
        _set(result.heads, bone, places.get(bone, head))
    return result


def _pose_bone(
    rig: Rig,
    bone: int,
    rest: Array,
    heads: Array,
    num_frames: int,
    posed: PosedBones,
) -> None:
    """Pose one bone whose parent is posed, with an identity basis; writes into ``posed``."""
    parent = rig.parents[bone]
    still = np.broadcast_to(rest[bone], (num_frames, 4))
    if parent < 0:
        along, at = still, np.broadcast_to(heads[bone], (num_frames, 3))
    else:
        moved = quat_multiply(posed.turns[parent], quat_conjugate(rest[parent]))
        along = quat_multiply(moved, rest[bone])
        at = posed.heads[parent] + quat_rotate(moved, heads[bone] - heads[parent])
    location = along
    if rig.local_locations is not None and not rig.local_locations[bone]:
        location = posed.turns[parent] if parent >= 0 else np.broadcast_to(IDENTITY, still.shape)
    carried = along if rig.inherits_rotation[bone] else still
    for field, value in (
        (posed.location_turns, location),
        (posed.carried_turns, carried),
        (posed.carried_heads, at),
        (posed.turns, carried),
        (posed.heads, at),
    ):
        _set(field, bone, value)


def _set(field: Mapping[int, Array], bone: int, value: Array) -> None:
    assert isinstance(field, dict)
    field[bone] = value


def rotation_parts(matrices: Array) -> Array:
    """Return (..., 3, 3) rotations of matrices (..., 4, 4) with any scale taken out."""
    axes = np.swapaxes(np.asarray(matrices, dtype=np.float64)[..., :3, :3], -1, -2)
    return np.swapaxes(normalize(axes), -1, -2)


def basis_rotations(posed: PosedBones, bone: int) -> Array:
    """Return a bone's basis rotations (T, 4), sign-continuous."""
    basis = quat_multiply(quat_conjugate(posed.carried_turns[bone]), posed.turns[bone])
    basis = normalize(basis)
    if len(basis) and basis[0, 0] < 0:
        basis = -basis
    return quat_continuous(basis)


def basis_locations(posed: PosedBones, bone: int) -> Array:
    """Return a bone's basis locations (T, 3) along the axes in which they are keyed, armature units."""
    way = posed.heads[bone] - posed.carried_heads[bone]
    return quat_rotate(quat_conjugate(posed.location_turns[bone]), way)


def pose_matrices(rig: Rig, curves: BoneCurves) -> Array:
    """Return armature_from_bone (T, B, 4, 4) of a rig with these keys, as Blender would pose it.

    Constraints, drivers and scale are not part of it.
    """
    frames, count = len(curves.frames), len(rig.bone_names)
    rest = quat_from_matrix(rotation_parts(rig.armature_from_bone))
    heads = rig.armature_from_bone[:, :3, 3]
    posed = PosedBones({}, {}, {}, {}, {})
    result = np.zeros((frames, count, 4, 4))
    result[..., 3, 3] = 1.0
    for bone, name in enumerate(rig.bone_names):
        _pose_bone(rig, bone, rest, heads, frames, posed)
        turn, head = posed.turns[bone], posed.heads[bone]
        if name in curves.rotations:
            turn = quat_multiply(turn, curves.rotations[name])
        if name in curves.locations:
            head = head + quat_rotate(posed.location_turns[bone], curves.locations[name])
        _set(posed.turns, bone, turn)
        _set(posed.heads, bone, head)
        result[:, bone, :3, :3] = matrix_from_quat(turn)
        result[:, bone, :3, 3] = head
    return result
