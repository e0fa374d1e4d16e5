# SPDX-License-Identifier: GPL-3.0-or-later
"""From the poses of an armature back to a Motion, so that any animated armature can be a source.

An armature that was made for a capture gives the 29 joints of a capture again, edits included; any other one
joint a bone and one at the end of each chain.
"""

from __future__ import annotations

import numpy as np

from .armature_plan import CAPTURE_JOINTS
from .arrays import Array
from .motion import Motion, MotionSkeleton
from .retarget.rig import Rig
from .rotations import (
    normalize,
    quat_conjugate,
    quat_continuous,
    quat_from_matrix,
    quat_multiply,
)
from .skeletons import MOTION_SKELETON_NAMES, MOTION_SKELETON_PARENTS

__all__ = ["motion_of_armature"]

MOVES = 0.01  # share of the armature's size by which a bone slides on its parent when it carries the body


def motion_of_armature(
    rig: Rig,
    poses: Array,
    *,
    frame_rate_hz: float,
    start_time_s: float = 0.0,
    contacts: Array | None = None,
) -> Motion:
    """Return what an armature does as a motion in the world.

    Args:
        rig: B bones; a moving object is not followed.
        poses: (T, B, 4, 4) pose matrices, armature space.
        frame_rate_hz: Of the frames.
        start_time_s: Time of the first frame.
        contacts: (T, 4) of ``CONTACT_JOINTS``, where they are known.
    """
    make = _capture_skeleton if CAPTURE_JOINTS.keys() <= set(rig.bone_names) else _bone_skeleton
    skeleton, bones, root = make(rig, poses)
    world = rig.world_from_armature
    turn = quat_from_matrix(normalize_axes(world[:3, :3]))
    rest = quat_from_matrix(normalize_axes(rig.armature_from_bone[bones, :3, :3]))
    posed = quat_from_matrix(normalize_axes(poses[:, bones, :3, :3]))
    turned = quat_multiply(posed, quat_conjugate(rest))
    turned = quat_multiply(quat_multiply(turn, turned), quat_conjugate(turn))
    local = turned.copy()
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            local[:, joint] = quat_multiply(quat_conjugate(turned[:, parent]), turned[:, joint])
    return Motion(
        skeleton,
        poses[:, root, :3, 3] @ world[:3, :3].T + world[:3, 3],
        quat_continuous(normalize(local)),
        np.zeros((len(poses), 0)) if contacts is None else contacts,
        np.ones((len(poses), len(skeleton.names))),
        frame_rate_hz=frame_rate_hz,
        start_time_s=start_time_s,
    )


def normalize_axes(matrices: Array) -> Array:
    """Return matrices (..., 3, 3) with columns of length 1: without scale."""
    return np.swapaxes(normalize(np.swapaxes(matrices, -1, -2)), -1, -2)


def _capture_skeleton(rig: Rig, poses: Array) -> tuple[MotionSkeleton, list[int], int]:
    """Return a capture's skeleton, for each joint the bone that turns it, and the bone of the root."""
    del poses
    heads = rig.armature_from_bone[:, :3, 3]
    tails = heads + rig.armature_from_bone[:, :3, 1] * rig.lengths[:, None]
    places: dict[str, Array] = {}
    turning: dict[str, int] = {}
    for name, (joint_at_head, joint_at_tail) in CAPTURE_JOINTS.items():
        bone = rig.index(name)
        if joint_at_tail:
            places.setdefault(joint_at_tail, tails[bone])
            turning.setdefault(joint_at_tail, bone)
        if joint_at_head:
            places[joint_at_head] = heads[bone]
            turning[joint_at_head] = bone
    turning["thorax"] = rig.index("chest")
    at = np.array([places[name] for name in MOTION_SKELETON_NAMES])
    skeleton = MotionSkeleton(
        MOTION_SKELETON_NAMES, MOTION_SKELETON_PARENTS, _offsets(at, MOTION_SKELETON_PARENTS, rig)
    )
    return skeleton, [turning[name] for name in MOTION_SKELETON_NAMES], rig.index("hips")


def _bone_skeleton(rig: Rig, poses: Array) -> tuple[MotionSkeleton, list[int], int]:
    """Return a skeleton of the bones of the largest tree, each joint's bone, and the bone of the root."""
    root = _carrying_bone(rig, poses)
    bones = [bone for bone in range(len(rig.bone_names)) if root in _line(rig, bone)]
    heads = rig.armature_from_bone[:, :3, 3]
    names = [rig.bone_names[bone] for bone in bones]
    parents = [bones.index(rig.parents[bone]) if bone != root else -1 for bone in bones]
    at = [heads[bone] for bone in bones]
    for bone in list(bones):
        if bone not in rig.parents:
            names.append(f"{rig.bone_names[bone]}_end")
            parents.append(bones.index(bone))
            at.append(heads[bone] + rig.armature_from_bone[bone, :3, 1] * rig.lengths[bone])
    turning = bones + [bones[parent] for parent in parents[len(bones) :]]
    skeleton = MotionSkeleton(tuple(names), tuple(parents), _offsets(np.array(at), tuple(parents), rig))
    return skeleton, turning, root


def _offsets(places: Array, parents: tuple[int, ...], rig: Rig) -> Array:
    """Return offsets (J, 3) m, world axes, of joints at places (J, 3) in armature space; the root's is 0."""
    above = np.array([places[parent] if parent >= 0 else places[j] for j, parent in enumerate(parents)])
    return (places - above) @ rig.world_from_armature[:3, :3].T


def _line(rig: Rig, bone: int) -> list[int]:
    """Return a bone and all its ancestors."""
    line = [bone]
    while rig.parents[line[-1]] >= 0:
        line.append(rig.parents[line[-1]])
    return line


def _carrying_bone(rig: Rig, poses: Array) -> int:
    """Return the bone that carries the body: the root of the largest tree, or one below it that slides."""
    sizes = np.zeros(len(rig.bone_names), dtype=np.int64)
    for bone in range(len(rig.bone_names)):
        sizes[_line(rig, bone)] += 1
    heads = rig.armature_from_bone[:, :3, 3]
    size = float(np.ptp(heads, axis=0).max())
    root = int(np.argmax(sizes))
    below = root
    while True:
        children = [bone for bone, parent in enumerate(rig.parents) if parent == below]
        if not children:
            return root
        below = max(children, key=lambda bone: int(sizes[bone]))
        if sizes[below] * 2 < sizes[root]:
            return root
        if _slide(rig, poses, below) > MOVES * size:
            root = below


def _slide(rig: Rig, poses: Array, bone: int) -> float:
    """Return how far a bone's head moves about in its parent's axes."""
    parent = poses[:, rig.parents[bone]]
    offset = np.einsum("tji,tj->ti", parent[:, :3, :3], poses[:, bone, :3, 3] - parent[:, :3, 3])
    return float(np.ptp(offset, axis=0).max())
