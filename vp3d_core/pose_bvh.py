# SPDX-License-Identifier: GPL-3.0-or-later
"""The poses of any rig as BVH: y up, -z forward, centimetres, rotations Z X Y, as our captures.

Bones that move against their parent, such as hips below a root bone that stands still, get position
channels; their values are absolute in the parent's axes, as BVH readers take them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Array, check_shape
from .bvh import file_axes_from_world, zxy_degrees
from .bvh_data import BvhData
from .rotations import quat_conjugate, quat_from_matrix, quat_multiply, quat_rotate

__all__ = ["BonePoses", "bvh_from_poses"]

CENTIMETRES_PER_METRE = 100.0
STILL_M = 1e-4  # a bone that moves less than this against its parent gets no position channels
ROTATIONS = ("Zrotation", "Xrotation", "Yrotation")
POSITIONS = ("Xposition", "Yposition", "Zposition")
ROOT_NAME = "root"


@dataclass(frozen=True, slots=True, eq=False)
class BonePoses:
    """Where the bones of a rig are in each frame.

    Attributes:
        names: B names.
        parents: B indices, -1 for a bone without parent; a parent comes before its children.
        rest_heads: (B, 3) m, world.
        rest_tails: (B, 3) m, world.
        heads: (T, B, 3) m, world.
        turns: (T, B, 4) unit quaternions wxyz, from the rest pose to the pose, world axes.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    rest_heads: Array
    rest_tails: Array
    heads: Array
    turns: Array

    def __post_init__(self) -> None:
        count = len(self.names)
        check_shape("rest_heads", self.rest_heads, (count, 3))
        check_shape("rest_tails", self.rest_tails, (count, 3))
        check_shape("heads", self.heads, ("T", count, 3))
        check_shape("turns", self.turns, (len(self.heads), count, 4))


def bvh_from_poses(poses: BonePoses, *, frames_per_second: float) -> BvhData:
    """Return poses as BVH data; several bones without parent are put below one that stands still.

    Args:
        poses: At least one bone, one frame.
        frames_per_second: Of the frames.
    """
    poses = _below_one_root(poses)
    order, place = _depth_first(poses.parents)
    file_from_world = file_axes_from_world()
    turn = quat_from_matrix(file_from_world)
    parents = np.array(poses.parents)
    names: list[str] = []
    file_parents: list[int] = []
    offsets: list[Array] = []
    channels: list[tuple[str, ...]] = []
    columns: list[Array] = []
    for bone in order:
        parent = int(parents[bone])
        offset, path, local = _below_parent(poses, bone, parent)
        moves = parent < 0 or bool((np.abs(path - offset) > STILL_M).any())
        names.append(poses.names[bone])
        file_parents.append(place[parent] if parent >= 0 else -1)
        offsets.append(offset)
        channels.append((POSITIONS if moves else ()) + ROTATIONS)
        if moves:
            columns.append(path @ file_from_world.T * CENTIMETRES_PER_METRE)
        columns.append(zxy_degrees(quat_multiply(quat_multiply(turn, local), quat_conjugate(turn))))
        if bone not in poses.parents:
            names.append(f"{poses.names[bone]}_end")
            file_parents.append(place[bone])
            offsets.append(poses.rest_tails[bone] - poses.rest_heads[bone])
            channels.append(())
    return BvhData(
        tuple(names),
        tuple(file_parents),
        np.array(offsets) @ file_from_world.T * CENTIMETRES_PER_METRE,
        tuple(channels),
        np.concatenate(columns, axis=1),
        1.0 / frames_per_second,
    )


def _below_parent(poses: BonePoses, bone: int, parent: int) -> tuple[Array, Array, Array]:
    """Return a bone's rest offset (3,), its places (T, 3) and its turns (T, 4) below its parent."""
    if parent < 0:
        return poses.rest_heads[bone], poses.heads[:, bone], poses.turns[:, bone]
    backward = quat_conjugate(poses.turns[:, parent])
    path = quat_rotate(backward, poses.heads[:, bone] - poses.heads[:, parent])
    offset = poses.rest_heads[bone] - poses.rest_heads[parent]
    return offset, path, quat_multiply(backward, poses.turns[:, bone])


def _below_one_root(poses: BonePoses) -> BonePoses:
    if poses.parents.count(-1) == 1:
        return poses
    frames = len(poses.heads)
    name = ROOT_NAME
    while name in poses.names:
        name = f"_{name}"
    still = np.tile([1.0, 0.0, 0.0, 0.0], (frames, 1, 1))
    return BonePoses(
        (name, *poses.names),
        (-1, *(parent + 1 if parent >= 0 else 0 for parent in poses.parents)),
        np.concatenate([np.zeros((1, 3)), poses.rest_heads]),
        np.concatenate([np.zeros((1, 3)), poses.rest_tails]),
        np.concatenate([np.zeros((frames, 1, 3)), poses.heads], axis=1),
        np.concatenate([still, poses.turns], axis=1),
    )


def _depth_first(parents: Sequence[int]) -> tuple[list[int], dict[int, int]]:
    """Return the bones in the file's order, and each one's index in the file, end sites counted."""
    order: list[int] = []
    place: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for bone, parent in enumerate(parents):
        children.setdefault(parent, []).append(bone)
    stack = children[-1][::-1]
    row = 0
    while stack:
        bone = stack.pop()
        order.append(bone)
        place[bone] = row
        row += 1 if bone in children else 2
        stack += children.get(bone, [])[::-1]
    return order, place
