# SPDX-License-Identifier: GPL-3.0-or-later
"""Feet that stand do so on the target's proportions: the body is moved first, then the legs bent. numpy only.

Positions are in source metres (target units / scale), so that distances mean the same on any rig. A foot
keeps its rotation. Standing toes and heels are as high above the floor as in the target's rest pose; where
the source stands on something higher, the target does too. Nothing pulls a foot down that is in the air.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import Array, BoolArray
from ..filters import gaussian_smooth, max_filter
from ..fitting.foot_contacts import contact_runs, geometric_median
from ..fitting.foot_lock import carried, two_bone_ik
from ..rotations import quat_between

__all__ = ["Foot", "PlantedFeet", "plant_feet"]

REACH = 0.995  # of thigh + shin, unless the leg was straighter before
BODY_SMOOTHING_S = 0.15
FREE_FOOT_SHARE = 0.03  # of a foot in the air in the body's correction
LARGEST_DROP_M = 0.15
DROP_SMOOTHING_S = 0.1
JOINING_S = 0.03  # over which the correction passes from heel to toe
RAISED_FLOOR_M = 0.05  # a contact this much above its height at rest stands on something
LOWER_WHEN_FREE_M = 0.01  # tiptoe brings a toe lower than a flat foot
RISE_SMOOTHING_S = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class Foot:
    """One leg of the target as the rotations alone would have it.

    Attributes:
        leg: (T, 3, 3) m, hip, knee, ankle.
        arms: (T, 2, 3) m, from the ankle to toe and heel.
        rest_heights: (2,) m, of toe and heel above the floor at rest.
        source_rises: (T, 2) m, how far the source's toe and heel are above their height at rest.
        stands: (T, 2) whether toe and heel stand.
    """

    leg: Array
    arms: Array
    rest_heights: Array
    source_rises: Array
    stands: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class PlantedFeet:
    """What plants the feet.

    Attributes:
        shifts: (T, 3) m, of the whole body.
        thigh_turns: Side to (T, 4), to be put after the thigh's own rotation.
        shin_turns: Side to (T, 4).
    """

    shifts: Array
    thigh_turns: Mapping[str, Array]
    shin_turns: Mapping[str, Array]


def plant_feet(
    feet: Mapping[str, Foot], *, floor_z: float, hinges: Mapping[str, Array], rate_hz: float
) -> PlantedFeet:
    """Keep standing feet in place.

    Args:
        feet: Side to leg.
        floor_z: m, the floor's height.
        hinges: Side to (T, 3) unit axes of the knees, for legs too straight to have a plane.
        rate_hz: Frames per second.
    """
    sides = list(feet)
    corrections = np.stack([_correction(feet[side], floor_z, rate_hz) for side in sides], axis=1)
    held = np.stack([np.any(feet[side].stands, axis=1) for side in sides], axis=1)
    weights = np.where(held, 1.0, FREE_FOOT_SHARE)[..., None]
    mean = (corrections * weights).sum(axis=1) / weights.sum(axis=1)
    shifts = gaussian_smooth(mean, BODY_SMOOTHING_S * rate_hz)
    targets = {side: feet[side].leg[:, 2] + corrections[:, k] for k, side in enumerate(sides)}
    drops = [_drop(feet[side], targets[side], shifts, held[:, k]) for k, side in enumerate(sides)]
    frames = DROP_SMOOTHING_S * rate_hz
    # Twice the kernel's reach: the smoothed drop is nowhere less than what is needed.
    shifts[:, 2] -= gaussian_smooth(max_filter(np.max(drops, axis=0), int(np.ceil(2 * frames))), frames)
    thighs: dict[str, Array] = {}
    shins: dict[str, Array] = {}
    for side in sides:
        leg = feet[side].leg
        hip = leg[:, 0] + shifts
        knee, ankle = two_bone_ik(leg, hip, targets[side], hinge=hinges[side], farthest_m=_farthest(leg))
        thighs[side] = quat_between(leg[:, 1] - leg[:, 0], knee - hip)
        shins[side] = quat_between(leg[:, 2] - leg[:, 1], ankle - knee)
    return PlantedFeet(shifts, thighs, shins)


def _correction(foot: Foot, floor_z: float, rate_hz: float) -> Array:
    """Return how far the ankle must move (T, 3) m for toe and heel to stay where they stand."""
    points = foot.leg[:, 2, None] + foot.arms
    wanted = np.zeros_like(points)
    for start, end in contact_runs(np.any(foot.stands, axis=1)):
        wanted[start:end] = _standing_places(foot, points[start:end], slice(start, end), floor_z)
    count = np.maximum(foot.stands.sum(axis=1), 1)[:, None]
    held = np.any(foot.stands, axis=1)
    place = ((wanted - points) * foot.stands[..., None]).sum(axis=1) / count
    correction = carried(np.where(held[:, None], place, 0.0), held, rate_hz)
    correction = gaussian_smooth(correction, JOINING_S * rate_hz)
    lowest = (points + correction[:, None])[..., 2] - floor_z - foot.rest_heights
    deficit = np.where(held, 0.0, np.maximum(-LOWER_WHEN_FREE_M - lowest.min(axis=1), 0.0))
    frames = RISE_SMOOTHING_S * rate_hz
    rise = gaussian_smooth(max_filter(deficit, int(np.ceil(2 * frames))), frames)
    correction[:, 2] += np.where(held, 0.0, np.maximum(rise, deficit))
    return correction


def _standing_places(foot: Foot, points: Array, run: slice, floor_z: float) -> Array:
    """Return where toe and heel stand during one stance: (2, 3) m.

    Where the foot is flat for a while both come from that time: they are one foot apart then.
    """
    stands = foot.stands[run]
    flat = np.all(stands, axis=1)
    places = np.zeros((2, 3))
    for k in range(2):
        frames = flat if flat.any() else stands[:, k]
        if not frames.any():
            continue
        places[k] = geometric_median(points[frames, k])
        rise = float(np.median(foot.source_rises[run][frames, k]))
        places[k, 2] = floor_z + foot.rest_heights[k] + (rise if rise > RAISED_FLOOR_M else 0.0)
    return places


def _farthest(leg: Array) -> Array:
    """Return (T,) how far an ankle may be from its hip: never straighter than REACH, unless it was."""
    length = np.linalg.norm(leg[:, 1] - leg[:, 0], axis=-1) + np.linalg.norm(leg[:, 2] - leg[:, 1], axis=-1)
    return np.maximum(REACH * length, np.linalg.norm(leg[:, 2] - leg[:, 0], axis=-1))


def _drop(foot: Foot, target: Array, shifts: Array, held: BoolArray) -> Array:
    """Return (T,) >= 0 m how far the body must come down for a standing foot to be in reach."""
    offset = foot.leg[:, 0] + shifts - target
    level = (offset[:, :2] ** 2).sum(axis=-1)
    allowed = np.sqrt(np.maximum(_farthest(foot.leg) ** 2 - level, 0.0))
    return np.where(held, np.clip(offset[:, 2] - allowed, 0.0, LARGEST_DROP_M), 0.0)
