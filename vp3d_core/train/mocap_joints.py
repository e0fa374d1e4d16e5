# SPDX-License-Identifier: GPL-3.0-or-later
"""Our 25 joints and the axes of five rigid segments, placed on a mocap rig's joints. World: z up."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..pose import CANONICAL_HEIGHT_M
from ..rotations import normalize
from ..skeletons import JOINTS
from .mocap_rigs import MocapRig

__all__ = [
    "LEG_FRACTION",
    "SEGMENTS",
    "acclaim_rest",
    "foot_axes",
    "place_joints",
    "rigid_axes",
    "trunk_axes",
]

SEGMENTS = ("pelvis", "chest", "head", "left_foot", "right_foot")
# Thigh + shank = 0.491 and hip to shoulder = 0.288 of the stature: Drillis & Contini 1966.
LEG_FRACTION = 0.491
TRUNK_TO_LEG = 0.288 / 0.491
HIP_HALF_WIDTH_M = 0.095
# Offsets from a joint in its segment's axes (forward, left, up), metres of a 1.70 m body; "left" grows
# towards the body's own left. Head: lifting by anatomy, nose and ears about level with the base of the skull.
HEAD_POINTS = {
    "nose": (0.105, 0.0, 0.01),
    "head_top": (0.01, 0.0, 0.18),
    "left_ear": (0.01, 0.075, 0.02),
    "right_ear": (0.01, -0.075, 0.02),
}
FOOT_POINTS = {"toe": (0.15, -0.01, -0.06), "heel": (-0.05, 0.0, -0.055)}
HAND_LENGTH_M = 0.085


def _axes(left: Array, up: Array) -> Array:
    """Right-handed axes (..., 3, 3), columns forward, left, up; ``up`` is exact."""
    up = normalize(up)
    forward = normalize(np.cross(normalize(left), up))
    return np.stack([forward, np.cross(up, forward), up], axis=-1)


def trunk_axes(points: dict[str, Array]) -> tuple[Array, Array]:
    """Return the world axes (T, 3, 3) of pelvis and chest from a rig's joints (T, 3) m."""
    spine = points["thorax"] - points["pelvis"]
    pelvis = _axes(points["left_hip"] - points["right_hip"], spine)
    chest = _axes(points["left_shoulder"] - points["right_shoulder"], spine)
    # The hip line is exact for the pelvis; the spine only gives the plane.
    left = normalize(points["left_hip"] - points["right_hip"])
    up = normalize(np.cross(pelvis[..., 0], left))
    return np.stack([pelvis[..., 0], left, up], axis=-1), chest


def acclaim_rest(rig: MocapRig) -> dict[str, Array] | None:
    """Acclaim skeletons stand upright and face +z (here -y) when nothing is rotated."""
    if rig.name != "asf":
        return None
    axis = np.array([[0.0, 0.0, 0.0]])
    return {
        "left_hip": axis + [0.1, 0, 0], "right_hip": axis - [0.1, 0, 0],
        "pelvis": axis, "thorax": axis + [0, 0, 0.5],
    }  # fmt: skip


def _rest_axes(rest: dict[str, Array]) -> Array:
    return _axes(rest["left_hip"] - rest["right_hip"], np.array([[0.0, 0.0, 1.0]]))[0]


def rigid_axes(turns: Array, reference: Array, rest: dict[str, Array] | None) -> Array:
    """World axes (T, 3, 3) of a rigid segment from its joint's world rotations (T, 3, 3).

    Without an anatomical rest pose the segment is taken to look, on average, where ``reference`` looks.
    """
    if rest is not None:
        return turns @ _rest_axes(rest)
    mean = np.median(np.swapaxes(turns, -1, -2) @ reference, axis=0)
    u, _, vt = np.linalg.svd(mean)
    return turns @ (u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt)


def foot_axes(turns: Array, points: dict[str, Array], side: str, rest: dict[str, Array] | None) -> Array:
    """Return the world axes (T, 3, 3) of a foot from its joint's world rotations (T, 3, 3).

    Args:
        turns: Of the ankle.
        points: The rig's joints (T, 3) m by our names.
        side: "left" or "right".
        rest: The same joints (1, 3) in an anatomical rest pose, or None.
    """
    toe = points[f"{side}_toe"] - points[f"{side}_ankle"]
    if rest is not None:
        # Rest feet are flat, but may point outward: forward is the toes' direction.
        axes = _rest_axes(rest)
        if f"{side}_toe" in rest:
            forward = (rest[f"{side}_toe"] - rest[f"{side}_ankle"])[0] * [1, 1, 0]
            up = np.array([0.0, 0.0, 1.0])
            forward = normalize(forward)
            axes = np.stack([forward, np.cross(up, forward), up], axis=-1)
        return turns @ axes
    # Flat on the floor: the frames in which the foot is lowest and slowest show which way is up for it.
    ankle = points[f"{side}_ankle"]
    speed = np.linalg.norm(np.gradient(ankle, axis=0), axis=-1) if len(ankle) > 1 else np.zeros(1)
    flat = (ankle[:, 2] <= np.quantile(ankle[:, 2], 0.4)) & (speed <= np.quantile(speed, 0.5))
    local = np.swapaxes(turns, -1, -2)
    up = normalize(np.median((local @ np.array([0.0, 0.0, 1.0]))[flat], axis=0))
    forward = np.median(np.einsum("tij,tj->ti", local, toe), axis=0)
    forward = normalize(forward - up * (forward @ up))
    return turns @ np.stack([forward, np.cross(up, forward), up], axis=-1)


def place_joints(points: dict[str, Array], segments: Array, rig: MocapRig) -> Array:
    """Place our 25 joints: (T, 25, 3)."""
    leg = CANONICAL_HEIGHT_M * LEG_FRACTION
    pelvis = points["pelvis"]
    mid_shoulder = (points["left_shoulder"] + points["right_shoulder"]) / 2
    trunk = float(np.median(np.linalg.norm(mid_shoulder - pelvis, axis=-1)))
    # Rigs put hip and shoulder centres in different places; the trunk is brought to anatomical length.
    stretch = (points["thorax"] - pelvis) * (np.clip(TRUNK_TO_LEG * leg / trunk, 0.85, 1.35) - 1.0)
    placed = {"pelvis": pelvis, "thorax": points["thorax"] + stretch}
    placed["spine"] = pelvis + 0.5 * (placed["thorax"] - pelvis) + 0.015 * -segments[:, 1, :, 0]
    for s, sign in (("left", 1.0), ("right", -1.0)):
        placed[f"{s}_hip"] = pelvis + sign * HIP_HALF_WIDTH_M * segments[:, 0, :, 1]
        drop = placed[f"{s}_hip"] - points[f"{s}_hip"]
        for part, share in (("knee", 0.5), ("ankle", 0.0)):
            placed[f"{s}_{part}"] = points[f"{s}_{part}"] + share * drop
        for part in ("shoulder", "elbow", "wrist"):
            placed[f"{s}_{part}"] = points[f"{s}_{part}"] + stretch
        hand = points[f"{s}_hand"] - points[f"{s}_wrist"]
        fore = points[f"{s}_wrist"] - points[f"{s}_elbow"]
        has_hand = np.linalg.norm(hand, axis=-1, keepdims=True) > 0.01
        placed[f"{s}_hand"] = placed[f"{s}_wrist"] + HAND_LENGTH_M * normalize(np.where(has_hand, hand, fore))
        foot = segments[:, SEGMENTS.index(f"{s}_foot")]
        for part, (forward, left, up) in FOOT_POINTS.items():
            placed[f"{s}_{part}"] = placed[f"{s}_ankle"] + foot @ np.array([forward, sign * left, up])
    up_m, forward_m = rig.skull_offset_m
    skull = points["head"] + stretch + segments[:, 2] @ np.array([forward_m, 0.0, up_m])
    for part, offset in HEAD_POINTS.items():
        placed[part] = skull + segments[:, 2] @ np.array(offset)
    return np.stack([placed[joint] for joint in JOINTS.points], axis=1)
