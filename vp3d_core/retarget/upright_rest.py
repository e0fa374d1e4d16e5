# SPDX-License-Identifier: GPL-3.0-or-later
"""A T-pose for skeletons whose rest pose is none. numpy only.

In some files of mocap the joints are unrotated in a heap. Each joint then has a rotation of its own against
the body; it is constant, and found from the motion: hip and shoulder line and the trunk's direction, the
planes of elbows and knees, the floor under the feet, averaged over all frames.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from ..arrays import Array
from ..rotations import (
    normalize,
    quat_between,
    quat_conjugate,
    quat_from_matrix,
    quat_multiply,
    quat_rotate,
)
from .performance import Performance
from .rest_body import RestBody
from .roles import SIDES

__all__ = ["is_upright", "stood_up"]

_Seen: TypeAlias = tuple[Array, Array]  # rotations (T, 4) from the T-pose, and the weight (T,) of each

_LEAST_AGREEMENT = np.cos(np.radians(40.0))
_FEWEST_BENT = 0.02  # mean sine of the bend from which on a hinge tells the plane of a limb
_LOW_SHARE = 30.0  # percent of the frames in which a foot is lowest: it is flat then
_LEFT, _UP, _FORWARD = np.eye(3)[0], np.eye(3)[2], -np.eye(3)[1]


def is_upright(rest: RestBody) -> bool:
    """Return whether a rest pose is that of a standing body: legs down, feet forward, level hips."""
    up, left = rest.frame[:, 2], rest.frame[:, 0]
    for side in SIDES:
        for role in (f"{side}_thigh", f"{side}_shin"):
            way = rest.direction(role)
            if way is None or -(way @ up) < _LEAST_AGREEMENT:
                return False
        foot = rest.direction(f"{side}_foot")
        if foot is not None and normalize(foot - up * (foot @ up)) @ -rest.frame[:, 1] < _LEAST_AGREEMENT:
            return False
    top = next((rest.heads[role] for role in ("head", "neck") if role in rest.heads), None)
    lines = [rest.heads["left_thigh"] - rest.heads["right_thigh"]]
    lines.append(rest.heads["left_upper_arm"] - rest.heads["right_upper_arm"])
    if min(float(normalize(line) @ left) for line in lines) < _LEAST_AGREEMENT:
        return False
    return top is None or bool(normalize(top - rest.hip_centre) @ up > _LEAST_AGREEMENT)


def stood_up(source: Performance) -> Performance:
    """Return a motion described from a T-pose that faces -y; its places do not change."""
    frames = _body_axes(source)
    turns: dict[str, tuple[Array, ...]] = {}
    for role, own in source.turns.items():
        seen = frames.get(role)
        if seen is None:
            continue
        axes, weights = seen
        turns[role] = tuple(quat_multiply(turn, _constant(turn, axes, weights)) for turn in own)
    return dataclasses.replace(source, turns=turns, rest=_t_pose(source))


def _constant(turns: Array, axes: Array, weights: Array) -> Array:
    """Return the rotation (4,) between joints and body axes (T, 4) that fits all frames best.

    Source: Markley et al. 2007, "Averaging quaternions".
    """
    between = quat_multiply(quat_conjugate(turns), axes)
    outer = np.einsum("t,ti,tj->ij", weights, between, between)
    return np.linalg.eigh(outer)[1][:, -1]


def _axes(left: Array, up: Array) -> Array:
    """Return rotations (T, 4) to the frame with exact ``left`` (T, 3) and ``up`` as near as can be."""
    x = normalize(left)
    z = normalize(up - x * (up * x).sum(-1, keepdims=True))
    return quat_from_matrix(np.stack([x, np.cross(z, x), z], axis=-1))


def _body_axes(source: Performance) -> dict[str, _Seen]:
    """Return for each role the rotation (T, 4) from the T-pose that positions show, and its weight (T,)."""
    at = source.heads
    even = np.ones(source.num_frames)
    top = at.get("neck", (at["left_upper_arm"] + at["right_upper_arm"]) / 2)
    trunk = top - source.hip_centres
    hips = _axes(at["left_thigh"] - at["right_thigh"], trunk)
    shoulders = at["left_upper_arm"] - at["right_upper_arm"]
    chest = _axes(shoulders, trunk)
    result: dict[str, _Seen] = {
        role: (chest, even) for role in ("spine", "neck", "left_clavicle", "right_clavicle")
    }
    # Over a whole motion people look where their chest points, and level.
    level = shoulders * [1.0, 1.0, 0.0]
    result["head"] = (_axes(level, np.broadcast_to(_UP, level.shape)), even)
    result["pelvis"] = (hips, even)
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        result |= _arm_axes(source, side, sign, chest)
        result |= _leg_axes(source, side, hips)
    return result


def _arm_axes(source: Performance, side: str, sign: float, chest: Array) -> dict[str, _Seen]:
    at = source.heads
    upper = normalize(at[f"{side}_forearm"] - at[f"{side}_upper_arm"])
    hand = at.get(f"{side}_hand")
    fore = upper if hand is None else normalize(hand - at[f"{side}_forearm"])
    # In the T-pose the palms face down: elbows bend about the vertical.
    hinge = -sign * np.cross(upper, fore)
    result: dict[str, _Seen] = {
        f"{side}_upper_arm": _hinged(upper * sign, hinge, chest),
        f"{side}_forearm": _hinged(fore * sign, hinge, chest),
    }
    return result | {f"{side}_hand": result[f"{side}_forearm"]}


def _hinged(left: Array, up: Array, fallback: Array) -> _Seen:
    bend = np.linalg.norm(up, axis=-1)
    if float(bend.mean()) > _FEWEST_BENT:
        return _axes(left, up), bend
    swing = quat_between(quat_rotate(fallback, _LEFT), left)
    return quat_multiply(swing, fallback), np.ones(len(left))


def _leg_axes(source: Performance, side: str, hips: Array) -> dict[str, _Seen]:
    at = source.heads
    even = np.ones(source.num_frames)
    thigh = normalize(at[f"{side}_shin"] - at[f"{side}_thigh"])
    ankle = source.ankles(side)
    shin = normalize(ankle - at[f"{side}_shin"])
    # Straight legs leave the plane to the hips.
    hinge = np.cross(thigh, shin) + 0.1 * quat_rotate(hips, _LEFT)
    result: dict[str, _Seen] = {
        f"{side}_{part}": (_legs_down(way, hinge), even) for part, way in (("thigh", thigh), ("shin", shin))
    }
    toe = at.get(f"{side}_toe")
    ahead = toe - ankle if toe is not None else np.cross(hinge, np.broadcast_to(_UP, hinge.shape))
    level = normalize(ahead * [1.0, 1.0, 0.0])
    left = np.cross(np.broadcast_to(_UP, level.shape), level)
    foot = _axes(left, np.broadcast_to(_UP, left.shape))
    height = ankle[:, 2] if toe is None else ankle[:, 2] + toe[:, 2]
    low = (height <= np.percentile(height, _LOW_SHARE)).astype(np.float64)
    return result | {f"{side}_foot": (foot, low), f"{side}_toe": (foot, low)}


def _legs_down(way: Array, hinge: Array) -> Array:
    x = normalize(hinge - way * (hinge * way).sum(-1, keepdims=True))
    return quat_from_matrix(np.stack([x, np.cross(-way, x), -way], axis=-1))


def _t_pose(source: Performance) -> RestBody:
    """Return a T-pose with the lengths of the motion's bones, feet on the floor."""
    old = source.rest
    size = {role: _length(old, role) for role in old.ends}
    ankle_up = min(float(np.percentile(source.ankles(side)[:, 2], 5.0)) for side in SIDES)
    ankle_up = float(np.clip(ankle_up, 0.05, 0.15))
    leg = old.leg_length
    heads: dict[str, Array] = {}
    ends: dict[str, Array] = {}
    hips = np.array([0.0, 0.0, ankle_up + leg])
    half = float(np.linalg.norm(old.heads["left_thigh"] - old.heads["right_thigh"])) / 2
    shoulder_half = float(np.median(np.linalg.norm(_shoulders(source), axis=-1))) / 2
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        at = hips + sign * half * _LEFT
        for part in ("thigh", "shin"):
            role = f"{side}_{part}"
            heads[role], ends[role] = at, at - size.get(role, leg / 2) * _UP
            at = ends[role]
        heads[f"{side}_foot"] = at
        foot = max(size.get(f"{side}_foot", 0.17), ankle_up * 1.2)
        ends[f"{side}_foot"] = (
            at + _FORWARD * float(np.sqrt(foot**2 - (ankle_up * 0.75) ** 2)) - _UP * ankle_up * 0.75
        )
        at = hips + np.array([sign * shoulder_half, 0.0, 0.5], dtype=np.float64)
        for part in ("upper_arm", "forearm", "hand"):
            role = f"{side}_{part}"
            heads[role], ends[role] = at, at + sign * size.get(role, 0.08) * _LEFT
            at = ends[role]
    kept = {role: head for role, head in heads.items() if role in old.heads}
    mapped: Mapping[str, Array] = {
        role: end
        for role, end in ends.items()
        if role in kept and (role in old.ends or role.endswith("_shin"))
    }
    return RestBody(kept, mapped, np.eye(3), hips, leg, np.zeros(3), {})


def _length(rest: RestBody, role: str) -> float:
    return float(np.linalg.norm(rest.ends[role] - rest.heads[role]))


def _shoulders(source: Performance) -> Array:
    return source.heads["left_upper_arm"] - source.heads["right_upper_arm"]
