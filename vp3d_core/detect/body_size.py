# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a person appears over time: the scale for all distances between keypoints."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..filters import frame_step

__all__ = ["body_sizes"]

CONFIDENT_SCORE = 0.3
# The size is the median over this time, so that a crouch or a missing leg does not change it at once.
SIZE_WINDOW_S = 1.0


def body_sizes(xy: Array, scores: Array, times_s: Array) -> Array:
    """Return (T,) px: the longer side of the box around confident keypoints, a running median.

    Args:
        xy: (T, K, 2) px, NaN where missing.
        scores: (T, K).
        times_s: (T,) s.
    """
    from scipy.ndimage import median_filter

    usable = np.isfinite(xy).all(axis=-1) & (scores >= CONFIDENT_SCORE)
    highest = np.where(usable[..., None], xy, -np.inf).max(axis=1, initial=-np.inf)
    lowest = np.where(usable[..., None], xy, np.inf).min(axis=1, initial=np.inf)
    sizes = (highest - lowest).max(axis=-1)
    known = np.flatnonzero(usable.sum(axis=1) >= 3)
    if not len(known):
        return np.ones(len(times_s))
    filled = np.interp(times_s, times_s[known], sizes[known])
    width = 2 * round(SIZE_WINDOW_S / frame_step(times_s) / 2) + 1
    return np.maximum(median_filter(filled, size=min(width, 2 * len(filled) - 1), mode="nearest"), 1.0)
