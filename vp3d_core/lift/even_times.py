# SPDX-License-Identifier: GPL-3.0-or-later
"""The even times at which keypoints are lifted: keypoints are brought to them, what is lifted back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..camera import Camera
from ..filters import frame_step, interpolate_linear
from ..keypoints import Keypoints2D
from ..time_blocks import time_blocks

__all__ = ["Sightings", "at_times", "even_times", "longest_step_s"]

SPLINE_MARGIN = 40  # values further away do not count in a cubic spline
MAX_STEP_S = 0.25  # source frames further apart than this (and than 2.5 usual steps) leave a gap


def even_times(times: Array) -> tuple[Array, int]:
    """Return evenly spaced times at a multiple of about 30 Hz, and the multiple, at most their number.

    Frames that are evenly spaced at such a rate already (29.97, 30, 59.94, 60, 120 …) are taken as they are.
    """
    from .normalise import LIFT_RATE_HZ

    if len(times) < 2:
        return times, 1
    step = frame_step(times)
    phases = max(1, round(1.0 / step / LIFT_RATE_HZ))
    rate = 1.0 / step / phases
    even = np.abs(np.diff(times) - step).max() < 0.15 * step
    if even and abs(rate / LIFT_RATE_HZ - 1.0) < 0.05:
        return times, min(phases, len(times))
    count = int(np.ceil((times[-1] - times[0]) * LIFT_RATE_HZ * phases)) + 1
    return times[0] + np.arange(count) / (LIFT_RATE_HZ * phases), min(phases, count)


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """One person's keypoints at the times of a grid (G,), made for a part of them at a time.

    Interpolated linearly; nothing across frames further apart than ``gap_s``.
    """

    keypoints: Keypoints2D
    camera: Camera
    grid: Array
    gap_s: float

    def at(self, part: slice) -> tuple[Array, Array]:
        """Return rays (N, 28, 2) and scores (N, 28) as float32, both 0 where a keypoint is missing."""
        times, wanted = self.keypoints.times_s, self.grid[part]
        first, last = np.searchsorted(times, wanted[[0, -1]])
        rows = slice(max(0, min(int(first), len(times) - 1) - 1), int(last) + 1)
        times, xy = times[rows], self.keypoints.xy[rows]
        missing = np.isnan(xy).any(axis=-1)
        rays = np.nan_to_num(self.camera.rays(xy), nan=0.0).astype(np.float32)
        scores = np.where(missing, 0.0, self.keypoints.scores[rows]).astype(np.float32)
        place = np.searchsorted(times, wanted)
        if place[-1] < len(times) and (times[place] == wanted).all():
            return rays[place], scores[place]
        high = np.clip(place, 1, len(times) - 1)
        low = high - 1
        step = times[high] - times[low]
        share = np.clip((wanted - times[low]) / step, 0.0, 1.0).astype(np.float32)[:, None]
        near = step <= self.gap_s
        weight_low = (1 - share) * (scores[low] > 0) * (near[:, None] | (share < 0.05))
        weight_high = share * (scores[high] > 0) * (near[:, None] | (share > 0.95))
        total = np.maximum(weight_low + weight_high, 1e-6)
        mixed = (weight_low[..., None] * rays[low] + weight_high[..., None] * rays[high]) / total[..., None]
        return mixed, weight_low * scores[low] + weight_high * scores[high]


def longest_step_s(times: Array) -> float:
    """Return how far apart frames may be for what is between them to be interpolated."""
    return max(MAX_STEP_S, 2.5 * float(np.median(np.diff(times)))) if len(times) > 1 else MAX_STEP_S


def at_times(columns: Array, grid: Array, times: Array) -> Array:
    """Interpolate columns (G, C) at the keypoints' times; cubic, so that fast movements keep their extent.

    Fewer than 4 columns are interpolated linearly.
    """
    if grid is times:
        return columns
    if len(grid) < 4:
        return interpolate_linear(grid, columns, times).astype(columns.dtype)
    from scipy.interpolate import CubicSpline

    wanted = np.clip(times, grid[0], grid[-1])
    result = np.empty((len(times), columns.shape[1]), dtype=columns.dtype)
    for block in time_blocks(len(times), margin=0):
        first, end = np.searchsorted(grid, wanted[[block.kept.start, block.kept.stop - 1]])
        near = slice(max(0, first - SPLINE_MARGIN), end + SPLINE_MARGIN)
        spline = CubicSpline(grid[near], columns[near], axis=0)
        result[block.kept] = spline(wanted[block.kept])
    return result
