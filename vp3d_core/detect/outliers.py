# SPDX-License-Identifier: GPL-3.0-or-later
"""Find keypoints that jump away and back."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, BoolArray, IntArray
from ..filters import frame_step

__all__ = ["find_outliers"]

# Bursts up to this long are judged; what stays away longer may be real.
MAX_BURST_S = 0.25
# Least jump, as a share of the person's size,
MIN_JUMP_SHARE = 0.06
# and what a real limb may do: a hand's 60 m/s^2 or so, in body heights a second squared.
MAX_ACCELERATION_PER_S2 = 35.0
# A jump must stand out by this factor from the usual prediction error nearby.
MIN_PROMINENCE = 5.0
NEARBY_S = 0.5
# Without the burst, the motion must go on as if nothing had been: share of the burst's distance.
MAX_BRIDGE_SHARE = 0.5
# Flagging one point changes what its neighbours are compared with.
PASSES = 3


def find_outliers(xy: Array, times_s: Array, sizes_px: Array) -> BoolArray:
    """Find bursts whose entry and exit both break with the motion outside them.

    A point is out when it misses the straight continuation of the points before the burst, that of the
    points after it, and the line across it. A fast kick fulfils none of the first two.

    Args:
        xy: (T, K, 2) px, NaN where missing.
        times_s: (T,) s.
        sizes_px: (T,) px, the person's size.

    Returns:
        (T, K) bool.
    """
    outliers = np.zeros(xy.shape[:2], dtype=bool)
    longest = max(1, round(MAX_BURST_S / frame_step(times_s)))
    for _ in range(PASSES):
        remaining = np.where(outliers[..., None], np.nan, xy)
        fresh = np.zeros_like(outliers)
        for keypoint in range(xy.shape[1]):  # each has its own valid frames
            frames = np.flatnonzero(np.isfinite(remaining[:, keypoint]).all(axis=-1))
            if len(frames) >= 5:
                found = _bursts(remaining[frames, keypoint], times_s[frames], sizes_px[frames], longest)
                fresh[frames[found], keypoint] = True
        if not fresh.any():
            break
        outliers |= fresh
    return outliers


def _bursts(path: Array, times_s: Array, sizes_px: Array, longest: int) -> BoolArray:
    """Find bursts in one keypoint's (N, 2) px path without gaps, shortest first."""
    ahead = _prediction_errors(path, times_s)
    back = _prediction_errors(path[::-1], -times_s[::-1])[::-1]
    limit = _limits(np.minimum(ahead, back), times_s, sizes_px)
    found = np.zeros(len(path), dtype=bool)
    longest_s = MAX_BURST_S + 2.0 * frame_step(times_s)
    for length in range(1, min(longest, len(path) - 4) + 1):
        first = np.arange(2, len(path) - length - 1)
        last = first + length - 1
        span_s = times_s[last + 1] - times_s[first - 1]
        is_out = (ahead[first] > limit[first]) & (back[last] > limit[last]) & (span_s <= longest_s)
        if not is_out.any():  # as it is with most
            continue
        inside = first[:, None] + np.arange(length)
        share = (times_s[inside] - times_s[first - 1, None]) / span_s[:, None]
        line = path[first - 1, None] + share[..., None] * (path[last + 1] - path[first - 1])[:, None]
        off = np.linalg.norm(path[inside] - line, axis=-1)
        around = first[:, None] + np.arange(-2, length + 2)
        is_out &= np.all(off > limit[inside], axis=1) & ~np.any(found[around], axis=1)
        is_out &= _bridge_errors(path, times_s, first, last) < MAX_BRIDGE_SHARE * off.min(axis=1)
        is_out &= _is_largest_nearby(off.max(axis=1), is_out)
        found[inside[is_out]] = True
    return found


def _bridge_errors(path: Array, times_s: Array, first: IntArray, last: IntArray) -> Array:
    """How far the motions before and after a burst miss each other in its middle, px.

    Both continued straight on meet there when the acceleration is constant.
    """
    half_s = (times_s[last + 1] - times_s[first - 1])[:, None] / 2.0
    velocity = np.diff(path, axis=0) / np.diff(times_s)[:, None]
    before = path[first - 1] + velocity[first - 2] * half_s
    after = path[last + 1] - velocity[last + 1] * half_s
    return np.linalg.norm(before - after, axis=-1)


def _prediction_errors(path: Array, times_s: Array) -> Array:
    """(N,) px: distance from the straight continuation of the two points before; 0 for the first two."""
    errors = np.zeros(len(path))
    steps = np.diff(times_s)
    ratio = np.minimum(steps[1:] / steps[:-1], 2.0)[:, None]
    errors[2:] = np.linalg.norm(path[2:] - path[1:-1] - ratio * (path[1:-1] - path[:-2]), axis=-1)
    return errors


def _limits(errors: Array, times_s: Array, sizes_px: Array) -> Array:
    """(N,) px: prediction error that a real motion does not reach."""
    from scipy.ndimage import median_filter

    step_s = frame_step(times_s)
    width = min(2 * round(NEARBY_S / step_s) + 1, 2 * len(errors) - 1)
    usual = median_filter(errors, size=width, mode="nearest")
    gaps = np.diff(times_s, prepend=times_s[0] - step_s)
    longest_step = np.maximum(gaps, np.append(gaps[1:], step_s))
    plausible = sizes_px * (MIN_JUMP_SHARE + MAX_ACCELERATION_PER_S2 * longest_step**2)
    return np.maximum(plausible, MIN_PROMINENCE * usual)


def _is_largest_nearby(values: Array, is_candidate: BoolArray) -> BoolArray:
    """Whether no direct neighbour that is a candidate has a larger value."""
    padded = np.pad(np.where(is_candidate, values, -np.inf), 1, constant_values=-np.inf)
    return (values >= padded[:-2]) & (values > padded[2:])
