# SPDX-License-Identifier: GPL-3.0-or-later
"""Zero-phase smoothing of keypoints on their true time stamps."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, BoolArray
from ..filters import frame_step

__all__ = ["CUTOFF_HZ", "smooth_keypoints"]

# Half the power passes at this frequency. Gait and dance hold hardly anything above 6 Hz (Winter 2009,
# sec. 3.5), detector noise is white up to half the frame rate.
CUTOFF_HZ = 7.0
# The kernel (3 - u^2) / 2 exp(-u^2 / 2), u = t / sigma, passes (1 + z) exp(-z), z = (2 pi f sigma)^2 / 2,
# of frequency f: 0.707 at z = 1.080.
SIGMA_S = np.sqrt(2.0 * 1.080) / (2.0 * np.pi * CUTOFF_HZ)
REACH_SIGMAS = 3.0
# A keypoint of score 0 still counts this much beside one of score 1.
MIN_WEIGHT = 1e-3
AT_ONCE = 7  # keypoints


def smooth_keypoints(xy: Array, scores: Array, times_s: Array) -> Array:
    """Fit a parabola around each moment, weighted by nearness in time and score.

    A parabola keeps peaks: a kick loses none of its reach below the cutoff. Points that are missing stay
    missing and do not pull on others.

    Args:
        xy: (T, K, 2) px, NaN where missing.
        scores: (T, K).
        times_s: (T,) s.

    Returns:
        (T, K, 2) px.

    Source: local polynomial regression of degree 2; Fan and Gijbels 1996, sec. 3.
    """
    smoothed = np.empty_like(xy)
    for first in range(0, xy.shape[1], AT_ONCE):  # the sums of all at once take ten times the memory
        some = slice(first, first + AT_ONCE)
        smoothed[:, some] = _smooth(xy[:, some], scores[:, some], times_s)
    return smoothed


def _smooth(xy: Array, scores: Array, times_s: Array) -> Array:
    valid: BoolArray = np.all(np.isfinite(xy), axis=-1)
    weights = np.where(valid, np.maximum(scores**2, MIN_WEIGHT), 0.0)
    values = np.where(valid[..., None], xy, 0.0)
    reach = min(int(np.ceil(REACH_SIGMAS * SIGMA_S / frame_step(times_s))), max(len(xy) - 1, 0))
    moments = np.zeros((5, *weights.shape))
    sums = np.zeros((3, *values.shape))
    for shift in range(-reach, reach + 1):
        here = slice(max(0, -shift), min(len(xy), len(xy) - shift))
        there = slice(max(0, shift), min(len(xy), len(xy) + shift))
        u = ((times_s[there] - times_s[here]) / SIGMA_S)[:, None]
        weight = weights[there] * np.exp(-0.5 * u**2)
        for power in range(5):
            moments[power, here] += weight * u**power
        for power in range(3):
            sums[power, here] += (weight * u**power)[..., None] * values[there]
    fitted, is_sound = _parabola_at_zero(moments, sums)
    return np.where((valid & is_sound)[..., None], fitted, xy)


def _parabola_at_zero(moments: Array, sums: Array) -> tuple[Array, BoolArray]:
    """Constant term of the weighted parabola by Cramer's rule, and where it is well determined."""
    s0, s1, s2, s3, s4 = moments
    first, second, third = s2 * s4 - s3**2, s2 * s3 - s1 * s4, s1 * s3 - s2**2
    determinant = s0 * first + s1 * second + s2 * third
    is_sound = determinant > 1e-9 * np.maximum(s0, 1e-12) ** 3
    numerator = first[..., None] * sums[0] + second[..., None] * sums[1] + third[..., None] * sums[2]
    return numerator / np.where(is_sound, determinant, 1.0)[..., None], is_sound
