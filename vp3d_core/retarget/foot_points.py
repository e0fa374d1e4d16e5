# SPDX-License-Identifier: GPL-3.0-or-later
"""Toes and heels of a body: where they are on the foot, and when they stand. numpy only."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, BoolArray
from ..fitting.foot_contacts import contact_runs, find_contacts
from ..ground import CONTACT_HEIGHTS_M
from ..rotations import quat_rotate
from .performance import Performance
from .rest_body import RestBody
from .roles import SIDES

__all__ = ["foot_arms", "foot_heights", "source_feet", "standing_feet"]

_HEEL_BACK = 0.25  # from below the ankle, of the foot's length
_ALONE_LENGTH = 0.25  # of a foot whose end is not known, in leg lengths
_STANDS = 0.5  # probability
_SHORTEST_CONTACT_S = 0.05


def foot_arms(body: RestBody, side: str, *, like: RestBody | None = None) -> Array:
    """Return toe and heel from the ankle at rest: (2, 3), world axes and units.

    Args:
        body: The body at rest.
        side: "left" or "right".
        like: A body whose heels are known, for one whose heels are not.
    """
    ankle = body.ends[f"{side}_shin"]
    up, ahead = body.frame[:, 2], -body.frame[:, 1]
    tip = next((body.ends[role] for role in (f"{side}_toe", f"{side}_foot") if role in body.ends), None)
    height = body.height(ankle)
    if tip is None:
        tip = ankle + _ALONE_LENGTH * body.leg_length * ahead - up * height
    toe = tip - ankle
    level = toe - up * (toe @ up)
    if side in body.heels:
        return np.stack([toe, body.heels[side] - ankle])
    back = _HEEL_BACK
    if like is not None and side in like.heels:
        own_toe, own_heel = (
            arm - like.frame[:, 2] * (arm @ like.frame[:, 2]) for arm in foot_arms(like, side)
        )
        back = -float(own_heel @ own_toe) / max(float(own_toe @ own_toe), 1e-9)
    heel = -up * height - back * level
    return np.stack([toe, heel])


def foot_heights(body: RestBody, side: str, *, like: RestBody | None = None) -> Array:
    """Return how far toe and heel are above the floor at rest: (2,) world units; ``foot_arms`` tells more."""
    ankle = body.ends[f"{side}_shin"]
    return np.array([body.height(ankle + arm) for arm in foot_arms(body, side, like=like)])


def source_feet(source: Performance, side: str) -> Array:
    """Return toe and heel of the source: (T, 2, 3) m."""
    turns = source.turns.get(f"{side}_foot", source.turns[f"{side}_shin"])[-1]
    ankle = source.ankles(side)
    return np.stack([ankle + quat_rotate(turns, arm) for arm in foot_arms(source.rest, side)], axis=1)


def standing_feet(source: Performance, rate_hz: float) -> BoolArray:
    """Return (T, 4) which of the source's toes and heels stand, in the order of ``CONTACT_JOINTS``."""
    if source.contacts is None:
        feet = np.concatenate([source_feet(source, side) for side in SIDES], axis=1)
        rest = np.concatenate([foot_heights(source.rest, side) for side in SIDES])
        feet[..., 2] += CONTACT_HEIGHTS_M - rest
        return find_contacts(feet, contacts=None, rate_hz=rate_hz)
    stands = source.contacts > _STANDS
    for k in range(stands.shape[1]):
        for start, end in contact_runs(stands[:, k]):
            if end - start < _SHORTEST_CONTACT_S * rate_hz:
                stands[start:end, k] = False
    return stands
