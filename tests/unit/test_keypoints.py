# SPDX-License-Identifier: GPL-3.0-or-later
import dataclasses

import numpy as np
import pytest

from vp3d_core.keypoints import Detections2D, Frame, Keypoints2D, Track
from vp3d_core.skeletons import COCO_17


def keypoints(num_frames: int = 3) -> Keypoints2D:
    return Keypoints2D(
        xy=np.full((num_frames, 17, 2), 5.0),
        scores=np.ones((num_frames, 17)),
        times_s=np.arange(num_frames) / 30.0,
        image_size=(64, 48),
        skeleton=COCO_17,
    )


def detections(people: int = 2) -> Detections2D:
    return Detections2D(
        boxes_xyxy=np.zeros((people, 4)),
        scores=np.ones(people),
        keypoints_xy=np.zeros((people, 17, 2)),
        keypoint_scores=np.ones((people, 17)),
        skeleton=COCO_17,
    )


def test_a_frame_is_rgb() -> None:
    with pytest.raises(ValueError, match=r"rgb has shape \(4, 4\)"):
        Frame(0, 0.0, np.zeros((4, 4), dtype=np.uint8))


def test_keypoints_have_the_skeletons_shape() -> None:
    with pytest.raises(ValueError, match=r"xy has shape \(3, 16, 2\), expected \(3, 17, 2\)"):
        dataclasses.replace(keypoints(), xy=np.zeros((3, 16, 2)))


def test_a_missing_keypoint_has_score_zero() -> None:
    good = keypoints()
    xy, scores = good.xy.copy(), good.scores.copy()
    xy[1, 2] = np.nan
    with pytest.raises(ValueError, match="must have score 0"):
        dataclasses.replace(good, xy=xy)
    scores[1, 2] = 0.0
    dataclasses.replace(good, xy=xy, scores=scores)


@pytest.mark.parametrize("times_s", [[0.0, 0.1, 0.1], [0.0, 0.2, 0.1], [0.0, np.nan, 0.1]])
def test_times_increase_strictly(times_s: list[float]) -> None:
    with pytest.raises(ValueError, match="times_s"):
        dataclasses.replace(keypoints(), times_s=np.array(times_s))


@pytest.mark.parametrize("people", [0, 1, 3])
def test_any_number_of_people_can_be_detected(people: int) -> None:
    assert len(detections(people).scores) == people


def test_detections_have_one_box_each_and_finite() -> None:
    good = detections()
    with pytest.raises(ValueError, match="boxes_xyxy has shape"):
        dataclasses.replace(good, boxes_xyxy=np.zeros((3, 4)))
    with pytest.raises(ValueError, match="boxes_xyxy holds 8 values that are not finite"):
        dataclasses.replace(good, boxes_xyxy=np.full((2, 4), np.nan))


def test_frames_of_a_track_are_consecutive() -> None:
    Track(1, np.array([3, 4, 5]), np.zeros((3, 4)), np.array([0, -1, 0]))
    with pytest.raises(ValueError, match="consecutive"):
        Track(1, np.array([3, 5, 6]), np.zeros((3, 4)), np.array([0, -1, 0]))
