# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen in the picture: frames, detections, tracks and 2D keypoints.

Image axes: x right, y down, in px, origin at the centre of the top-left pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import Array, IntArray, check_finite, check_shape, check_times
from .skeletons import KeypointSkeleton

__all__ = ["Detections2D", "Frame", "Keypoints2D", "Track"]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video, upright (rotation metadata applied).

    Attributes:
        index: Position in the stream, from 0, in presentation order.
        time_s: Presentation time from the stream, s.
        rgb: (H, W, 3) uint8.
    """

    index: int
    time_s: float
    rgb: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        check_shape("rgb", self.rgb, ("H", "W", 3))


@dataclass(frozen=True, slots=True, eq=False)
class Detections2D:
    """All people a detector found in one frame.

    Attributes:
        boxes_xyxy: (D, 4) px.
        scores: (D,) in [0, 1].
        keypoints_xy: (D, K, 2) px, in the detector's own order; NaN where missing.
        keypoint_scores: (D, K) in [0, 1]; 0 where missing.
        skeleton: Names of the K keypoints.
    """

    boxes_xyxy: Array
    scores: Array
    keypoints_xy: Array
    keypoint_scores: Array
    skeleton: KeypointSkeleton

    def __post_init__(self) -> None:
        count, points = len(self.scores), len(self.skeleton.points)
        check_shape("boxes_xyxy", self.boxes_xyxy, (count, 4))
        check_shape("keypoints_xy", self.keypoints_xy, (count, points, 2))
        check_shape("keypoint_scores", self.keypoint_scores, (count, points))
        check_finite("boxes_xyxy", self.boxes_xyxy)
        check_finite("keypoint_scores", self.keypoint_scores)


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One person followed through consecutive frames.

    Attributes:
        track_id: From 1, stable within a video.
        frames: (T,) frame indices, consecutive.
        boxes_xyxy: (T, 4) px; interpolated in gaps.
        detection_index: (T,) row in that frame's Detections2D; -1 marks a gap.
    """

    track_id: int
    frames: IntArray
    boxes_xyxy: Array
    detection_index: IntArray

    def __post_init__(self) -> None:
        check_shape("frames", self.frames, ("T",))
        check_shape("boxes_xyxy", self.boxes_xyxy, (len(self.frames), 4))
        check_shape("detection_index", self.detection_index, (len(self.frames),))
        if (np.diff(self.frames) != 1).any():
            raise ValueError("frames of a track must be consecutive")


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints2D:
    """The 2D keypoints of one person over time.

    Attributes:
        xy: (T, K, 2) px; NaN where missing.
        scores: (T, K) in [0, 1]; 0 where missing.
        times_s: (T,) s, strictly increasing.
        image_size: (width, height) px.
        skeleton: Names of the K keypoints.
    """

    xy: Array
    scores: Array
    times_s: Array
    image_size: tuple[int, int]
    skeleton: KeypointSkeleton

    def __post_init__(self) -> None:
        frames, points = len(self.times_s), len(self.skeleton.points)
        check_shape("xy", self.xy, (frames, points, 2))
        check_shape("scores", self.scores, (frames, points))
        check_finite("scores", self.scores)
        check_times("times_s", self.times_s)
        if (np.isnan(self.xy).any(axis=-1) & (self.scores > 0)).any():
            raise ValueError("a keypoint whose position is NaN must have score 0")
