# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a rig's IK goals where its hands and feet are, and its poles where knees and elbows point. numpy only.

The pole lies off the line from hip to ankle: P = hip + (ankle - hip) · thigh / (thigh + shin), direction
knee - P; where the limb is straight the direction of the frame before is held.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..rotations import normalize, quat_conjugate, quat_multiply, quat_rotate
from .roles import SIDES
from .target_pose import TargetPose

__all__ = ["drop_fk_limbs", "place_ik_controls"]

_LIMBS = (
    ("hand", "upper_arm", "forearm", "hand_ik", "elbow_pole"),
    ("foot", "thigh", "shin", "foot_ik", "knee_pole"),
)
_STRAIGHT = 0.0015  # of the limb's length: closer to the line the joint shows no direction
_SHORTEST_POLE = 0.5  # distance of a pole from its joint, in limb lengths, at the least


def place_ik_controls(pose: TargetPose) -> None:
    """Give the mapped IK goals and poles their rotations and places; changes ``pose``."""
    for end, upper, lower, goal_role, pole_role in _LIMBS:
        for side in SIDES:
            end_bones = pose.bones(f"{side}_{end}")
            if not end_bones or end_bones[0] not in pose.turns:
                continue
            joints = [pose.bones(f"{side}_{part}")[0] for part in (upper, lower)] + [end_bones[0]]
            heads = pose.heads(joints)
            for goal in pose.bones(f"{side}_{goal_role}"):
                _place_goal(pose, goal, end_bones[0], heads[end_bones[0]])
            for pole in pose.bones(f"{side}_{pole_role}"):
                _place_pole(pose, pole, [heads[bone] for bone in joints], joints)


def _place_goal(pose: TargetPose, goal: int, end: int, head: Array) -> None:
    """Carry a goal along with a hand or a foot as if it hung on it."""
    turned = quat_multiply(pose.turns[end], quat_conjugate(pose.rest_turn(end)))
    pose.turns[goal] = quat_multiply(turned, pose.rest_turn(goal))
    pose.places[goal] = head + quat_rotate(turned, pose.rest_head(goal) - pose.rest_head(end))


def _place_pole(pose: TargetPose, pole: int, limb: list[Array], joints: list[int]) -> None:
    root, hinge, end = limb
    upper = np.linalg.norm(hinge - root, axis=-1, keepdims=True)
    lower = np.linalg.norm(end - hinge, axis=-1, keepdims=True)
    foot_of_hinge = root + (end - root) * upper / (upper + lower)
    length = float(np.median(upper + lower))
    direction = held_directions(hinge - foot_of_hinge, _STRAIGHT * length)
    rest = float(np.linalg.norm(pose.rest_head(pole) - pose.rest_head(joints[1])))
    pose.places[pole] = hinge + direction * max(rest, _SHORTEST_POLE * length)


def held_directions(ways: Array, shortest: float) -> Array:
    """Return unit directions (T, 3); where a way is shorter, the last one before, or the first after."""
    known = np.linalg.norm(ways, axis=-1) > shortest
    if not known.any():
        return normalize(ways)
    last = np.maximum.accumulate(np.where(known, np.arange(len(ways)), -1))
    return normalize(ways)[np.where(last < 0, int(np.argmax(known)), last)]


def drop_fk_limbs(pose: TargetPose) -> dict[int, Array]:
    """Return a pose's rotations without those of limbs that an IK goal moves."""
    moved = {
        bone
        for end, upper, lower, goal_role, _ in _LIMBS
        for side in SIDES
        if pose.bones(f"{side}_{goal_role}")
        for part in (end, upper, lower)
        for bone in pose.bones(f"{side}_{part}")
    }
    return {bone: turn for bone, turn in pose.turns.items() if bone not in moved}
