# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow people from frame to frame: assignment by predicted place, box overlap and pose.

A person is expected where constant velocity takes them, measured on the true time stamps. No picture
is looked at, only boxes and keypoints. Needs numpy and scipy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import Array, IntArray, check_times
from ..filters import frame_step
from ..keypoints import Detections2D, Track
from .boxes import box_iou
from .presence import present
from .similarity import PoseBatch, keypoint_similarity, mean_shift, spread_ratio, suppress_duplicates
from .tracklet import Tracklet, finish_tracklets

__all__ = ["track"]

# A person not seen for longer is somebody new when they are seen again.
MAX_GAP_S = 1.5
# Somebody only glimpsed is waited for this long, or until after the next frame but one if that is longer, and
# this many times the time they were followed.
GLIMPSE_GAP_S = 0.3
GLIMPSE_GAP_FRAMES = 2.5
GAP_PER_DURATION = 2.0
# Detections below this are not considered at all.
MIN_DETECTION_SCORE = 0.05
# How far from the predicted place a person may be, as a share of their size: at once, and per second.
GATE_SHARE = 0.3
GATE_SHARE_PER_S = 0.6
MAX_GATE_SHARE = 0.8
# Extra allowance while the velocity is unknown: a runner covers 3 body heights a second.
FIRST_GATE_SHARE_PER_S = 2.0
# Width of the pose comparison: limbs move while the body goes its way.
POSE_WIDTH = 0.1
POSE_WIDTH_PER_S = 0.3
# Apparent size may change by this factor at once (limbs stretched, body half in the picture).
MAX_SPREAD_RATIO = 1.7
MIN_SIMILARITY = 0.1


def track(detections: Sequence[Detections2D], times_s: Array, *, image_size: tuple[int, int]) -> list[Track]:
    """Follow each person through the video.

    Args:
        detections: One entry a frame, in order.
        times_s: (T,) true time of each frame, s, strictly increasing.
        image_size: (width, height) px.

    Returns:
        Tracks with ids from 1 in order of appearance; ``frames`` are positions in ``detections``. Gaps of
        up to MAX_GAP_S stay within a track; its first and last frame show the person for certain.
    """
    times_s = np.asarray(times_s, dtype=np.float64)
    if len(detections) != len(times_s):
        raise ValueError(f"{len(detections)} frames of detections but {len(times_s)} times")
    check_times("times_s", times_s)
    glimpse_gap_s = max(GLIMPSE_GAP_S, GLIMPSE_GAP_FRAMES * frame_step(times_s))
    live: list[Tracklet] = []
    ended: list[Tracklet] = []
    # each frame depends on the one before
    for frame, (found, time_s) in enumerate(zip(detections, times_s, strict=True)):
        ended += [one for one in live if _is_lost(one, time_s, glimpse_gap_s)]
        live = [one for one in live if not _is_lost(one, time_s, glimpse_gap_s)]
        rows = _candidates(found)
        people = PoseBatch.of(found, rows)
        there, build = (each[rows] for each in present(found, image_size=image_size))
        taken = np.zeros(len(rows), dtype=bool)
        for one, column in _assign(live, people, float(time_s)):
            one.append(frame, float(time_s), int(rows[column]), people, column)
            one.judge(is_present=bool(there[column]), build=float(build[column]))
            taken[column] = True
        for column in np.flatnonzero(~taken & there):
            one = Tracklet.start(frame, float(time_s), int(rows[column]), people, int(column))
            one.judge(is_present=True, build=float(build[column]))
            live.append(one)
    return finish_tracklets(ended + live, detections, times_s)


def _is_lost(one: Tracklet, time_s: float, glimpse_gap_s: float) -> bool:
    """Whether a person has not been seen for too long; sooner when they were only glimpsed."""
    return time_s - one.time_s > min(MAX_GAP_S, glimpse_gap_s + GAP_PER_DURATION * one.duration_s)


def _candidates(found: Detections2D) -> IntArray:
    """Rows worth following, without duplicates, in an order that the detector's order does not change."""
    order = np.lexsort((*found.boxes_xyxy.T[::-1], -found.keypoint_scores.sum(axis=1), -found.scores))
    usable = (found.scores >= MIN_DETECTION_SCORE) & np.any(
        np.all(np.isfinite(found.keypoints_xy), axis=2), axis=1
    )
    return suppress_duplicates(found, order[usable[order]])


def _assign(live: Sequence[Tracklet], people: PoseBatch, time_s: float) -> list[tuple[Tracklet, int]]:
    """Match tracklets with detections so that the sum of similarities is largest."""
    from scipy.optimize import linear_sum_assignment

    if not live or not len(people.xy):
        return []
    similarity = _similarity(live, people, time_s)
    rows, columns = linear_sum_assignment(-similarity)
    return [
        (live[row], int(column))
        for row, column in zip(rows, columns, strict=True)
        if similarity[row, column] > 0.0
    ]


def _similarity(live: Sequence[Tracklet], people: PoseBatch, time_s: float) -> Array:
    """(M, D) in [0, 1]; 0 where the one cannot have become the other.

    The longer somebody was not seen, the wider they are looked for and the less a find counts: who was seen
    just now is not robbed of their detection by somebody hidden behind them.
    """
    expected = PoseBatch(
        np.stack([one.predicted_box(time_s) for one in live]),
        np.stack([one.predicted_xy(time_s) for one in live]),
        np.stack([one.weights for one in live]),
    )
    sizes = np.array([one.size_px for one in live])[:, None]
    gap_s = np.array([time_s - one.time_s for one in live])[:, None]
    is_first = np.array([one.is_first for one in live])[:, None]
    gate = np.minimum(GATE_SHARE + GATE_SHARE_PER_S * gap_s, MAX_GATE_SHARE)
    discount = GATE_SHARE / gate
    gate = gate + is_first * np.minimum(FIRST_GATE_SHARE_PER_S * gap_s, MAX_GATE_SHARE)
    shift = np.linalg.norm(mean_shift(expected, people), axis=-1)
    ratio = spread_ratio(expected, people)
    possible = (shift <= gate * sizes) & (np.maximum(ratio, 1.0 / ratio) <= MAX_SPREAD_RATIO + 0.5 * gap_s)
    widths = POSE_WIDTH + POSE_WIDTH_PER_S * gap_s + 0.5 * is_first * gate
    pose = keypoint_similarity(expected, people, sizes_px=sizes, widths=widths)
    nearness = 1.0 - shift / (gate * sizes)
    overlap = box_iou(expected.boxes_xyxy, people.boxes_xyxy)
    similarity = (pose + overlap + np.clip(nearness, 0.0, 1.0)) / 3.0
    return np.where(possible & (similarity >= MIN_SIMILARITY), discount * similarity, 0.0)
