# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of a pose over time that need no world: joints relative to the middle of the hips, in camera axes.

So they can be measured on anything that gives joints, a detector's own 3D too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..train.metrics import mpjpe, p_mpjpe

__all__ = ["COMMON_JOINTS", "PoseErrors", "pose_errors", "relative_to_hips"]

# What our skeleton and BlazePose both define; BlazePose's "foot index" is the toe.
COMMON_JOINTS = (
    "nose", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_toe", "right_toe",
)  # fmt: skip
LIMBS = tuple(
    (f"{side}_{start}", f"{side}_{end}")
    for side in ("left", "right")
    for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)
SHORTEST = 4  # frames: a third difference needs as many


@dataclass(frozen=True, slots=True)
class PoseErrors:
    """How a moving pose differs from the true one.

    Attributes:
        mpjpe_m: Mean distance of the joints, m.
        p_mpjpe_m: The same after the best similarity of each frame, m.
        velocity_m_s: Mean error of the joints' velocities, m/s.
        jitter_ratio: Mean length of the third difference, over the true one's.
        limb_spread: Standard deviation of a limb's length over time, over its mean; mean of eight limbs.
        limb_length_error: Mean limb length over the true one, less 1.
    """

    mpjpe_m: float
    p_mpjpe_m: float
    velocity_m_s: float
    jitter_ratio: float
    limb_spread: float
    limb_length_error: float


def pose_errors(
    predicted: Array, truth: Array, *, names: Sequence[str] = COMMON_JOINTS, rate_hz: float
) -> PoseErrors:
    """Compare joints frame by frame.

    Args:
        predicted: (T, J, 3) m, camera axes, relative to anything; rows with NaN are left out.
        truth: (T, J, 3) m, camera axes.
        names: The J joints, both hips and the eight limbs' among them.
        rate_hz: Frames a second.

    Raises:
        ValueError: when fewer than four frames can be compared.
    """
    seen = np.isfinite(predicted).all(axis=(1, 2))
    if seen.sum() < SHORTEST:
        raise ValueError(f"{int(seen.sum())} frames can be compared, expected at least {SHORTEST}")
    ours, true = (relative_to_hips(joints, names=names) for joints in (predicted, truth))
    lengths, true_lengths = _limb_lengths(ours[seen], names), _limb_lengths(true[seen], names)
    true = np.where(seen[:, None, None], true, np.nan)  # so that both have the same differences
    return PoseErrors(
        mpjpe_m=mpjpe(ours[seen], true[seen]),
        p_mpjpe_m=p_mpjpe(ours[seen], true[seen]),
        velocity_m_s=_mean_length(np.diff(ours, axis=0) - np.diff(true, axis=0)) * rate_hz,
        jitter_ratio=_mean_length(np.diff(ours, n=3, axis=0)) / _mean_length(np.diff(true, n=3, axis=0)),
        limb_spread=float((lengths.std(axis=0) / lengths.mean(axis=0)).mean()),
        limb_length_error=float((lengths.mean(axis=0) / true_lengths.mean(axis=0)).mean()) - 1.0,
    )


def relative_to_hips(joints: Array, *, names: Sequence[str] = COMMON_JOINTS) -> Array:
    """Return joints (T, J, 3) with the middle of the hips at the origin."""
    hips = [names.index("left_hip"), names.index("right_hip")]
    return joints - joints[:, hips].mean(axis=1, keepdims=True)


def _limb_lengths(joints: Array, names: Sequence[str]) -> Array:
    """Return (T, 8) m."""
    starts = [names.index(start) for start, _ in LIMBS]
    ends = [names.index(end) for _, end in LIMBS]
    return np.linalg.norm(joints[:, ends] - joints[:, starts], axis=-1)


def _mean_length(vectors: Array) -> float:
    """Return the mean length of vectors (..., 3), those with NaN left out."""
    lengths = np.linalg.norm(vectors, axis=-1)
    known = np.isfinite(lengths)
    return float(lengths[known].mean()) if known.any() else float("nan")
