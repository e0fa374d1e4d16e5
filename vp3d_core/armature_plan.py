# SPDX-License-Identifier: GPL-3.0-or-later
"""The bones of an armature for a motion: names, places, rolls, and the curves that move them.

A capture's 29 joints become bones named as animators name them, in a T-pose. Bending goes about +x for knees,
elbows and spine. Any other skeleton, a BVH's for instance, gets one bone for each joint that turns something.
Lengths in m, places in the world; the floor is at z = 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .arrays import Array
from .generic_bones import generic_bones
from .ground import CONTACT_HEIGHTS_M
from .motion import Motion, MotionSkeleton, forward_kinematics
from .planned_bone import PlannedBone
from .retarget.rig import BoneCurves, Rig
from .rotations import (
    IDENTITY,
    normalize,
    quat_conjugate,
    quat_continuous,
    quat_from_matrix,
    quat_multiply,
)
from .skeletons import MOTION_SKELETON_NAMES

__all__ = [
    "CAPTURE_JOINTS",
    "PlannedBone",
    "curves_for_armature",
    "joint_ends",
    "plan_armature",
    "rest_joints",
]

_FRONT, _BACK, _DOWN = np.array([0.0, -1.0, 0.0]), np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0])
_MIDDLE = "middle of the spine"  # where the spine bone ends and the chest begins
SOLE_M = float(CONTACT_HEIGHTS_M.min())  # from the lowest joints of a capture down to the floor
SHORTEST_BONE_M = 0.005  # Blender removes bones without length

# Bone, joint at its head, joint at its tail, parent, direction of the z axis, group. A joint whose place is
# the head also turns the bone.
_TRUNK = (
    ("hips", "pelvis", "spine", "", _FRONT, "Body"),
    ("spine", "spine", _MIDDLE, "hips", _FRONT, "Body"),
    ("chest", _MIDDLE, "thorax", "spine", _FRONT, "Body"),
    ("neck", "neck", "head", "chest", _FRONT, "Head"),
    ("head", "head", "head_top", "neck", _FRONT, "Head"),
    ("nose", "head", "nose", "head", _DOWN, "Helpers"),
)
_SIDE = (
    ("shoulder", "clavicle", "shoulder", "chest", _FRONT, "Arms"),
    ("upper_arm", "shoulder", "elbow", "shoulder", _FRONT, "Arms"),
    ("forearm", "elbow", "wrist", "upper_arm", _FRONT, "Arms"),
    ("hand", "wrist", "hand", "forearm", _DOWN, "Arms"),
    ("thigh", "hip", "knee", "hips", _BACK, "Legs"),
    ("shin", "knee", "ankle", "thigh", _BACK, "Legs"),
    ("foot", "ankle", "toe", "shin", _DOWN, "Legs"),
    ("heel", "ankle", "heel", "foot", _DOWN, "Helpers"),
    ("ear", "head", "ear", "head", _DOWN, "Helpers"),
)


def _capture_rows() -> list[tuple[str, str, str, str, Array, str, str]]:
    """Return the rows of all bones of a capture, each with its side."""
    rows = [(*row, "") for row in _TRUNK]
    for side, suffix in (("left", ".L"), ("right", ".R")):
        for name, start, end, parent, z_axis, group in _SIDE:
            start = start if start == "head" else f"{side}_{start}"
            parent = parent if parent in ("hips", "chest", "head") else parent + suffix
            rows.append((name + suffix, start, f"{side}_{end}", parent, z_axis, group, suffix[1:]))
    return rows


# Bone of a capture's armature to the joints at its head and at its tail, "" where there is none or where
# another bone's is.
CAPTURE_JOINTS: Mapping[str, tuple[str, str]] = {
    name: (
        "" if start == _MIDDLE or group == "Helpers" else start,
        "" if end == _MIDDLE else end,
    )
    for name, start, end, _, _, group, _ in _capture_rows()
}


def plan_armature(skeleton: MotionSkeleton) -> tuple[PlannedBone, ...]:
    """Return the bones for a skeleton, parents first."""
    rest = rest_joints(skeleton)
    if set(MOTION_SKELETON_NAMES) <= set(skeleton.names):
        return tuple(_capture_bones(skeleton, rest))
    return tuple(generic_bones(skeleton, rest))


def rest_joints(skeleton: MotionSkeleton) -> Array:
    """Return the joints (J, 3) m in the rest pose, standing on the floor above the world's origin.

    The lowest joint of a capture is as far above the floor as its soles are thick.
    """
    unturned = np.tile(IDENTITY, (1, len(skeleton.names), 1))
    joints = forward_kinematics(skeleton, np.zeros((1, 3)), unturned)[0][0]
    sole = SOLE_M if set(MOTION_SKELETON_NAMES) <= set(skeleton.names) else 0.0
    return joints - [0.0, 0.0, joints[:, 2].min() - sole]


def _capture_bones(skeleton: MotionSkeleton, rest: Array) -> list[PlannedBone]:
    place = {name: rest[j] for j, name in enumerate(skeleton.names)}
    place[_MIDDLE] = (place["spine"] + place["thorax"]) / 2.0
    joint = {name: j for j, name in enumerate(skeleton.names)} | {_MIDDLE: skeleton.names.index("spine")}
    rows = _capture_rows()
    names = [row[0] for row in rows]
    bones: list[PlannedBone] = []
    for name, start, end, parent_name, z_axis, group, side in rows:
        parent = names.index(parent_name) if parent_name else -1
        head, tail = place[start], place[end]
        if np.linalg.norm(tail - head) < SHORTEST_BONE_M:
            tail = head + SHORTEST_BONE_M * np.array([0.0, 0.0, 1.0])
        connected = parent >= 0 and group != "Helpers" and bool(np.allclose(head, bones[parent].tail))
        twist = skeleton.names.index("thorax") if name == "chest" else None
        bones.append(
            PlannedBone(name, parent, head, tail, z_axis, joint[start], twist, connected, group, side)
        )
    return bones


def curves_for_armature(
    motion: Motion, rig: Rig, *, bones: Sequence[PlannedBone], frames: Array
) -> BoneCurves:
    """Return the curves that bring an armature made from ``plan_armature`` onto a motion, joint for joint.

    Args:
        motion: T frames, already at the rate of the scene.
        rig: The armature as it was made, at the world's origin.
        bones: Its plan, with the names that the bones got.
        frames: (T,) scene frames.
    """
    rest = rest_joints(motion.skeleton)
    joints, world_from_joint = forward_kinematics(motion.skeleton, motion.root_positions, motion.rotations)
    turns = [_turn(bone, motion, world_from_joint) for bone in bones]
    rotations: dict[str, Array] = {}
    locations: dict[str, Array] = {}
    for bone, turn in zip(bones, turns, strict=True):
        if bone.group == "Helpers":
            continue
        armature_from_bone = rig.armature_from_bone[rig.index(bone.name), :3, :3]
        to_armature = quat_from_matrix(armature_from_bone)
        local = turn if bone.parent < 0 else quat_multiply(quat_conjugate(turns[bone.parent]), turn)
        basis = quat_multiply(quat_multiply(quat_conjugate(to_armature), local), to_armature)
        rotations[bone.name] = quat_continuous(normalize(basis))
        if bone.parent < 0:
            locations[bone.name] = (joints[:, bone.joint] - rest[bone.joint]) @ armature_from_bone
    return BoneCurves(frames, rotations, locations)


def _turn(bone: PlannedBone, motion: Motion, world_from_joint: Array) -> Array:
    """Return (T, 4) how a bone is turned from its rest, world axes."""
    turn = world_from_joint[:, bone.joint]
    if bone.twist_joint is None:
        return turn
    # The joint after it turns nothing of its own length: of its rotation the bone takes the twist.
    along = normalize(bone.tail - bone.head)
    after = motion.rotations[:, bone.twist_joint]
    twist = np.concatenate([after[:, :1], (after[:, 1:] @ along)[:, None] * along], axis=-1)
    length = np.linalg.norm(twist, axis=-1, keepdims=True)
    twist = np.where(length > 1e-6, normalize(twist), IDENTITY)
    return quat_multiply(turn, twist)


def joint_ends(skeleton: MotionSkeleton, bones: Sequence[PlannedBone]) -> dict[str, tuple[str, bool]]:
    """Return for each joint a bone and whether the joint is at its tail (else at its head)."""
    rest = rest_joints(skeleton)
    ends: dict[str, tuple[str, bool]] = {}
    for bone in reversed(bones):
        for j, name in enumerate(skeleton.names):
            if np.allclose(bone.tail, rest[j], atol=1e-9):
                ends.setdefault(name, (bone.name, True))
    for bone in bones:
        ends[skeleton.names[bone.joint]] = ends.get(skeleton.names[bone.joint], (bone.name, False))
    return ends
