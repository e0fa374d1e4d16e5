# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions of any skeleton as a source: their joints get the same roles as the bones of a rig. numpy only."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..ground import CONTACT_HEIGHTS_M
from ..motion import MotionSkeleton
from ..rotations import matrix_from_quat, normalize, quat_between
from .auto_map import guess_map
from .rig import Rig
from .rig_map import RigMap

__all__ = ["guess_source_map", "rig_from_skeleton"]

_LEAF_LENGTH = 0.5  # of the bone before it
LOWEST_JOINT_M = float(CONTACT_HEIGHTS_M.min())  # above the floor at rest


def guess_source_map(skeleton: MotionSkeleton) -> RigMap:
    """Say which joint of a motion has which role: a capture's, or those of a BVH from anywhere."""
    return guess_map(rig_from_skeleton(skeleton))


def rig_from_skeleton(skeleton: MotionSkeleton, *, name: str = "Motion") -> Rig:
    """Return a skeleton as a rig: a bone for each joint, from it towards its children.

    Bones are in the order parents first, which may not be the skeleton's. It stands on the floor.
    """
    order = skeleton.order()
    place = {joint: k for k, joint in enumerate(order)}
    parents = tuple(place[skeleton.parents[j]] if skeleton.parents[j] >= 0 else -1 for j in order)
    heads = np.zeros((len(order), 3))
    for k, joint in enumerate(order):
        heads[k] = skeleton.rest_offsets[joint] + (heads[parents[k]] if parents[k] >= 0 else 0.0)
    heads[:, 2] += LOWEST_JOINT_M - heads[:, 2].min()
    ways = _bone_vectors(heads, parents)
    matrices = np.tile(np.eye(4), (len(order), 1, 1))
    matrices[:, :3, :3] = matrix_from_quat(quat_between(np.array([0.0, 1.0, 0.0]), ways))
    matrices[:, :3, 3] = heads
    return Rig(
        name, tuple(skeleton.names[j] for j in order), parents, matrices, np.linalg.norm(ways, axis=-1),
        np.eye(4), np.ones(len(order), dtype=bool), np.zeros(len(order), dtype=bool),
        np.ones(len(order), dtype=bool), ("QUATERNION",) * len(order),
    )  # fmt: skip


def _bone_vectors(heads: Array, parents: tuple[int, ...]) -> Array:
    """Return (B, 3) from each joint to the middle of its children, or on as its parent does."""
    ways = np.zeros_like(heads)
    for k in range(len(parents)):
        offsets = [heads[c] - heads[k] for c, parent in enumerate(parents) if parent == k]
        offsets = [offset for offset in offsets if np.linalg.norm(offset) > 1e-6]
        if offsets:
            ways[k] = np.mean(offsets, axis=0)
        if np.linalg.norm(ways[k]) <= 1e-6:
            before = ways[parents[k]] if parents[k] >= 0 else np.array([0.0, 0.0, 0.1])
            ways[k] = normalize(before) * max(_LEAF_LENGTH * float(np.linalg.norm(before)), 1e-3)
    return ways
