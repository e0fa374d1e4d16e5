# SPDX-License-Identifier: GPL-3.0-or-later
"""The rate of a video's motions: what its file states, unless its pictures say otherwise."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..video import VideoInfo
from .progress import Progress

__all__ = ["frame_rate_hz"]

VARIES = 1.6  # ratio between long and short steps from which a rate is said to vary
WHOLE_TOLERANCE = 0.005  # of a rate; one so near to a whole one is that: stamps are rounded, a GIF's to 10 ms
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
    steps_s = np.diff(times_s)
    short_s, long_s = np.percentile(steps_s, [10.0, 90.0])
    if long_s > VARIES * short_s:
        progress.warn(
            "rate_varies",
            f"Pictures come {1e3 * short_s:.0f} to {1e3 * long_s:.0f} ms apart; the motion has one frame "
            "rate throughout, which can be chosen (--fps)",
        )
        usual_s = float(np.median(steps_s))
        found_s = [usual_s, float(np.mean(steps_s))]
    else:
        usual_s = _usual_step_s(steps_s)
        found_s = [usual_s]  # many files state the mean, which a few pauses may have made
    if min(abs(1.0 / (step_s * stated_hz) - 1.0) for step_s in found_s) <= TOLERANCE:
        return stated_hz
    rate_hz = min(_whole_if_near(1.0 / usual_s), MAX_RATE_HZ)
    progress.warn(
        "rate_differs",
        f"The file states {stated_hz:.4g} frames per second, its pictures come at {rate_hz:.4g}; "
        "the motion has the latter",
    )
    return rate_hz


def _usual_step_s(steps_s: Array) -> float:
    """Return the mean of those steps that are like most; of rounded ones the median would be off."""
    median_s = np.median(steps_s)
    return float(np.mean(steps_s[(steps_s > median_s / VARIES) & (steps_s < median_s * VARIES)]))


def _whole_if_near(rate_hz: float) -> float:
    whole_hz = round(rate_hz)
    return float(whole_hz) if abs(rate_hz - whole_hz) <= WHOLE_TOLERANCE * rate_hz else rate_hz
