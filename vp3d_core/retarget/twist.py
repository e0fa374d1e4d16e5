# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a bone turns about its own length, and shares of it. numpy only."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..rotations import quat_conjugate, quat_from_axis_angle, quat_multiply

__all__ = ["twist_angles", "twisted"]

_FOLDED = 0.05  # of a half turn's cosine: bones folded back on themselves have no twist of their own


def twist_angles(parent_turns: Array, turns: Array, axis: Array) -> Array:
    """Return the twist (T,) rad of bones against their parents, without jumps of a whole turn.

    Args:
        parent_turns: (T, 4) from rest.
        turns: (T, 4) from rest.
        axis: (3,) unit, the bone's direction at rest.

    Source: swing-twist decomposition, turn = swing · twist (Dobrowolski 2015). Where a bone is folded back
    on its rest direction twist has no meaning: the last one before is held.
    """
    own = quat_multiply(quat_conjugate(parent_turns), turns)
    along = own[..., 1:] @ axis
    size = np.hypot(own[..., 0], along)
    angles = np.unwrap(2.0 * np.arctan2(along, own[..., 0]))
    known = size > _FOLDED
    if known.all() or not known.any():
        return angles if known.any() else np.zeros(len(angles))
    frames = np.arange(len(angles))
    return np.interp(frames, frames[known], np.unwrap(angles[known]))


def twisted(turns: Array, axis: Array, angles_rad: Array) -> Array:
    """Return turns (T, 4) with a further twist (T,) about the bone's direction at rest (3,)."""
    return quat_multiply(turns, quat_from_axis_angle(axis, angles_rad))
