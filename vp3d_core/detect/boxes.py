# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes in a picture: x and y of the left top and right bottom corner, px. numpy only."""

from __future__ import annotations

import numpy as np

from ..arrays import Array

__all__ = ["box_around", "box_iou"]


def box_around(xy: Array, *, margin: float, image_size: tuple[int, int]) -> Array:
    """Return the box (4,) around points (K, 2), wider by a share of its sides, cut at the picture's edges.

    Points that are NaN do not count; without any other the box is 0.
    """
    if np.isnan(xy).all():
        return np.zeros(4)
    low, high = np.nanmin(xy, axis=0), np.nanmax(xy, axis=0)
    rim = margin * (high - low)
    limit = np.asarray(image_size, np.float64) - 1.0
    return np.concatenate([np.clip(low - rim, 0.0, limit), np.clip(high + rim, 0.0, limit)])


def box_iou(boxes_a: Array, boxes_b: Array) -> Array:
    """Return intersection over union of (M, 4) and (D, 4) boxes as (M, D)."""
    low = np.maximum(boxes_a[:, None, :2], boxes_b[None, :, :2])
    high = np.minimum(boxes_a[:, None, 2:], boxes_b[None, :, 2:])
    shared = np.clip(high - low, 0.0, None).prod(axis=-1)
    area_a = np.clip(boxes_a[:, 2:] - boxes_a[:, :2], 0.0, None).prod(axis=-1)
    area_b = np.clip(boxes_b[:, 2:] - boxes_b[:, :2], 0.0, None).prod(axis=-1)
    return shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-9)
