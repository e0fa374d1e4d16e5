# SPDX-License-Identifier: GPL-3.0-or-later
"""One person while being followed: state and prediction, and what becomes of it at the end.

Only numpy is needed.
"""

from __future__ import annotations

import heapq
import itertools
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..arrays import Array, BoolArray, IntArray
from ..keypoints import Detections2D, Track
from .similarity import PoseBatch, keypoint_similarity

__all__ = ["Tracklet", "finish_tracklets"]

# Time over which velocity and size are averaged.
VELOCITY_WINDOW_S = 0.25
SIZE_WINDOW_S = 0.5
# Prediction slows down with this time constant: people stop and turn.
COASTING_S = 1.0
# A keypoint not seen again is trusted half as much after this time.
KEYPOINT_HALF_LIFE_S = 0.2
# A track is kept when the person was certainly there for this long, or half of the video if that is less,
MIN_PRESENT_S = 0.5
MIN_PRESENT_FRAMES = 3
# and in this share of the detections it is made of.
MIN_PRESENT_SHARE = 0.5
# A short track is part of another person when that one is followed for this many times longer, and its
# boxes lie this far inside the other's in this share of its frames,
SHADOW_LENGTH_RATIO = 4
SHADOW_INSIDE_SHARE = 0.7
SHADOW_FRAMES_SHARE = 0.8
# with keypoints that are alike, compared with this width as a share of the other's size: a part found again
# a tenth of the size beside itself has 0.6, a child before a parent in the same pose 0.36 at most;
SHADOW_WIDTH = 0.1
SHADOW_SIMILARITY = 0.48
# or when its score times its keypoints' mean is lower than this: people have 0.57 and more in the clips we
# measured, four of five of MediaPipe's ghosts 0.24 at most.
SHADOW_EVIDENCE = 0.4
# Two tracks are one person when the second starts this soon after the first ended, where both say.
REJOIN_GAP_S = 1.5
REJOIN_SHARE = 0.25
REJOIN_SIZE_RATIO = 1.4


@dataclass(eq=False)
class Tracklet:
    """One person followed so far.

    Attributes:
        frames, rows, present, builds: One entry per frame in which the person was matched.
        boxes: Four entries per such frame.
        time_s: Time of the last of them.
        xy: (K, 2) px, latest known keypoints, carried along.
        weights: (K,) how far each is to be trusted.
        velocity: (2,) px/s of the body as a whole.
        size_px: Averaged longer side of the box.
        start_s: Time of the first frame.
    """

    frames: array[int]
    rows: array[int]
    boxes: array[float]
    time_s: float
    xy: Array
    weights: Array
    velocity: Array
    size_px: float
    start_s: float
    present: array[int] = field(default_factory=lambda: array("b"))
    builds: array[float] = field(default_factory=lambda: array("d"))

    @classmethod
    def start(cls, frame: int, time_s: float, row: int, people: PoseBatch, column: int) -> Tracklet:
        """Begin with a detection that shows a person for certain."""
        size = float(people.sizes_px[column])
        xy, weights = people.xy[column], people.weights[column]
        frames, rows, boxes = array("q", [frame]), array("q", [row]), array("d", people.boxes_xyxy[column])
        return cls(frames, rows, boxes, time_s, xy, weights, np.zeros(2), size, time_s)

    @property
    def is_first(self) -> bool:
        """Whether nothing is known of the velocity yet."""
        return len(self.frames) == 1

    @property
    def duration_s(self) -> float:
        """Time between the first and the latest sight of the person."""
        return self.time_s - self.start_s

    @property
    def latest_box(self) -> Array:
        """(4,) px where the person was seen last."""
        return np.array(self.boxes[-4:])

    def _coasted_px(self, time_s: float) -> Array:
        return self.velocity * COASTING_S * (1.0 - np.exp(-(time_s - self.time_s) / COASTING_S))

    def predicted_xy(self, time_s: float) -> Array:
        """(K, 2) px expected keypoints: the latest, moved on with the body."""
        return self.xy + self._coasted_px(time_s)

    def predicted_box(self, time_s: float) -> Array:
        """(4,) px expected box."""
        return self.latest_box + np.tile(self._coasted_px(time_s), 2)

    def judge(self, *, is_present: bool, build: float) -> None:
        """Note of the latest frame whether it shows the person for certain, and ``present``'s build."""
        self.present.append(is_present)
        self.builds.append(build)

    def append(self, frame: int, time_s: float, row: int, people: PoseBatch, column: int) -> None:
        """Take the detection as this person's next position."""
        step_s = time_s - self.time_s
        xy, weights = people.xy[column], people.weights[column]
        common = np.sqrt(weights * self.weights)
        if common.sum() > 0:
            moved = (common[:, None] * (xy - self.xy)).sum(axis=0) / common.sum()
        else:
            moved = (people.boxes_xyxy[column] - self.latest_box).reshape(2, 2).mean(axis=0)
        share = 1.0 if self.is_first else 1.0 - np.exp(-step_s / VELOCITY_WINDOW_S)
        carried = self.predicted_xy(time_s)
        self.velocity = self.velocity + share * (moved / step_s - self.velocity)
        size_share = 1.0 - np.exp(-step_s / SIZE_WINDOW_S)
        self.size_px += size_share * (float(people.sizes_px[column]) - self.size_px)
        self.xy = np.where(weights[:, None] > 0, xy, carried)
        self.weights = np.where(weights > 0, weights, self.weights * 0.5 ** (step_s / KEYPOINT_HALF_LIFE_S))
        self.frames.append(frame)
        self.rows.append(row)
        self.boxes.extend(people.boxes_xyxy[column])
        self.time_s = time_s


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A finished tracklet: N matched frames, the first and the last of them certain."""

    frames: IntArray
    rows: IntArray
    boxes: Array
    present: BoolArray
    builds: Array

    def part(self, keep: slice) -> _Piece:
        """A stretch of it."""
        return _Piece(
            self.frames[keep], self.rows[keep], self.boxes[keep], self.present[keep], self.builds[keep]
        )

    def followed_by(self, other: _Piece) -> _Piece:
        """Both in one."""
        return _Piece(
            np.concatenate([self.frames, other.frames]),
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.boxes, other.boxes]),
            np.concatenate([self.present, other.present]),
            np.concatenate([self.builds, other.builds]),
        )

    def boxes_at(self, frames: IntArray, times_s: Array) -> Array:
        """(N, 4) px boxes at any frames, interpolated in time."""
        own_s = times_s[self.frames]
        return np.stack([np.interp(times_s[frames], own_s, side) for side in self.boxes.T], axis=1)

    def rows_at(self, frames: IntArray) -> IntArray:
        """(N,) rows at any frames between the first and the last, -1 where there is none."""
        places = np.searchsorted(self.frames, frames)
        return np.where(self.frames[places] == frames, self.rows[places], -1)


def finish_tracklets(
    tracklets: Sequence[Tracklet], detections: Sequence[Detections2D], times_s: Array
) -> list[Track]:
    """Re-join, trim and sift tracklets, and number what is left.

    Args:
        tracklets: In any order.
        detections: One entry a frame.
        times_s: (T,) s, of all frames.

    Returns:
        Tracks with ids from 1, in order of their first frame.
    """
    pieces = _rejoin([_trim(one) for one in tracklets], times_s)
    pieces = [piece for piece in pieces if _is_kept(piece, times_s)]
    pieces = [
        piece
        for piece in pieces
        if not any(_is_shadow(piece, other, detections, times_s) for other in pieces)
    ]
    pieces.sort(key=lambda piece: (piece.frames[0], *piece.boxes[0]))
    return [_as_track(piece, number, times_s) for number, piece in enumerate(pieces, start=1)]


def _trim(one: Tracklet) -> _Piece:
    piece = _Piece(
        np.array(one.frames),
        np.array(one.rows),
        np.array(one.boxes).reshape(-1, 4),
        np.array(one.present, dtype=bool),
        np.array(one.builds),
    )
    certain = np.flatnonzero(piece.present)  # never empty: a tracklet starts with a certain frame
    return piece.part(slice(certain[0], certain[-1] + 1))


def _is_kept(piece: _Piece, times_s: Array) -> bool:
    """Whether the person was there long and surely enough."""
    frame_s = np.diff(times_s, append=times_s[-1])
    frame_s[-1] = np.median(frame_s[:-1]) if len(times_s) > 1 else 0.0
    present_s = frame_s[piece.frames[piece.present]].sum()
    builds = piece.builds[piece.present & np.isfinite(piece.builds)]
    is_human = not len(builds) or np.median(builds) >= 1.0
    enough_s = present_s >= min(MIN_PRESENT_S, 0.5 * frame_s.sum()) - 1e-9
    enough = piece.present.sum() >= MIN_PRESENT_FRAMES and piece.present.mean() >= MIN_PRESENT_SHARE
    return bool(enough_s and enough and is_human)


def _is_shadow(piece: _Piece, other: _Piece, detections: Sequence[Detections2D], times_s: Array) -> bool:
    """Whether a piece lies within a person followed for much longer: a part of them detected twice."""
    if SHADOW_LENGTH_RATIO * len(piece.frames) > len(other.frames):
        return False
    is_together = (piece.frames >= other.frames[0]) & (piece.frames <= other.frames[-1])
    boxes = other.boxes_at(piece.frames, times_s)
    low, high = np.maximum(piece.boxes[:, :2], boxes[:, :2]), np.minimum(piece.boxes[:, 2:], boxes[:, 2:])
    shared = np.clip(high - low, 0.0, None).prod(axis=1)
    area = np.clip(piece.boxes[:, 2:] - piece.boxes[:, :2], 1e-6, None).prod(axis=1)
    is_inside = is_together & (shared >= SHADOW_INSIDE_SHARE * area)
    enough = SHADOW_FRAMES_SHARE * len(piece.frames)
    if is_inside.sum() < enough:
        return False
    frames, rows = piece.frames[is_inside], piece.rows[is_inside]
    # each frame has detections of its own
    doubles = [
        _is_double(detections[f], *pair) for f, *pair in zip(frames, rows, other.rows_at(frames), strict=True)
    ]
    return sum(doubles) >= enough


def _is_double(found: Detections2D, row: int, other_row: int) -> bool:
    """Whether a detection within another person's box is that person again or hardly anybody.

    Args:
        found: The frame's detections.
        row: Of the detection.
        other_row: Of the other person, -1 if they were not detected beside it.
    """
    if other_row < 0:
        return True
    part, whole = (PoseBatch.of(found, np.array([each])) for each in (row, other_row))
    evidence = found.scores[row] * part.weights.sum() / max(np.count_nonzero(part.weights), 1)
    widths = np.full((1, 1), SHADOW_WIDTH)
    alike = keypoint_similarity(part, whole, sizes_px=whole.sizes_px[:, None], widths=widths)
    return bool(evidence < SHADOW_EVIDENCE or alike[0, 0] >= SHADOW_SIMILARITY)


def _rejoin(pieces: list[_Piece], times_s: Array) -> list[_Piece]:
    """Join pieces where the later begins soon and close to where the earlier was heading, nearest first."""
    ordered = sorted(pieces, key=lambda piece: (piece.frames[0], *piece.boxes[0]))
    left = dict(enumerate(ordered))
    close: list[tuple[float, int, int]] = []  # a heap of pairs

    def consider(i: int, j: int) -> None:
        miss = _miss_share(left[i], left[j], times_s)
        if miss <= REJOIN_SHARE:
            heapq.heappush(close, (miss, i, j))

    starts_s = times_s[[piece.frames[0] for piece in ordered]]
    for i, piece in enumerate(ordered):
        end_s = times_s[piece.frames[-1]]
        first, last = np.searchsorted(starts_s, (end_s, end_s + REJOIN_GAP_S), side="right")
        for j in range(first, last):
            consider(i, j)
    numbers = itertools.count(len(ordered))
    while close:
        _, i, j = heapq.heappop(close)
        if i not in left or j not in left:  # joined to another already
            continue
        joined, new = left.pop(i).followed_by(left.pop(j)), next(numbers)
        others = list(left)
        left[new] = joined
        for k in others:  # both of its ends are new
            consider(k, new)
            consider(new, k)
    return list(left.values())


def _miss_share(earlier: _Piece, later: _Piece, times_s: Array) -> float:
    """Distance between where one piece was heading and where the other came from, in body sizes."""
    gap_s = float(times_s[later.frames[0]] - times_s[earlier.frames[-1]])
    if not 0.0 < gap_s <= REJOIN_GAP_S or min(len(earlier.frames), len(later.frames)) < MIN_PRESENT_FRAMES:
        return np.inf
    end, end_velocity, end_size = _edge(earlier, times_s, last=True)
    start, start_velocity, start_size = _edge(later, times_s, last=False)
    if max(end_size, start_size) > REJOIN_SIZE_RATIO * min(end_size, start_size):
        return np.inf
    forward = np.linalg.norm(end + end_velocity * gap_s - start)
    backward = np.linalg.norm(start - start_velocity * gap_s - end)
    return float(forward + backward) / (end_size + start_size)


def _edge(piece: _Piece, times_s: Array, *, last: bool) -> tuple[Array, Array, float]:
    """Centre (2,) px, velocity (2,) px/s and size px of a piece at its first or last frame."""
    times = times_s[piece.frames]
    anchor = times[-1] if last else times[0]
    near = np.abs(times - anchor) <= 2.0 * VELOCITY_WINDOW_S
    boxes = piece.boxes[near]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2.0
    age = times[near] - times[near].mean()
    velocity = (age[:, None] * centres).sum(axis=0) / max((age**2).sum(), 1e-12)
    centre = centres.mean(axis=0) + velocity * (anchor - times[near].mean())
    return centre, velocity, float(np.median((boxes[:, 2:] - boxes[:, :2]).max(axis=1)))


def _as_track(piece: _Piece, track_id: int, times_s: Array) -> Track:
    frames = np.arange(piece.frames[0], piece.frames[-1] + 1)
    rows = np.full(len(frames), -1)
    rows[piece.frames - frames[0]] = piece.rows
    return Track(track_id, frames, piece.boxes_at(frames, times_s), rows)
