# SPDX-License-Identifier: GPL-3.0-or-later
"""When the feet of recorded motion stand on the floor."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..ground import FEET

__all__ = ["contact_labels", "floor_height"]


STANDING_M = 0.02  # height of toes and heels on the floor
BAND_M = 0.04  # feet that stand on a floor that hardly tilts
FLOOR_SD_M = (0.06, 0.04, 0.03, 0.02, 0.02, 0.02)  # of standing feet about the plane, from a guess to a fit
SLOPE_SD = 0.02  # of the floor's tilt, radians, where a clip tells little


def floor_height(joints: Array) -> float:
    """Return the height of the floor under joints (T, 25, 3) m; toes and heels stand 2 cm above it."""
    return float(np.quantile(joints[:, FEET, 2].min(axis=1), 0.02)) - STANDING_M


def contact_labels(joints: Array, *, rate_hz: float) -> Array:
    """Return how surely left toe, left heel, right toe and right heel stand on the floor.

    Args:
        joints: (T, 25, 3) m, z up.
        rate_hz: Frames a second.

    Returns:
        (T, 4) in [0, 1], from the points' speed and their height over the floor.

    Source: WHAM's labels, sigmoid of speed about 1 cm a frame at 30 Hz, and less than 7 cm above the floor.
    """
    feet = joints[:, FEET].astype(np.float64)
    if len(feet) < 3:
        return np.zeros((len(feet), 4))
    speed = np.linalg.norm(np.gradient(feet, 1.0 / rate_hz, axis=0), axis=-1)
    slow = 1.0 / (1.0 + np.exp(np.minimum((speed - 0.30) / 0.06, 50.0)))
    height = feet[..., 2] - _floor_under(feet, slow) + STANDING_M
    low = 1.0 / (1.0 + np.exp(np.minimum((height - 0.07) / 0.01, 50.0)))
    return slow * low


def _floor_under(feet: Array, slow: Array) -> Array:
    """Return the height (T, 4) m at which each point of feet (T, 4, 3) m would stand.

    The floors of recordings tilt by a degree or two. A plane is fitted to the lowest point of each frame, as
    far as it is slow (T, 4): first near the height at which most are, then nearer to the plane.
    """
    lowest = feet[..., 2].argmin(axis=1)
    points, weights = (
        np.take_along_axis(a, lowest.reshape(-1, 1, *(1,) * (a.ndim - 2)), 1)[:, 0] for a in (feet, slow)
    )
    if weights.sum() < 1.0:
        return np.full(feet.shape[:2], float(points[:, 2].min()))
    middle = (weights[:, None] * points[:, :2]).sum(axis=0) / weights.sum()
    plane = np.array([_commonest(points[:, 2], weights), 0.0, 0.0])
    columns = np.concatenate([np.ones((len(points), 1)), points[:, :2] - middle], axis=1)
    prior = np.diag([0.0, 1.0, 1.0]) * len(points) * (FLOOR_SD_M[-1] / SLOPE_SD) ** 2
    for sd_m in FLOOR_SD_M:
        off = (points[:, 2] - columns @ plane) / sd_m
        weighted = columns * (weights / (1.0 + off**2) ** 2)[:, None]
        plane = np.linalg.solve(weighted.T @ columns + 1e-3 * prior, weighted.T @ points[:, 2])
    return plane[0] + (feet[..., :2] - middle) @ plane[1:]


def _commonest(heights: Array, weights: Array) -> float:
    """Return the middle of the band of heights (T,) m that holds most weight (T,)."""
    order = np.argsort(heights)
    heights, total = heights[order], np.concatenate([[0.0], np.cumsum(weights[order])])
    ends = np.searchsorted(heights, heights + BAND_M, side="right")
    first = int(np.argmax(total[ends] - total[:-1]))
    return float(np.median(heights[first : ends[first]]))
