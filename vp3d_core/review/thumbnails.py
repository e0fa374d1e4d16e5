# SPDX-License-Identifier: GPL-3.0-or-later
"""One small picture per track, cut out of the frames while they pass by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..keypoints import Frame, Track

__all__ = ["TrackThumbnails"]

THUMBNAIL_HEIGHT_PX = 160
MARGIN = 0.08  # of the box, on each side
TIME_TOLERANCE_S = 1e-4


class TrackThumbnails:
    """Collects a picture of each track at the moment it is seen largest.

    Args:
        tracks: The people; ``frames`` are rows of ``times_s``.
        times_s: (T,) s, times of the frames that were looked at.
        image_width: px of the pictures that the tracks' boxes are in; the frames seen may be smaller.

    Attributes:
        pictures: (H, W, 3) per track id, of those that have passed.
    """

    def __init__(self, tracks: Sequence[Track], times_s: Array, *, image_width: int) -> None:
        self._image_width = image_width
        self.pictures: dict[int, npt.NDArray[np.uint8]] = {}
        moments = [(track, _best_row(track)) for track in tracks if len(track.frames)]
        self._wanted = sorted(
            (
                (float(times_s[track.frames[row]]), track.track_id, track.boxes_xyxy[row])
                for track, row in moments
            ),
            key=lambda wanted: wanted[0],
        )

    def see(self, frame: Frame) -> None:
        """Look at the next frame; frames come in order of time."""
        while self._wanted and self._wanted[0][0] <= frame.time_s + TIME_TOLERANCE_S:
            _, track_id, box = self._wanted.pop(0)
            picture = _cut_out(frame.rgb, box * (frame.rgb.shape[1] / self._image_width))
            if picture is not None:
                self.pictures[track_id] = picture


def _best_row(track: Track) -> int:
    """Return the row with the tallest box among those that were detected."""
    heights = track.boxes_xyxy[:, 3] - track.boxes_xyxy[:, 1]
    return int(np.argmax(np.where(track.detection_index >= 0, heights, -1.0)))


def _cut_out(rgb: npt.NDArray[np.uint8], box_xyxy: Array) -> npt.NDArray[np.uint8] | None:
    import cv2

    margin = MARGIN * (box_xyxy[2:] - box_xyxy[:2])
    limits = [rgb.shape[1], rgb.shape[0]]
    left, top = np.clip(np.floor(box_xyxy[:2] - margin), 0, limits).astype(int)
    right, bottom = np.clip(np.ceil(box_xyxy[2:] + margin), 0, limits).astype(int)
    if right <= left or bottom <= top:
        return None
    width = max(1, round((right - left) * THUMBNAIL_HEIGHT_PX / (bottom - top)))
    piece = cv2.resize(
        rgb[top:bottom, left:right], (width, THUMBNAIL_HEIGHT_PX), interpolation=cv2.INTER_AREA
    )
    return np.asarray(piece, dtype=np.uint8)
