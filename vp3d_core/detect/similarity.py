# SPDX-License-Identifier: GPL-3.0-or-later
"""How alike two poses are in one picture: keypoint similarity, mean shift, duplicates.

All functions compare M poses with D poses and return (M, D) arrays. Only numpy is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, IntArray
from ..keypoints import Detections2D
from .boxes import box_iou

__all__ = ["PoseBatch", "keypoint_similarity", "mean_shift", "spread_ratio", "suppress_duplicates"]

# A keypoint below this score says nothing about where the person is.
USABLE_SCORE = 0.2
# Two detections in one frame are the same person when their keypoints agree within about this share of
# the person's size. Two people abreast differ by a shoulder width, 0.2.
DUPLICATE_WIDTH = 0.06
DUPLICATE_SIMILARITY = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class PoseBatch:
    """Several poses in one frame.

    Attributes:
        boxes_xyxy: (N, 4) px.
        xy: (N, K, 2) px, finite.
        weights: (N, K) in [0, 1]; 0 where the keypoint cannot be used.
    """

    boxes_xyxy: Array
    xy: Array
    weights: Array

    @classmethod
    def of(cls, detections: Detections2D, rows: IntArray) -> PoseBatch:
        """Take rows of a frame's detections."""
        xy = detections.keypoints_xy[rows].astype(np.float64)
        scores = detections.keypoint_scores[rows].astype(np.float64)
        usable = np.isfinite(xy).all(axis=-1) & (scores >= USABLE_SCORE)
        return cls(
            detections.boxes_xyxy[rows].astype(np.float64),
            np.where(usable[..., None], xy, 0.0),
            np.where(usable, np.minimum(scores, 1.0), 0.0),
        )

    @property
    def sizes_px(self) -> Array:
        """(N,) longer side of each box, at least 1 px."""
        return np.maximum((self.boxes_xyxy[:, 2:] - self.boxes_xyxy[:, :2]).max(axis=1), 1.0)


def _common_weights(a: PoseBatch, b: PoseBatch) -> Array:
    """(M, D, K) weights of the keypoints that both poses have."""
    return np.sqrt(a.weights[:, None] * b.weights[None])


def keypoint_similarity(a: PoseBatch, b: PoseBatch, *, sizes_px: Array, widths: Array) -> Array:
    """Return the mean of exp(-d^2 / 2 (width size)^2) over common keypoints; 0 without any.

    Args:
        a: M poses.
        b: D poses.
        sizes_px: (M, D) or (M, 1) px, the scale of a distance.
        widths: (M, D) or (M, 1), tolerated distance as a share of the size.

    Source: COCO's object keypoint similarity, with one width for all keypoints.
    """
    weights = _common_weights(a, b)
    squared = ((a.xy[:, None] - b.xy[None]) ** 2).sum(axis=-1)
    likeness = np.exp(-squared / (2.0 * (sizes_px * widths)[..., None] ** 2))
    return (weights * likeness).sum(axis=-1) / np.maximum(weights.sum(axis=-1), 1e-9)


def mean_shift(a: PoseBatch, b: PoseBatch) -> Array:
    """Return the (M, D, 2) px mean way from a's to b's common keypoints, of box centres without any."""
    weights = _common_weights(a, b)
    total = weights.sum(axis=-1)
    shift = (weights[..., None] * (b.xy[None] - a.xy[:, None])).sum(axis=2)
    shift /= np.maximum(total, 1e-9)[..., None]
    centres_a = (a.boxes_xyxy[:, :2] + a.boxes_xyxy[:, 2:]) / 2.0
    centres_b = (b.boxes_xyxy[:, :2] + b.boxes_xyxy[:, 2:]) / 2.0
    return np.where(total[..., None] > 0, shift, centres_b[None] - centres_a[:, None])


def spread_ratio(a: PoseBatch, b: PoseBatch) -> Array:
    """Return (M, D): how many times larger b's common keypoints are spread than a's; 1 for under three."""
    weights = _common_weights(a, b)
    total = np.maximum(weights.sum(axis=-1), 1e-9)

    def spread(xy: Array) -> Array:
        mean = (weights[..., None] * xy).sum(axis=2) / total[..., None]
        squared = ((xy - mean[:, :, None]) ** 2).sum(axis=-1)
        return np.sqrt((weights * squared).sum(axis=-1) / total)

    spread_a, spread_b = spread(a.xy[:, None]), spread(b.xy[None])
    enough = ((weights > 0).sum(axis=-1) >= 3) & (spread_a > 1e-6) & (spread_b > 1e-6)
    return np.where(enough, np.maximum(spread_b, 1e-6) / np.maximum(spread_a, 1e-6), 1.0)


def suppress_duplicates(detections: Detections2D, rows: IntArray) -> IntArray:
    """Keep one of several detections of the same person: the one with more keypoint score.

    Args:
        detections: A frame's detections.
        rows: (N,) candidates.

    Returns:
        The rows kept, in the order given.
    """
    if len(rows) < 2:
        return rows
    poses = PoseBatch.of(detections, rows)
    sizes = np.minimum(poses.sizes_px[:, None], poses.sizes_px[None])
    alike = keypoint_similarity(poses, poses, sizes_px=sizes, widths=np.full_like(sizes, DUPLICATE_WIDTH))
    same = (alike > DUPLICATE_SIMILARITY) | (box_iou(poses.boxes_xyxy, poses.boxes_xyxy) > 0.9)
    evidence = poses.weights.sum(axis=1) * np.maximum(detections.scores[rows], 1e-3)
    kept = np.zeros(len(rows), dtype=bool)
    for i in np.argsort(-evidence, kind="stable"):  # each choice depends on those before
        kept[i] = not (same[i] & kept).any()
    return rows[kept]
