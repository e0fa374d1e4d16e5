# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of 3D poses, as the field reports them. Arrays (..., T, J, 3) in metres; results in the same unit.

Source: Pavllo et al. 2019, sec. 4: protocols 1 (MPJPE), 2 (P-MPJPE), 3 (N-MPJPE) and velocity (MPJVE).
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array

__all__ = ["jitter", "mpjpe", "mpjve", "n_mpjpe", "p_mpjpe", "procrustes"]


def mpjpe(predicted: Array, target: Array) -> float:
    """Mean distance of joints (protocol 1)."""
    return float(np.linalg.norm(predicted - target, axis=-1).mean())


def n_mpjpe(predicted: Array, target: Array) -> float:
    """MPJPE after the best scale a frame (protocol 3)."""
    dot = (predicted * target).sum((-1, -2), keepdims=True)
    square = (predicted * predicted).sum((-1, -2), keepdims=True)
    return mpjpe(dot / np.maximum(square, 1e-12) * predicted, target)


def p_mpjpe(predicted: Array, target: Array) -> float:
    """MPJPE after the best rotation, translation and scale a frame (protocol 2); no reflection."""
    return mpjpe(procrustes(predicted, target), target)


def procrustes(predicted: Array, target: Array) -> Array:
    """Return ``predicted`` (..., J, 3) moved onto ``target`` by the best similarity of each frame.

    Source: Umeyama 1991.
    """
    mean_p, mean_t = predicted.mean(-2, keepdims=True), target.mean(-2, keepdims=True)
    p, t = predicted - mean_p, target - mean_t
    u, s, vt = np.linalg.svd(np.swapaxes(p, -1, -2) @ t)
    sign = np.where(np.linalg.det(u @ vt) < 0, -1.0, 1.0)
    last = np.ones(s.shape)
    last[..., -1] = sign
    rotation = (u * last[..., None, :]) @ vt
    scale = (s * last).sum(-1) / np.maximum((p**2).sum((-1, -2)), 1e-12)
    return scale[..., None, None] * (p @ rotation) + mean_t


def mpjve(predicted: Array, target: Array, *, rate_hz: float) -> float:
    """Mean error of the joints' velocities, unit a second."""
    return mpjpe(np.diff(predicted, axis=-3), np.diff(target, axis=-3)) * rate_hz


def jitter(joints: Array, *, rate_hz: float) -> float:
    """Mean length of the third difference times rate³, unit a second cubed."""
    return float(np.linalg.norm(np.diff(joints, n=3, axis=-3), axis=-1).mean()) * rate_hz**3
