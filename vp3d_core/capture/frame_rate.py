# SPDX-License-Identifier: GPL-3.0-or-later
"""The rate of a video's motions: what its file states, unless its pictures say otherwise."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..video import VideoInfo
from .progress import Progress

__all__ = ["frame_rate_hz"]

VARIES = 1.6  # ratio between long and short steps from which a rate is said to vary
TOLERANCE = 0.05  # stated rates are rounded, and the mean of a variable rate depends on the part that is used
MIN_FRAMES = 10  # fewer tell nothing
MAX_RATE_HZ = 240.0


def frame_rate_hz(info: VideoInfo, times_s: Array, progress: Progress) -> float:
    """Return the frames per second of a video; a wrong rate or one that varies is warned of.

    Args:
        info: What the file states.
        times_s: (T,) s, of the pictures that were decoded.
        progress: Is warned.
    """
    stated_hz = info.average_rate_hz
    if len(times_s) < MIN_FRAMES:
        return stated_hz
    short_s, long_s = np.percentile(np.diff(times_s), [10.0, 90.0])
    if long_s > VARIES * short_s:
        progress.warn(
            "rate_varies",
            f"Pictures come {1e3 * short_s:.0f} to {1e3 * long_s:.0f} ms apart; the motion has one frame "
            "rate throughout, which can be chosen (--fps)",
        )
    mean_hz = (len(times_s) - 1) / float(times_s[-1] - times_s[0])
    usual_hz = 1.0 / float(np.median(np.diff(times_s)))
    if min(abs(mean_hz / stated_hz - 1.0), abs(usual_hz / stated_hz - 1.0)) <= TOLERANCE:
        return stated_hz
    rate_hz = min(usual_hz, MAX_RATE_HZ)
    progress.warn(
        "rate_differs",
        f"The file states {stated_hz:.4g} frames per second, its pictures come at {rate_hz:.4g}; "
        "the motion has the latter",
    )
    return rate_hz
