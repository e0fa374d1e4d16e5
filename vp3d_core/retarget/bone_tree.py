# SPDX-License-Identifier: GPL-3.0-or-later
"""A rig's bones as a tree in upright axes: x to the left, y backwards, z up. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..rotations import normalize
from .rig import Rig

__all__ = ["BoneTree", "bone_tree"]

_SAME_PLACE = 0.02  # of the rig's size: a mirrored bone is this close to its counterpart
_LEAST_MIRRORED = 0.3  # of the bones must have a counterpart for the rig to have sides


@dataclass(frozen=True, slots=True, eq=False)
class BoneTree:
    """Bones that move something, in upright axes.

    Attributes:
        bones: Rig indices of the bones taken in.
        parents: Rig index to that of the nearest bone above that is taken in, or -1.
        children: Rig index to those of the bones below.
        heads: (B, 3) of all bones of the rig, 1 = the rig's height.
        tails: (B, 3).
        counterparts: Rig index of a bone to that of its mirror image.
    """

    bones: tuple[int, ...]
    parents: dict[int, int]
    children: dict[int, list[int]]
    heads: Array
    tails: Array
    counterparts: dict[int, int]

    def path(self, top: int, bone: int) -> list[int]:
        """Return the bones from below ``top`` down to ``bone``."""
        way: list[int] = []
        while bone not in (-1, top):
            way.append(bone)
            bone = self.parents[bone]
        return way[::-1]

    def above(self, bone: int) -> list[int]:
        """Return a bone and all that it hangs on, nearest first."""
        way: list[int] = []
        while bone >= 0:
            way.append(bone)
            bone = self.parents[bone]
        return way

    def counterpart(self, bone: int) -> int | None:
        """Return a bone's mirror image; where a pair starts in the middle its children tell."""
        if bone in self.counterparts:
            return self.counterparts[bone]
        for child in self.children[bone]:
            other = self.counterpart(child)
            if other is not None and self.parents[other] not in (-1, bone):
                return self.parents[other]
        return None

    def meeting(self, a: int, b: int) -> int:
        """Return the bone on which two others hang, or -1."""
        over = set(self.above(a))
        return next((bone for bone in self.above(b) if bone in over), -1)


def bone_tree(rig: Rig, *, up_sign: float = 1.0) -> BoneTree | None:
    """Return the tree, or None for a rig without two sides; ``up_sign`` -1 takes it for upside down."""
    heads = rig.armature_from_bone[:, :3, 3]
    tails = heads + rig.armature_from_bone[:, :3, 1] * rig.lengths[:, None]
    deforming = np.flatnonzero(rig.deforms)
    candidates = deforming if len(deforming) >= 10 else np.arange(len(heads))
    bones = tuple(int(b) for b in candidates if not _is_end_site(rig, int(b)))
    if len(bones) < 10:
        return None
    own = heads[list(bones)]
    size = float(np.ptp(own, axis=0).max())
    found = [_mirrored(own, axis, _SAME_PLACE * size) for axis in range(3)]
    axis = int(np.argmax([len(pairs) for pairs in found]))
    if size <= 0 or len(found[axis]) < _LEAST_MIRRORED * len(bones):
        return None
    up, left = _upright(np.concatenate([own, tails[list(bones)]]), axis, up_sign)
    if left is None:
        return None
    axes = np.stack([left, np.cross(up, left), up])
    pairs = {bones[a]: bones[b] for a, b in found[axis].items()}
    parents = {bone: _nearest(rig, bone, set(bones)) for bone in bones}
    children: dict[int, list[int]] = {bone: [] for bone in bones}
    for bone, parent in parents.items():
        if parent >= 0:
            children[parent].append(bone)
    height = float(np.ptp(own @ up))
    middle = _middle(own, axis)
    return BoneTree(
        bones,
        parents,
        children,
        (heads - middle) @ axes.T / height,
        (tails - middle) @ axes.T / height,
        pairs,
    )


def _is_end_site(rig: Rig, bone: int) -> bool:
    parent = rig.parents[bone]
    return parent >= 0 and rig.bone_names[bone] == rig.bone_names[parent] + "_end"


def _middle(heads: Array, axis: int) -> Array:
    middle = np.zeros(3)
    middle[axis] = float(heads[:, axis].max() + heads[:, axis].min()) / 2
    return middle


def _mirrored(heads: Array, axis: int, near: float) -> dict[int, int]:
    """Return index to index of the places that have a mirror image across the middle along an axis."""
    flip = np.ones(3)
    flip[axis] = -1.0
    image = heads * flip
    image[:, axis] += 2 * _middle(heads, axis)[axis]
    distance = np.linalg.norm(heads[:, None] - image[None], axis=-1)
    best = np.argmin(distance, axis=1)
    rows = np.arange(len(heads))
    off = np.abs(heads[:, axis] - image[:, axis]) > 2 * near
    hit = off & (distance[rows, best] < near) & (best != rows)
    return {int(a): int(best[a]) for a in rows[hit]}


def _nearest(rig: Rig, bone: int, wanted: set[int]) -> int:
    parent = rig.parents[bone]
    while parent >= 0 and parent not in wanted:
        parent = rig.parents[parent]
    return parent


def _upright(points: Array, axis: int, up_sign: float) -> tuple[Array, Array | None]:
    """Return the up and left axes: a body is taller than deep, and its toes point forward."""
    others = [k for k in range(3) if k != axis]
    spans = [float(np.ptp(points[:, k])) for k in others]
    up_axis, depth_axis = others if spans[0] > spans[1] else others[::-1]
    up = np.eye(3)[up_axis] * up_sign
    level = points @ up
    feet = points[level < level.min() + 0.08 * np.ptp(level)]
    ankles = points[
        (level > level.min() + 0.04 * np.ptp(level)) & (level < level.min() + 0.4 * np.ptp(level))
    ]
    if not len(feet) or not len(ankles):
        return up, None
    extremes = feet[:, depth_axis] - float(np.median(ankles[:, depth_axis]))
    forward = np.eye(3)[depth_axis] * (np.sign(extremes[np.argmax(np.abs(extremes))]) or 1.0)
    return up, normalize(np.cross(up, forward))
