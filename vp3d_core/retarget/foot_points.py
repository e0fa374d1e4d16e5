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
# Where nobody tells the contacts a point does not stand that is
_RAISED_M = 0.02  # so much higher than the other end of its foot, or
_SLIDING_M_S = 0.10  # so fast over
_SLIDING_S = 0.20  # to either side within its contact
_SHORTEST_BLIND_S = 0.10


def foot_arms(body: RestBody, side: str, *, like: RestBody | None = None) -> Array:
    """Return toe and heel from the ankle at rest: (2, 3), world axes and units.

    Args:
        body: The body at rest.
        side: "left" or "right".
        like: The motion's body, for another one: where heels are not known its share of the foot counts;
            if it bends its toes the ball counts instead of the tip.
    """
    ankle = body.ends[f"{side}_shin"]
    up, ahead = body.frame[:, 2], -body.frame[:, 1]
    bends = f"{side}_toe" in (like or body).heads
    roles = (f"{side}_foot",) if bends else (f"{side}_toe", f"{side}_foot")
    tip = next((body.ends[role] for role in roles if role in body.ends), None)
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
    if source.contacts is not None:
        return _long_enough(source.contacts > _STANDS, _SHORTEST_CONTACT_S * rate_hz)
    feet = np.concatenate([source_feet(source, side) for side in SIDES], axis=1)
    rest = np.concatenate([foot_heights(source.rest, side) for side in SIDES])
    feet[..., 2] += CONTACT_HEIGHTS_M - rest
    stands = find_contacts(feet, contacts=None, rate_hz=rate_hz)
    rises = (feet[..., 2] - CONTACT_HEIGHTS_M).reshape(-1, len(SIDES), 2)
    lower = np.repeat(rises.min(axis=-1), 2, axis=-1)
    stands &= rises.reshape(-1, 2 * len(SIDES)) - lower < _RAISED_M
    for k in range(stands.shape[1]):
        for start, end in contact_runs(stands[:, k]):
            stands[start:end, k] = ~_slides(feet[start:end, k, :2], rate_hz)
    return _long_enough(stands, _SHORTEST_BLIND_S * rate_hz)


def _slides(places: Array, rate_hz: float) -> BoolArray:
    """Return (T,) where a point (T, 2) m of one contact moves on over the floor."""
    frames = np.arange(len(places))
    reach = max(int(round(_SLIDING_S * rate_hz)), 1)
    before, after = np.maximum(frames - reach, 0), np.minimum(frames + reach, len(places) - 1)
    way = np.linalg.norm(places[after] - places[before], axis=-1)
    return way * rate_hz > _SLIDING_M_S * np.maximum(after - before, 1)


def _long_enough(stands: BoolArray, shortest_frames: float) -> BoolArray:
    """Return contacts (T, C) without those that are too short to be one."""
    kept = stands.copy()
    for k in range(stands.shape[1]):
        for start, end in contact_runs(stands[:, k]):
            if end - start < shortest_frames:
                kept[start:end, k] = False
    return kept
