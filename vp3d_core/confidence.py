# SPDX-License-Identifier: GPL-3.0-or-later
"""How sure a capture is, in all and limb by limb, and the stretches of time in which it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .arrays import Array, BoolArray
from .filters import max_filter
from .motion import Motion

__all__ = ["DOUBTFUL", "LIMBS", "DoubtfulStretch", "doubtful_stretches", "limb_confidence"]

DOUBTFUL = 0.3  # below it joints are guessed rather than seen
SHORTEST_S = 0.2  # of doubt that is worth a marker
GAP_S = 0.4  # stretches nearer to each other are one
LIMBS: Mapping[str, tuple[str, ...]] = {
    "trunk": ("pelvis", "spine", "thorax"),
    "head": ("neck", "head", "nose", "head_top"),
    "left arm": ("left_shoulder", "left_elbow", "left_wrist", "left_hand"),
    "right arm": ("right_shoulder", "right_elbow", "right_wrist", "right_hand"),
    "left leg": ("left_hip", "left_knee", "left_ankle", "left_toe", "left_heel"),
    "right leg": ("right_hip", "right_knee", "right_ankle", "right_toe", "right_heel"),
}


@dataclass(frozen=True, slots=True)
class DoubtfulStretch:
    """A stretch in which a part of the body is guessed rather than seen.

    Attributes:
        first: Index of its first frame.
        last: Index of its last frame.
        part: One of ``LIMBS``, or "body" when it is most of them.
        confidence: Mean over the stretch.
    """

    first: int
    last: int
    part: str
    confidence: float


def limb_confidence(motion: Motion) -> dict[str, Array]:
    """Return (T,) confidence in [0, 1] of the "body" and of each limb that the motion has joints of."""
    names = motion.skeleton.names
    result = {"body": motion.confidence.mean(axis=1)}
    for limb, joints in LIMBS.items():
        found = [names.index(joint) for joint in joints if joint in names]
        if found:
            result[limb] = motion.confidence[:, found].mean(axis=1)
    return result


def doubtful_stretches(motion: Motion, *, below: float = DOUBTFUL) -> list[DoubtfulStretch]:
    """Return the stretches in which a part is below a confidence, in the order of time.

    A limb is not named while the whole body is doubtful.
    """
    sure = limb_confidence(motion)
    body = _closed(sure["body"] < below, motion.frame_rate_hz)
    found = _stretches("body", body, sure["body"], motion.frame_rate_hz)
    for limb in LIMBS:
        if limb in sure:
            doubt = _closed(sure[limb] < below, motion.frame_rate_hz) & ~body
            found += _stretches(limb, doubt, sure[limb], motion.frame_rate_hz)
    return sorted(found, key=lambda stretch: (stretch.first, stretch.part))


def _closed(doubt: BoolArray, rate_hz: float) -> BoolArray:
    """Return (T,) bool with short gaps between doubtful frames filled."""
    radius = max(1, round(GAP_S * rate_hz / 2))
    wide = max_filter(doubt.astype(np.float64), radius) > 0
    return ~(max_filter((~wide).astype(np.float64), radius) > 0) | doubt


def _stretches(part: str, doubt: BoolArray, sure: Array, rate_hz: float) -> list[DoubtfulStretch]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], doubt.astype(np.int8), [0]])))
    return [
        DoubtfulStretch(int(first), int(stop) - 1, part, float(sure[first:stop].mean()))
        for first, stop in zip(edges[::2], edges[1::2], strict=True)
        if stop - first >= SHORTEST_S * rate_hz
    ]
