# SPDX-License-Identifier: GPL-3.0-or-later
"""When the feet of recorded motion stand on the floor."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..skeletons import JOINTS

__all__ = ["contact_labels", "floor_height"]

_FEET = tuple(JOINTS.index(f"{s}_{p}") for s in ("left", "right") for p in ("toe", "heel"))


def floor_height(joints: Array) -> float:
    """Return the height of the floor under joints (T, 25, 3) m; toes and heels stand 2 cm above it."""
    return float(np.quantile(joints[:, _FEET, 2].min(axis=1), 0.02)) - 0.02


def contact_labels(joints: Array, *, rate_hz: float) -> Array:
    """Return how surely left toe, left heel, right toe and right heel stand on the floor.

    Args:
        joints: (T, 25, 3) m, floor at 0.
        rate_hz: Frames a second.

    Returns:
        (T, 4) in [0, 1], from the points' speed and height.

    Source: WHAM's labels, sigmoid of speed about 1 cm a frame at 30 Hz, and less than 7 cm above the floor.
    """
    feet = joints[:, _FEET]
    if len(feet) < 3:
        return np.zeros((len(feet), 4))
    speed = np.linalg.norm(np.gradient(feet, 1.0 / rate_hz, axis=0), axis=-1)
    slow = 1.0 / (1.0 + np.exp(np.minimum((speed - 0.30) / 0.06, 50.0)))
    low = 1.0 / (1.0 + np.exp(np.minimum((feet[..., 2] - 0.07) / 0.01, 50.0)))
    return slow * low
