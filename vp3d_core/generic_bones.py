# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones for a skeleton of any names: one for each joint that turns something."""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .motion import MotionSkeleton
from .planned_bone import PlannedBone

__all__ = ["generic_bones"]

LONGEST_NAME_BYTES = 63  # Blender cuts longer ones
SHORTEST_BONE_M = 0.005
LEAF_SHARE = 0.4  # of its parent's length, for a joint without children
ALONE_M = 0.1  # length of a bone that nothing gives a length to
_UP = np.array([0.0, 0.0, 1.0])


def generic_bones(skeleton: MotionSkeleton, rest: Array) -> list[PlannedBone]:
    """Return the bones of a skeleton, parents first.

    Args:
        skeleton: J joints.
        rest: (J, 3) m, where they are in the rest pose.

    A bone runs to its only child; of several, to the one that goes on in the direction of its parent
    (of the root, upwards). End sites ("<parent>_end") become tails.
    """
    children = [[c for c, parent in enumerate(skeleton.parents) if parent == j] for j in range(len(rest))]
    tails: dict[int, Array] = {}
    bones: list[PlannedBone] = []
    index_of: dict[int, int] = {}
    names: set[str] = set()
    for j in skeleton.order():
        parent = skeleton.parents[j]
        if _is_end_site(skeleton, j, children):
            continue
        along = _UP if parent < 0 else tails[parent] - rest[parent]
        tails[j] = _tail(rest, j, children[j], along=along, is_root=parent < 0)
        name = _free_name(skeleton.names[j], names)
        names.add(name)
        index_of[j] = len(bones)
        connected = parent >= 0 and bool(np.allclose(rest[j], tails[parent], atol=1e-9))
        bones.append(
            PlannedBone(
                name, index_of.get(parent, -1), rest[j], tails[j], _z_axis(tails[j] - rest[j]), j, None,
                connected, "Body", "",
            )
        )  # fmt: skip
    return bones


def _is_end_site(skeleton: MotionSkeleton, joint: int, children: list[list[int]]) -> bool:
    parent = skeleton.parents[joint]
    return parent >= 0 and not children[joint] and skeleton.names[joint] == f"{skeleton.names[parent]}_end"


def _tail(rest: Array, joint: int, children: list[int], *, along: Array, is_root: bool) -> Array:
    """Return where the bone of a joint ends: (3,) m."""
    offsets = [rest[child] - rest[joint] for child in children]
    offsets = [offset for offset in offsets if np.linalg.norm(offset) >= SHORTEST_BONE_M]
    length = float(np.linalg.norm(along))
    if offsets:
        onward = [float(offset @ along) / float(np.linalg.norm(offset)) for offset in offsets]
        best = int(np.argmax(onward))
        if len(offsets) == 1 or onward[best] > 0.0:
            return rest[joint] + offsets[best]
    if is_root or length < SHORTEST_BONE_M:
        return rest[joint] + ALONE_M * _UP
    return rest[joint] + along * max(LEAF_SHARE, SHORTEST_BONE_M / length)


def _z_axis(along: Array) -> Array:
    """Return the direction for a bone's z axis: to the front, or up for bones that point there."""
    front = np.array([0.0, -1.0, 0.0])
    return _UP if abs(float(along @ front)) > 0.9 * float(np.linalg.norm(along)) else front


def _free_name(name: str, taken: set[str]) -> str:
    """Return a name that Blender takes as it is and that no other bone has."""
    short = name.encode()[:LONGEST_NAME_BYTES].decode(errors="ignore") or "bone"
    number = 0
    free = short
    while free in taken:
        number += 1
        suffix = f".{number:03d}"
        free = short.encode()[: LONGEST_NAME_BYTES - len(suffix)].decode(errors="ignore") + suffix
    return free
