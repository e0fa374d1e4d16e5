# SPDX-License-Identifier: GPL-3.0-or-later
"""Joint rotations from joint positions, for the skeleton of a Motion. numpy only.

Positions leave the twist of a bone open. It comes from the planes of the hinges (knee, elbow), for nearly
straight limbs from the plane before and after and from anatomy; from hip and shoulder line, from heel and
toe, from ears and nose. Every bone is aimed from where its start was put to where its end was seen, so that
errors of length do not add up along a chain.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..motion import MotionSkeleton
from ..rotations import (
    IDENTITY,
    normalize,
    quat_between,
    quat_conjugate,
    quat_continuous,
    quat_from_matrix,
    quat_multiply,
    quat_rotate,
    quat_slerp,
)
from ..skeletons import JOINTS
from ..time_blocks import time_blocks
from .body_shape import axes_from
from .hinge_axes import HINGE_REACH_S, hinge_axes, smooth_axes

__all__ = ["local_rotations", "rigid_rotations", "solve_pose"]

PELVIS_WEIGHTS = (3.0, 3.0, 1.0)  # hips, spine: the legs hang on the hips, the spine also bends
# Arm hinges in chest axes (left; the right mirrors): an arm that hangs or reaches bends about -x, one that
# is spread about -z.
ELBOW_PRIOR: Array = np.array([-1.0, 0.0, -0.5])
_AXIAL_MIRROR: Array = np.array([1.0, -1.0, -1.0])  # a rotation axis mirrored left to right
FOOT_ROLL_PRIOR = 0.3  # share of the shank's plane against the ankle's own
WRIST_FREE, WRIST_LIMIT = np.radians(70.0), np.radians(85.0)  # of bend against the forearm
CLAVICLE_FREE, CLAVICLE_LIMIT = np.radians(40.0), np.radians(50.0)  # against its middle place
FRAMES_AT_ONCE = 512  # each takes ten times the memory of its result
POSE_ROUNDS = 2  # the pelvis is moved to where all joints fit best, then all bones are aimed again
# Joints whose places move the pelvis: not those of pieces that are turned as a whole.
_CARRIES_PELVIS = np.array(
    [
        0.0 if name.rpartition("_")[2] in ("toe", "heel", "hand", "ear", "nose", "top") else 1.0
        for name in JOINTS.points
    ]
)


class _Pose:
    """A pose being solved: positions and world rotations of the skeleton's joints by name."""

    def __init__(self, skeleton: MotionSkeleton, seen: Array) -> None:
        self.offset = dict(zip(skeleton.names, skeleton.rest_offsets, strict=True))
        self.seen = {name: seen[:, j] for j, name in enumerate(JOINTS.points)}
        self.turn: dict[str, Array] = {}
        self.at: dict[str, Array] = {}

    def put(self, joint: str, parent: str) -> None:
        """Place a joint from its parent."""
        self.at[joint] = self.at[parent] + quat_rotate(self.turn[parent], self.offset[joint])

    def swing(self, joint: str, parent: str, child: str, target: Array) -> None:
        """Turn a joint with its parent, then the shortest way to aim its child at a target."""
        aimed = quat_rotate(self.turn[parent], self.offset[child])
        self.turn[joint] = quat_multiply(quat_between(aimed, target - self.at[joint]), self.turn[parent])


def solve_pose(
    joints: Array, skeleton: MotionSkeleton, *, confidence: Array, rate_hz: float
) -> tuple[Array, Array]:
    """Find the root path and the world rotations that bring a skeleton onto joint positions.

    Args:
        joints: (T, 25, 3) m, world.
        skeleton: The 29 joints of a Motion.
        confidence: (T, 25) in [0, 1]; weighs the joints in the place of the pelvis.
        rate_hz: Frames per second, for the times over which a hinge's plane is held.

    Returns:
        root_positions (T, 3) m and world_from_joint (T, 29, 4).
    """
    root = np.empty((len(joints), 3))
    turns = np.empty((len(joints), len(skeleton.names), 4))
    margin = int(np.ceil(HINGE_REACH_S * rate_hz))
    for block in time_blocks(len(joints), margin=margin, length=FRAMES_AT_ONCE):
        part = _solve_block(joints[block.read], skeleton, confidence=confidence[block.read], rate_hz=rate_hz)
        root[block.kept], turns[block.kept] = (each[block.inside] for each in part)
    return root, turns


def _solve_block(
    joints: Array, skeleton: MotionSkeleton, *, confidence: Array, rate_hz: float
) -> tuple[Array, Array]:
    """Do what ``solve_pose`` does, at once."""
    weights = (np.maximum(confidence, 1e-3) * _CARRIES_PELVIS)[..., None]
    shift = np.zeros((len(joints), 3))
    pose = _Pose(skeleton, joints)
    for _ in range(POSE_ROUNDS):
        pose = _Pose(skeleton, joints)
        _solve_trunk(pose, shift)
        for side in ("left", "right"):
            _solve_arm(pose, side, rate_hz)
            _solve_leg(pose, side, rate_hz)
        placed = np.stack([pose.at[name] for name in JOINTS.points], axis=1)
        shift = shift + ((joints - placed) * weights).sum(axis=1) / weights.sum(axis=1)
    turns = np.stack([pose.turn[name] for name in skeleton.names], axis=1)
    return pose.at["pelvis"], turns


def local_rotations(skeleton: MotionSkeleton, world_from_joint: Array, *, out: Array | None = None) -> Array:
    """Return local rotations (T, J, 4), sign-continuous, of world rotations (T, J, 4).

    Args:
        skeleton: J joints.
        world_from_joint: World rotations.
        out: Where to write; the world rotations themselves may be overwritten.
    """
    local = np.empty(world_from_joint.shape, dtype=np.float64) if out is None else out
    for j in reversed(
        skeleton.order()
    ):  # a parent's world rotation is needed until all its children are done
        parent, turns = skeleton.parents[j], world_from_joint[:, j]
        if parent >= 0:
            turns = quat_multiply(quat_conjugate(world_from_joint[:, parent]), turns)
        local[:, j] = quat_continuous(normalize(turns))
    return local


def rigid_rotations(rest: Array, seen: Array, weights: Array) -> Array:
    """Return rotations (T, 4) that bring rest vectors (K, 3) onto seen ones (T, K, 3) with least squares.

    Args:
        rest: (K, 3).
        seen: (T, K, 3).
        weights: (K,).

    Source: Kabsch 1976 / Wahba 1965, by singular value decomposition.
    """
    covariance = np.einsum("k,tki,kj->tij", weights, seen, rest)
    u, _, vt = np.linalg.svd(covariance)
    sign = np.sign(np.linalg.det(u @ vt))
    u[..., 2] *= np.where(sign == 0, 1.0, sign)[:, None]
    return quat_from_matrix(u @ vt)


def _solve_trunk(pose: _Pose, shift: Array) -> None:
    at, turn, seen, offset = pose.at, pose.turn, pose.seen, pose.offset
    group = ("left_hip", "right_hip", "spine")
    rest = np.stack([offset[name] for name in group])
    # About their own centre: the pelvis point is a point among others.
    points = np.stack([seen["pelvis"], *(seen[name] for name in group)], axis=1)
    rest = np.concatenate([np.zeros((1, 3)), rest])
    weights = np.array([1.0, *PELVIS_WEIGHTS])
    turn["pelvis"], at["pelvis"] = _rigid_fit(rest, points, weights)
    at["pelvis"] = at["pelvis"] + shift
    pose.put("spine", "pelvis")
    up = seen["thorax"] - at["spine"]
    shoulder_line = seen["left_shoulder"] - seen["right_shoulder"]
    chest = axes_from(up, shoulder_line)
    hips = axes_from(up, quat_rotate(turn["pelvis"], np.array([1.0, 0.0, 0.0])))
    turn["thorax"] = quat_from_matrix(chest)
    turn["spine"] = quat_slerp(quat_from_matrix(hips), turn["thorax"], np.full(len(up), 0.5))
    pose.put("thorax", "spine")
    _solve_head(pose)


def _rigid_fit(rest: Array, points: Array, weights: Array) -> tuple[Array, Array]:
    """Return rotation (T, 4) and place of the rest origin (T, 3) of a rigid piece."""
    share = weights / weights.sum()
    rest_centre, centre = share @ rest, np.einsum("k,tki->ti", share, points)
    turn = rigid_rotations(rest - rest_centre, points - centre[:, None], weights)
    return turn, centre - quat_rotate(turn, rest_centre)


def _solve_head(pose: _Pose) -> None:
    turn, seen, offset = pose.turn, pose.seen, pose.offset
    group = ("nose", "head_top", "left_ear", "right_ear")
    turn["head"], head = _rigid_fit(
        np.stack([offset[name] for name in group]),
        np.stack([seen[name] for name in group], axis=1),
        np.ones(4),
    )
    pose.put("neck", "thorax")
    pose.swing("neck", "thorax", "head", head)
    # Half of the head's turn to the side is the neck's.
    axis = normalize(offset["head"])
    rest = quat_multiply(quat_conjugate(turn["neck"]), turn["head"])
    twist = np.concatenate([rest[:, :1], (rest[:, 1:] @ axis)[:, None] * axis], axis=-1)
    twist = np.where(np.linalg.norm(twist, axis=-1, keepdims=True) > 1e-6, normalize(twist), IDENTITY)
    half = quat_slerp(np.broadcast_to(IDENTITY, twist.shape), twist, np.full(len(twist), 0.5))
    turn["neck"] = quat_multiply(turn["neck"], half)
    pose.put("head", "neck")
    for name in group:
        turn[name] = turn["head"]
        pose.put(name, "head")


def _solve_arm(pose: _Pose, side: str, rate_hz: float) -> None:
    at, turn, seen = pose.at, pose.turn, pose.seen
    clavicle, shoulder, elbow, wrist, hand = (
        f"{side}_{part}" for part in ("clavicle", "shoulder", "elbow", "wrist", "hand")
    )
    pose.put(clavicle, "thorax")
    resting = normalize(quat_rotate(turn["thorax"], pose.offset[shoulder]))
    raised = _limited_bend(seen[shoulder] - seen["thorax"], resting, CLAVICLE_FREE, CLAVICLE_LIMIT)
    pose.swing(clavicle, "thorax", shoulder, at[clavicle] + raised)
    pose.put(shoulder, clavicle)
    length = np.linalg.norm(pose.offset[elbow])
    upper = normalize(seen[elbow] - at[shoulder])
    fore = normalize(seen[wrist] - at[shoulder] - upper * length)
    prior: Array = ELBOW_PRIOR if side == "left" else ELBOW_PRIOR * _AXIAL_MIRROR
    hinge = hinge_axes(
        upper, fore, prior=quat_rotate(turn["thorax"], prior), parent_turns=turn["thorax"], rate_hz=rate_hz
    )
    sign = 1.0 if side == "left" else -1.0
    rest_bone, rest_hinge = np.array([sign, 0.0, 0.0]), np.array([0.0, 0.0, -sign])
    turn[shoulder] = _aligned(rest_bone, rest_hinge, upper, hinge)
    pose.put(elbow, shoulder)
    turn[elbow] = _aligned(rest_bone, rest_hinge, fore, hinge)
    pose.put(wrist, elbow)
    # Short bones take the direction that was seen: a few cm of error in their start would turn them about.
    bent = _limited_bend(seen[hand] - seen[wrist], fore, WRIST_FREE, WRIST_LIMIT)
    pose.swing(wrist, elbow, hand, at[wrist] + bent)
    pose.put(hand, wrist)
    turn[hand] = turn[wrist]


def _limited_bend(bone: Array, resting: Array, free: float, limit: float) -> Array:
    """Return directions (T, 3) of a bone, bent against a resting direction no further than a joint can.

    Up to ``free`` rad nothing changes. Beyond, the bend grows to ``limit`` and shrinks again to nothing at
    180 degrees, so that noise which folds a short bone over does not make it jump.
    """
    bone = normalize(bone)
    bend = np.arccos(np.clip((bone * resting).sum(-1), -1.0, 1.0))
    knots = np.array([0.0, free, free + 2.0 * (limit - free), np.pi])
    limited = np.interp(bend, knots, np.array([0.0, free, limit, 0.0]))
    aside = normalize(bone - resting * (bone * resting).sum(-1, keepdims=True))
    bent = resting * np.cos(limited)[:, None] + aside * np.sin(limited)[:, None]
    return np.where((bend <= free)[:, None], bone, bent)


def _solve_leg(pose: _Pose, side: str, rate_hz: float) -> None:
    at, turn, seen, offset = pose.at, pose.turn, pose.seen, pose.offset
    hip, knee, ankle, toe, heel = (f"{side}_{part}" for part in ("hip", "knee", "ankle", "toe", "heel"))
    pose.put(hip, "pelvis")
    length = np.linalg.norm(offset[knee])
    thigh = normalize(seen[knee] - at[hip])
    shank = normalize(seen[ankle] - at[hip] - thigh * length)
    turn[ankle] = _foot_rotations(pose, side, shank, rate_hz)
    left = np.array([1.0, 0.0, 0.0])
    prior = quat_rotate(turn["pelvis"], left) + quat_rotate(turn[ankle], left)
    hinge = hinge_axes(thigh, shank, prior=prior, parent_turns=turn["pelvis"], rate_hz=rate_hz)
    rest_bone = np.array([0.0, 0.0, -1.0])
    turn[hip] = _aligned(rest_bone, left, thigh, hinge)
    pose.put(knee, hip)
    turn[knee] = _aligned(rest_bone, left, shank, hinge)
    pose.put(ankle, knee)
    for name in (toe, heel):
        turn[name] = turn[ankle]
        pose.put(name, ankle)


def _foot_rotations(pose: _Pose, side: str, shank: Array, rate_hz: float) -> Array:
    """Return a foot's world rotations (T, 4): its sole exact, its roll from the ankle and the shank.

    The ankle is only some 6 cm above the sole: a few cm of noise would roll the foot over, were it not for
    the shank, which hardly leaves the plane of the foot.
    """
    seen, offset = pose.seen, pose.offset
    ankle, toe, heel = (f"{side}_{part}" for part in ("ankle", "toe", "heel"))
    rest_sole = offset[toe] - offset[heel]
    rest_left = np.array([1.0, 0.0, 0.0])
    height = float(np.linalg.norm(np.cross(offset[heel], normalize(rest_sole))))
    sole = normalize(seen[toe] - seen[heel])
    from_plane = np.cross(seen[ankle] - seen[heel], sole) / max(height, 1e-3)
    from_shank = np.cross(-shank, sole)
    left = smooth_axes(
        sole, from_plane + FOOT_ROLL_PRIOR * from_shank, held=from_plane, parent_turns=pose.turn["pelvis"],
        rate_hz=rate_hz,
    )  # fmt: skip
    return _aligned(rest_sole, rest_left, sole, left)


def _aligned(rest_bone: Array, rest_hinge: Array, bone: Array, hinge: Array) -> Array:
    """Return rotations (T, 4) that bring a rest bone onto a bone (exact) and its hinge near a hinge."""
    return quat_from_matrix(axes_from(bone, hinge) @ axes_from(rest_bone, rest_hinge).T)
