# SPDX-License-Identifier: GPL-3.0-or-later
"""A body of constant bone lengths from joint positions: the rest pose of a Motion's skeleton. numpy only.

Rest pose: T-pose facing -y, left towards +x, feet flat. Lengths are medians weighted by confidence, the same
on the left and on the right. Points that move as one piece (hips and spine root, head, foot) keep their
median shape, seen in axes that are carried by the piece itself.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..ground import CONTACT_HEIGHTS_M
from ..motion import MotionSkeleton
from ..rotations import normalize
from ..skeletons import JOINTS, MOTION_SKELETON_NAMES, MOTION_SKELETON_PARENTS

__all__ = ["axes_from", "fit_body"]

_MIRROR = np.array([-1.0, 1.0, 1.0])  # left and right in rest axes
_SIDES = ("left", "right")
SHORTEST_BONE_M = 0.005
LEAST_CONFIDENCE = 1e-6


class _Points:
    """Positions and confidences by joint name."""

    def __init__(self, joints: Array, confidence: Array) -> None:
        self._joints = joints
        self._confidence = confidence

    def __getitem__(self, name: str) -> Array:
        return self._joints[:, JOINTS.index(name)].astype(np.float64)

    def weight(self, *names: str) -> Array:
        """Return (T,) the product of the confidences of some joints."""
        chosen = self._confidence[:, [JOINTS.index(name) for name in names]].astype(np.float64)
        return np.maximum(chosen, LEAST_CONFIDENCE).prod(axis=1)

    def length(self, *bones: tuple[str, str]) -> float:
        """Return the weighted median length over all frames of one bone, or of a left and a right one."""
        lengths = np.concatenate([np.linalg.norm(self[a] - self[b], axis=-1) for a, b in bones])
        weights = np.concatenate([self.weight(a, b) for a, b in bones])
        return max(float(weighted_median(lengths, weights)), SHORTEST_BONE_M)


def fit_body(joints: Array, *, confidence: Array) -> MotionSkeleton:
    """Find the rest pose whose bones fit a person best.

    Args:
        joints: (T, 25, 3) m.
        confidence: (T, 25) in [0, 1].

    Returns:
        The 29 joints of ``MOTION_SKELETON_NAMES``.
    """
    points = _Points(joints, confidence)
    offsets = {
        "pelvis": np.zeros(3),
        "neck": np.zeros(3),
        "left_clavicle": np.zeros(3),
        "right_clavicle": np.zeros(3),
    }
    offsets |= _pelvis(points) | _chest(points) | _head(points) | _feet(points) | _limbs(points)
    return MotionSkeleton(
        MOTION_SKELETON_NAMES,
        MOTION_SKELETON_PARENTS,
        np.array([offsets[name] for name in MOTION_SKELETON_NAMES]),
    )


def axes_from(z: Array, x: Array) -> Array:
    """Return right-handed axes (..., 3, 3) in columns x, y, z: z exact, x as near as it can be."""
    z = normalize(z)
    x = x - z * (x * z).sum(-1, keepdims=True)
    # Where x lies along z any direction at right angles will do.
    least = np.eye(3)[np.argmin(np.abs(z), axis=-1)]
    short = np.linalg.norm(x, axis=-1, keepdims=True) < 1e-9
    x = normalize(np.where(short, least - z * (least * z).sum(-1, keepdims=True), x))
    return np.stack([x, np.cross(z, x), z], axis=-1)


def weighted_median(values: Array, weights: Array) -> Array:
    """Return the weighted median of (N, ...) along the first axis with weights (N,)."""
    order = np.argsort(values, axis=0)
    total = np.cumsum(weights[order], axis=0)
    below = (total < total[-1:] / 2.0).sum(axis=0)
    middle = np.minimum(below, len(values) - 1)[None]
    return np.take_along_axis(np.take_along_axis(values, order, axis=0), middle, axis=0)[0]


def _local(axes: Array, vectors: Array) -> Array:
    """Return vectors (T, 3) as seen in axes (T, 3, 3)."""
    return np.einsum("tji,tj->ti", axes, vectors)


def _both(left: Array, left_weight: Array, right: Array, right_weight: Array) -> Array:
    """Return the median (3,) of left vectors and mirrored right ones."""
    return weighted_median(
        np.concatenate([left, right * _MIRROR]), np.concatenate([left_weight, right_weight])
    )


def _pelvis(points: _Points) -> dict[str, Array]:
    axes = axes_from(points["spine"] - points["pelvis"], points["left_hip"] - points["right_hip"])
    # The hip line is exact: it is what the legs hang on.
    axes = _hip_axes(axes, points["left_hip"] - points["right_hip"])
    hips = [_local(axes, points[f"{side}_hip"] - points["pelvis"]) for side in _SIDES]
    hip = _both(hips[0], points.weight("left_hip"), hips[1], points.weight("right_hip"))
    spine = weighted_median(
        _local(axes, points["spine"] - points["pelvis"]), points.weight("spine", "pelvis")
    )
    return {"left_hip": hip, "right_hip": hip * _MIRROR, "spine": spine * np.array([0.0, 1.0, 1.0])}


def _hip_axes(axes: Array, hip_line: Array) -> Array:
    x = normalize(hip_line)
    y = normalize(np.cross(axes[..., 2], x))
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _chest(points: _Points) -> dict[str, Array]:
    axes = axes_from(points["thorax"] - points["spine"], points["left_shoulder"] - points["right_shoulder"])
    shoulders = [_local(axes, points[f"{side}_shoulder"] - points["thorax"]) for side in _SIDES]
    weights = [points.weight(f"{side}_shoulder", "thorax") for side in _SIDES]
    direction = _both(shoulders[0], weights[0], shoulders[1], weights[1])
    length = points.length(("thorax", "left_shoulder"), ("thorax", "right_shoulder"))
    shoulder = normalize(direction) * length
    between_ears = (points["left_ear"] + points["right_ear"]) / 2
    to_head = between_ears - points["thorax"]
    weight = points.weight("left_ear", "right_ear", "thorax")
    head = weighted_median(_local(axes, to_head), weight) * np.array([0.0, 1.0, 1.0])
    head = normalize(head) * weighted_median(np.linalg.norm(to_head, axis=-1), weight)
    return {
        "thorax": np.array([0.0, 0.0, points.length(("spine", "thorax"))]),
        "left_shoulder": shoulder,
        "right_shoulder": shoulder * _MIRROR,
        "head": head,
    }


def _head(points: _Points) -> dict[str, Array]:
    between_ears = (points["left_ear"] + points["right_ear"]) / 2
    ear_line = points["left_ear"] - points["right_ear"]
    left = normalize(ear_line)
    back = between_ears - points["nose"]
    back = normalize(back - left * (back * left).sum(-1, keepdims=True))
    axes = np.stack([left, back, np.cross(left, back)], axis=-1)
    weight = points.weight("left_ear", "right_ear", "nose")
    half = points.length(("left_ear", "right_ear")) / 2
    nose, top = (
        weighted_median(_local(axes, points[name] - between_ears), weight * points.weight(name))
        * np.array([0.0, 1.0, 1.0])
        for name in ("nose", "head_top")
    )
    ear = np.array([half, 0.0, 0.0])
    return {"left_ear": ear, "right_ear": -ear, "nose": nose, "head_top": top}


def _feet(points: _Points) -> dict[str, Array]:
    """Return a foot that stands flat: the line from heel to toe drops by the difference of their heights."""
    sole_s, rise_s, along_s, weights = [], [], [], []
    for side in _SIDES:
        sole = points[f"{side}_toe"] - points[f"{side}_heel"]
        to_ankle = points[f"{side}_ankle"] - points[f"{side}_heel"]
        along = (to_ankle * normalize(sole)).sum(axis=-1)
        sole_s.append(np.linalg.norm(sole, axis=-1))
        along_s.append(along)
        rise_s.append(np.sqrt(np.maximum((to_ankle**2).sum(axis=-1) - along**2, 0.0)))
        weights.append(points.weight(f"{side}_toe", f"{side}_heel", f"{side}_ankle"))
    weight = np.concatenate(weights)
    sole, along, rise = (float(weighted_median(np.concatenate(v), weight)) for v in (sole_s, along_s, rise_s))
    drop = float(CONTACT_HEIGHTS_M[1] - CONTACT_HEIGHTS_M[0])
    slope = np.arcsin(np.clip(drop / max(sole, SHORTEST_BONE_M), -0.5, 0.5))
    forward = np.array([0.0, -np.cos(slope), -np.sin(slope)])
    upward = np.array([0.0, -np.sin(slope), np.cos(slope)])
    heel = -along * forward - rise * upward
    toe = heel + sole * forward
    return {"left_toe": toe, "left_heel": heel, "right_toe": toe, "right_heel": heel}


def _limbs(points: _Points) -> dict[str, Array]:
    down, out = np.array([0.0, 0.0, -1.0]), np.array([1.0, 0.0, 0.0])
    chains = (
        ("hip", "knee", down),
        ("knee", "ankle", down),
        ("shoulder", "elbow", out),
        ("elbow", "wrist", out),
        ("wrist", "hand", out),
    )
    offsets: dict[str, Array] = {}
    for start, end, direction in chains:
        length = points.length(*((f"{side}_{start}", f"{side}_{end}") for side in _SIDES))
        offsets[f"left_{end}"] = direction * length
        offsets[f"right_{end}"] = direction * length * _MIRROR
    return offsets
