# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn hanging arms away from the body, for targets that are stouter than the source. numpy only."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..arrays import Array
from ..filters import smoothstep
from ..rotations import quat_conjugate, quat_from_axis_angle, quat_multiply, quat_rotate
from .performance import Performance
from .roles import SIDES

__all__ = ["spread_arms"]

_HANGING, _LEVEL = -0.8, 0.2  # upward part of the upper arm's direction: full spread below, none above
_PARTS = ("upper_arm", "forearm", "hand")


def spread_arms(source: Performance, angle_rad: float) -> Performance:
    """Return a motion whose arms are turned outwards as a whole where they hang beside the body.

    Args:
        source: The motion.
        angle_rad: Positive away from the body.
    """
    if angle_rad == 0.0:
        return source
    turns, heads = dict(source.turns), dict(source.heads)
    chest = source.turns.get("spine", source.turns["pelvis"])[-1]
    for side, sign in zip(SIDES, (-1.0, 1.0), strict=True):
        role = f"{side}_upper_arm"
        along = source.rest.direction(role)
        if along is None:
            continue
        way = quat_rotate(quat_conjugate(chest), quat_rotate(source.turns[role][-1], along))
        upward = way @ source.rest.frame[:, 2]
        share = 1.0 - smoothstep((upward - _HANGING) / (_LEVEL - _HANGING))
        in_chest = quat_from_axis_angle(source.rest.frame[:, 1], sign * angle_rad * share)
        outward = quat_multiply(quat_multiply(chest, in_chest), quat_conjugate(chest))
        shoulder = source.heads[role]
        for part in _PARTS:
            name = f"{side}_{part}"
            if name in turns:
                turns[name] = tuple(quat_multiply(outward, turn) for turn in turns[name])
                heads[name] = _about(shoulder, outward, heads[name])
    return dataclasses.replace(source, turns=turns, heads=heads)


def _about(pivot: Array, turns: Array, points: Array) -> Array:
    return pivot + quat_rotate(turns, np.subtract(points, pivot))
