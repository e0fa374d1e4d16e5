# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose whom to capture, and bring their keypoints into the order of the slots.

Only numpy is needed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import Array, IntArray
from ..errors import InputError, NoPersonFound
from ..filters import frame_step
from ..keypoints import Detections2D, Keypoints2D, Track
from ..settings import place_of
from ..skeletons import SLOTS, KeypointSkeleton
from ..time_blocks import time_blocks
from .presence import MIN_SEEN_SHARE, SEEN_SCORE, inside_picture

__all__ = ["as_slots", "select_keypoints", "select_tracks"]

# How far from a chosen place and time a person may be: time in s, place in sides of the box from its centre.
PLACE_TOLERANCE_S = 0.5
PLACE_TOLERANCE_SIDES = 0.6

# A capture needs confident keypoints for this long, or in half of a shorter video, and in so many frames.
MIN_CONFIDENT_S = 0.5
MIN_CONFIDENT_FRAMES = 3
# A point that a detector guesses this far outside the picture (share of the longer side) is not seen.
OUTSIDE_MARGIN = 0.02
# Knuckles whose mean is the hand point, in the words of several detectors; the first pair found counts.
HAND_KNUCKLES = (("index", "pinky"), ("index_knuckle", "pinky_knuckle"), ("forefinger1", "pinky_finger1"))


def select_tracks(
    tracks: Sequence[Track], detections: Sequence[Detections2D], times_s: Array, *, person: tuple[str, ...]
) -> list[Track]:
    """Choose the tracks to capture.

    Args:
        tracks: From ``track``.
        detections: The frames they were made from.
        times_s: (T,) s, of those frames.
        person: "all", "largest", "longest", track ids as text, or places, see ``CaptureSettings``; several
            add up.

    Returns:
        The tracks worth capturing that were asked for, most prominent (area times duration) first.

    Raises:
        NoPersonFound: If no track is worth capturing; the message says what was found instead.
        InputError: If a track id is not there, or nobody is at the places; the message lists who is.
    """
    needed = _frames_needed(times_s)
    worthy = [one for one in tracks if _confident_frames(one, detections) >= needed]
    if not worthy:
        hint = "Use a video that shows a person for at least a second."
        raise NoPersonFound(_nobody(tracks, detections, needed), hint=hint)
    ranked = sorted(worthy, key=lambda one: (-_prominence(one), one.track_id))
    chosen: set[int] = set()
    for choice in person:
        place = place_of(choice)
        chosen |= _ids_of(choice, ranked, tracks) if place is None else _ids_at(place, ranked, times_s)
    if not chosen:
        hint = "Find the people again, or choose one of those, or all."
        raise InputError(f"Nobody is where the chosen person was; found are {_listed(tracks)}", hint=hint)
    ordered = ranked + [one for one in tracks if one not in ranked]
    return [one for one in ordered if one.track_id in chosen]


def _frames_needed(times_s: Array) -> int:
    enough = round(MIN_CONFIDENT_S / frame_step(times_s))
    return max(MIN_CONFIDENT_FRAMES, min(enough, len(times_s) // 2))


def _ids_of(choice: str, ranked: Sequence[Track], tracks: Sequence[Track]) -> set[int]:
    if choice == "all":
        return {one.track_id for one in ranked}
    if choice == "largest":
        return {max(ranked, key=lambda one: (np.median(_areas(one)), -one.track_id)).track_id}
    if choice == "longest":
        return {max(ranked, key=lambda one: (len(one.frames), -one.track_id)).track_id}
    known = sorted(one.track_id for one in tracks)
    if not choice.isdecimal() or int(choice) not in known:
        hint = "Choose one of those, or all."
        raise InputError(f"There is no track {choice!r}; found are {_listed(tracks)}", hint=hint)
    return {int(choice)}


def _listed(tracks: Sequence[Track]) -> str:
    return ", ".join(str(one.track_id) for one in sorted(tracks, key=lambda one: one.track_id))


def _ids_at(place: tuple[float, float, float], tracks: Sequence[Track], times_s: Array) -> set[int]:
    """Return the track that is at a place (s, px, px), as a set that may be empty."""
    time_s, x, y = place
    frame = int(np.abs(np.asarray(times_s) - time_s).argmin())
    near: list[tuple[float, int]] = []
    for one in tracks:
        row = frame - int(one.frames[0])
        if 0 <= row < len(one.frames) and abs(float(times_s[frame]) - time_s) <= PLACE_TOLERANCE_S:
            low, high = one.boxes_xyxy[row, :2], one.boxes_xyxy[row, 2:]
            offset = np.abs([x, y] - (low + high) / 2.0) / np.maximum(high - low, 1.0)
            near.append((float(offset.max()), one.track_id))
    return {track_id for offset, track_id in sorted(near)[:1] if offset <= PLACE_TOLERANCE_SIDES}


def _areas(one: Track) -> Array:
    return np.clip(one.boxes_xyxy[:, 2:] - one.boxes_xyxy[:, :2], 0.0, None).prod(axis=1)


def _prominence(one: Track) -> float:
    return float(_areas(one).sum())


def _confident_frames(one: Track, detections: Sequence[Detections2D]) -> int:
    """Number of frames in which enough of the person's keypoints are seen."""
    seen = [
        float((detections[int(frame)].keypoint_scores[row] >= SEEN_SCORE).mean())
        for frame, row in zip(one.frames, one.detection_index, strict=True)
        if row >= 0
    ]
    return int((np.asarray(seen) >= MIN_SEEN_SHARE).sum())


def _nobody(tracks: Sequence[Track], detections: Sequence[Detections2D], needed: int) -> str:
    """What was found, for the message."""
    some = sum(len(found.scores) > 0 for found in detections)
    if not some:
        return f"No person was found in {len(detections)} frames"
    listed = ", ".join(f"{one.track_id} ({_confident_frames(one, detections)} frames)" for one in tracks)
    return (
        f"No person could be followed: something was detected in {some} of {len(detections)} frames, "
        f"tracks with confident keypoints: {listed or 'none'}; at least {needed} frames are needed"
    )


def select_keypoints(
    track: Track, detections: Sequence[Detections2D], times_s: Array, *, image_size: tuple[int, int]
) -> Keypoints2D:
    """Take one person's keypoints out of the detections, in the order of the slots.

    Args:
        track: Whom.
        detections: The frames the track was made from.
        times_s: (T,) s, of those frames.
        image_size: (width, height) px.

    Returns:
        Keypoints at the track's frames; NaN and score 0 in gaps, outside the picture, and in slots that
        the detector lacks. A hand is the mean of index and little-finger knuckles, with the lower score.
    """
    frames = np.asarray(track.frames)
    xy = np.empty((len(frames), len(SLOTS.points), 2), dtype=np.float32)  # 0.001 px, and half as large
    scores = np.empty(xy.shape[:2], dtype=np.float32)
    for block in time_blocks(len(frames), margin=0):
        rows = block.kept
        raw = _raw_keypoints(frames[rows], track.detection_index[rows], detections)
        found_xy, found_scores = _slots_of(*raw, detections[int(frames[0])].skeleton)
        seen = inside_picture(found_xy, image_size, margin=OUTSIDE_MARGIN) & (found_scores > 0)
        xy[rows] = np.where(seen[..., None], found_xy, np.nan)
        scores[rows] = np.where(seen, np.clip(found_scores, 0.0, 1.0), 0.0)
    return Keypoints2D(xy, scores, np.asarray(times_s, dtype=np.float64)[frames], image_size, SLOTS)


def _raw_keypoints(
    frames: IntArray, rows: IntArray, detections: Sequence[Detections2D]
) -> tuple[Array, Array]:
    """Return (T, K, 2) px and (T, K) of some frames in the detector's own order; NaN and 0 in gaps."""
    xy = np.full((len(frames), len(detections[int(frames[0])].skeleton.points), 2), np.nan)
    scores = np.zeros(xy.shape[:2])
    for t, (frame, row) in enumerate(zip(frames, rows, strict=True)):  # every frame has its own arrays
        if row >= 0:
            found = detections[int(frame)]
            xy[t], scores[t] = found.keypoints_xy[row], found.keypoint_scores[row]
    return xy, scores


def as_slots(keypoints: Keypoints2D) -> Keypoints2D:
    """Bring keypoints of any order that is known into the order of the slots, which the lifter takes.

    Args:
        keypoints: (T, K, 2) px, named by their skeleton: COCO_17, HALPE_26, BLAZEPOSE_33 and others.

    Returns:
        (T, 28, 2) px, as ``select_keypoints`` fills them; NaN and score 0 in slots without such a keypoint.
    """
    xy, scores = _slots_of(keypoints.xy, keypoints.scores, keypoints.skeleton)
    return Keypoints2D(xy, scores, keypoints.times_s, keypoints.image_size, SLOTS)


def _slots_of(xy: Array, scores: Array, skeleton: KeypointSkeleton) -> tuple[Array, Array]:
    """Put (T, K) keypoints into (T, 28) slots by name."""
    slot_xy = np.full((len(xy), len(SLOTS.points), 2), np.nan)
    slot_scores = np.zeros(slot_xy.shape[:2])
    for slot, name in enumerate(SLOTS.points):
        sources = _sources(name, skeleton)
        if sources:
            slot_xy[:, slot] = xy[:, sources].mean(axis=1)
            slot_scores[:, slot] = scores[:, sources].min(axis=1)
    return slot_xy, slot_scores


def _sources(name: str, skeleton: KeypointSkeleton) -> list[int]:
    """Indices of the detector's keypoints whose mean is a slot; empty when it has none."""
    if name in skeleton.points:
        return [skeleton.index(name)]
    side, _, part = name.partition("_")
    if part == "hand":
        for knuckles in HAND_KNUCKLES:
            names = [f"{side}_{knuckle}" for knuckle in knuckles]
            if set(names) <= set(skeleton.points):
                return [skeleton.index(point) for point in names]
    return []
