# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean one person's keypoints: swapped sides, outliers, short gaps, noise.

Needs numpy and scipy.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array, BoolArray
from ..filters import frame_step
from ..keypoints import Keypoints2D
from ..time_blocks import time_blocks
from .body_size import body_sizes
from .outliers import find_outliers
from .smoothing import smooth_keypoints
from .swaps import find_swaps, swap_sides

__all__ = ["clean", "fill_gaps"]

# A keypoint missing for longer is left missing: the lifter knows more of bodies than a curve does.
MAX_GAP_S = 0.3
# Score of a filled keypoint, as a share of its neighbours'.
FILLED_SCORE_SHARE = 0.5
# Frames further apart do not influence each other: swaps cost too much to last so long.
MARGIN_S = 10.0


def clean(keypoints: Keypoints2D, *, smooth: bool = True) -> Keypoints2D:
    """Undo left-right swaps, replace outliers, fill short gaps and smooth lightly.

    Args:
        keypoints: One person's, in any skeleton.
        smooth: Whether to take off noise above smoothing.CUTOFF_HZ, without delay.

    Returns:
        The same frames. What is missing for longer than MAX_GAP_S stays NaN with score 0; what was filled
        in has a reduced score. Keypoints that were good keep their scores.
    """
    xy = np.empty_like(keypoints.xy)
    scores = np.empty_like(keypoints.scores)
    margin = int(np.ceil(MARGIN_S / frame_step(keypoints.times_s)))
    for block in time_blocks(len(xy), margin=margin):
        part = Keypoints2D(
            keypoints.xy[block.read], keypoints.scores[block.read], keypoints.times_s[block.read],
            keypoints.image_size, keypoints.skeleton,
        )  # fmt: skip
        cleaned = _clean_block(part, smooth=smooth)
        xy[block.kept], scores[block.kept] = (each[block.inside] for each in cleaned)
    return Keypoints2D(xy, scores, keypoints.times_s, keypoints.image_size, keypoints.skeleton)


def _clean_block(keypoints: Keypoints2D, *, smooth: bool) -> tuple[Array, Array]:
    times_s = np.asarray(keypoints.times_s, dtype=np.float64)
    scores = np.asarray(keypoints.scores, dtype=np.float64)
    valid = np.all(np.isfinite(keypoints.xy), axis=-1) & (scores > 0)
    xy = np.where(valid[..., None], keypoints.xy, np.nan).astype(np.float64)
    scores = np.where(valid, scores, 0.0)
    sizes = body_sizes(xy, scores, times_s)
    swapped = find_swaps(xy, scores, times_s, sizes, keypoints.skeleton)
    xy, scores = swap_sides(xy, scores, swapped, keypoints.skeleton)
    outliers = find_outliers(xy, times_s, sizes)
    xy, scores = np.where(outliers[..., None], np.nan, xy), np.where(outliers, 0.0, scores)
    xy, scores = fill_gaps(xy, scores, times_s)
    if smooth:
        xy = smooth_keypoints(xy, scores, times_s)
    return xy, scores


def fill_gaps(xy: Array, scores: Array, times_s: Array) -> tuple[Array, Array]:
    """Interpolate each keypoint over gaps of at most MAX_GAP_S between known points.

    Args:
        xy: (T, K, 2) px, NaN where missing.
        scores: (T, K).
        times_s: (T,) s.

    Returns:
        Both, filled; scores of filled points are reduced.
    """
    from scipy.interpolate import PchipInterpolator

    xy, scores = xy.copy(), scores.copy()
    known: BoolArray = np.all(np.isfinite(xy), axis=-1)
    fillable = _in_short_gap(known, times_s)
    for keypoint in np.flatnonzero(fillable.any(axis=0)):  # each has its own known frames
        here, there = known[:, keypoint], fillable[:, keypoint]
        xy[there, keypoint] = PchipInterpolator(times_s[here], xy[here, keypoint])(times_s[there])
        between = np.interp(times_s[there], times_s[here], scores[here, keypoint])
        scores[there, keypoint] = FILLED_SCORE_SHARE * between
    return xy, scores


def _in_short_gap(known: BoolArray, times_s: Array) -> BoolArray:
    """(T, K) whether the known points on both sides are at most MAX_GAP_S, or two frames, apart."""
    times = np.broadcast_to(times_s[:, None], known.shape)
    before = np.maximum.accumulate(np.where(known, times, -np.inf), axis=0)
    after = np.minimum.accumulate(np.where(known, times, np.inf)[::-1], axis=0)[::-1]
    longest = max(MAX_GAP_S, 2.0 * frame_step(times_s))
    return ~known & (after - before <= longest * (1.0 + 1e-6))
