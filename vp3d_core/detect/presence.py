# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a detection somebody who is really there? Judged by the keypoints, and by a detector's own doubt.

Only numpy is needed.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array, BoolArray
from ..keypoints import Detections2D
from ..skeletons import KeypointSkeleton

__all__ = ["inside_picture", "present"]

# MMPose's own convention for a keypoint that is seen.
SEEN_SCORE = 0.3
# A detector that scores a person lower is not sure that it is one.
CERTAIN_SCORE = 0.08
# Share of the keypoints that must be seen: a person cut off at the waist shows half, a head alone a third.
MIN_SEEN_SHARE = 0.25
# A trunk is 0.6 times as long as a leg, and a third of a standing person's longer side. In each track of
# people in people_crossing.mp4 and three other clips the medians are at least 0.66 and 0.32; in those of
# the table foot that MediaPipe takes for a person, at most 0.30 and 0.23. Either is enough; a single frame
# may show half of it. Who is seen along the trunk, from above or bent towards the camera, shows the width
# of the shoulders in place of its length, 0.47 of a leg or more.
TRUNK_PER_LEG = 0.4
TRUNK_PER_EXTENT = 0.26
MIN_BUILD_IN_FRAME = 0.5
# Some of MediaPipe's ghosts have as wide shoulders; its finder scores them 0.71 at most.
WIDTH_COUNTS_SCORE = 0.75


def inside_picture(xy: Array, image_size: tuple[int, int], *, margin: float = 0.0) -> BoolArray:
    """Say which points lie in the picture.

    Args:
        xy: (..., 2) px; NaN counts as outside.
        image_size: (width, height) px.
        margin: Tolerated distance outside, as a share of the picture's longer side.
    """
    slack = 0.5 + margin * max(image_size)
    return np.all((xy >= -slack) & (xy <= np.asarray(image_size) - 1 + slack), axis=-1)


def present(detections: Detections2D, *, image_size: tuple[int, int]) -> tuple[BoolArray, Array]:
    """Say which detections show enough of a person, in proportions a person can have.

    Args:
        detections: D people of one frame.
        image_size: (width, height) px.

    Returns:
        (D,) bool, and (D,) build: size of the trunk for that of the legs and the whole; people have at
        least 1 on average; NaN where it cannot be told.
    """
    xy = detections.keypoints_xy
    seen = (detections.keypoint_scores >= SEEN_SCORE) & inside_picture(xy, image_size)
    build = _build(xy, seen, detections.scores >= WIDTH_COUNTS_SCORE, detections.skeleton)
    is_certain = detections.scores >= CERTAIN_SCORE
    return is_certain & (seen.mean(axis=1) >= MIN_SEEN_SHARE) & ~(build < MIN_BUILD_IN_FRAME), build


def _build(xy: Array, seen: BoolArray, width_counts: BoolArray, skeleton: KeypointSkeleton) -> Array:
    """(D,) the larger of trunk per leg and trunk per extent, each by what people have at least.

    The trunk's size is its length, or the shoulders' width where that is larger and counts.
    """
    names = [f"{side}_{part}" for side in ("left", "right") for part in ("shoulder", "hip", "knee", "ankle")]
    if not len(xy) or not set(names) <= set(skeleton.points):
        return np.full(len(xy), np.nan)
    left, right = (xy[:, [skeleton.index(name) for name in names[side : side + 4]]] for side in (0, 4))
    middle = (left + right) / 2.0
    length = np.linalg.norm(middle[:, 0] - middle[:, 1], axis=-1)
    width = np.linalg.norm(left[:, 0] - right[:, 0], axis=-1)
    trunk = np.where(width_counts, np.maximum(length, width), length)
    bones = [np.linalg.norm(np.diff(side[:, 1:], axis=1), axis=-1) for side in (left, right)]
    leg = np.sum(bones, axis=(0, 2)) / 2.0
    highest = np.where(seen[..., None], xy, -np.inf).max(axis=1)
    lowest = np.where(seen[..., None], xy, np.inf).min(axis=1)
    extent = np.maximum((highest - lowest).max(axis=-1), 1e-6)
    return np.maximum(trunk / np.maximum(TRUNK_PER_LEG * leg, 1e-6), trunk / (TRUNK_PER_EXTENT * extent))
