# SPDX-License-Identifier: GPL-3.0-or-later
"""The real MediaPipe on clips made from a photograph: Grace Hopper, public domain, in matplotlib."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from vp3d_core.detect.detector import RememberingDetector, make_detector
from vp3d_core.detect.mediapipe_detector import MediaPipeDetector
from vp3d_core.errors import InputError
from vp3d_core.keypoints import Detections2D, Frame
from vp3d_core.skeletons import BLAZEPOSE_33

pytestmark = pytest.mark.worker
cv2 = pytest.importorskip("cv2")
pytest.importorskip("mediapipe")

WIDTH, HEIGHT = 640, 480
SCALE = 0.6  # of the photograph
# Read off the photograph by eye, px.
LANDMARKS = {"left_eye": (305, 188), "right_eye": (237, 190), "nose": (268, 222), "left_mouth": (302, 266)}


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    from matplotlib import cbook

    photograph = cv2.imread(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    return cv2.resize(photograph[:, :, ::-1], None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def room() -> np.ndarray:
    """An empty room: a wall, a floor, and soft blotches, which a landmark model takes for bodies."""
    rng = np.random.default_rng(3)
    blotches = cv2.resize(rng.uniform(-40, 40, (12, 16, 3)).astype(np.float32), (WIDTH, HEIGHT))
    shade = np.where(np.arange(HEIGHT)[:, None, None] < 330, 170, 110)
    return np.clip(shade + blotches, 0, 255).astype(np.uint8)


@pytest.fixture
def detector() -> Iterator[MediaPipeDetector]:
    made = MediaPipeDetector(threads=1)
    yield made
    made.close()


def picture(room: np.ndarray, portrait: np.ndarray, left: int | None) -> np.ndarray:
    """The room with the portrait at its lower edge; None leaves it empty."""
    image = room.copy()
    if left is not None and left < WIDTH:
        start, end = max(0, left), min(WIDTH, left + portrait.shape[1])
        image[HEIGHT - portrait.shape[0] :, start:end] = portrait[:, start - left : end - left]
    return image


def run(detector: MediaPipeDetector, images: Sequence[np.ndarray]) -> list[Detections2D]:
    frames = [Frame(index, index / 30, image) for index, image in enumerate(images)]
    size = detector.batch_size
    return [
        found
        for start in range(0, len(frames), size)
        for found in detector.detect(frames[start : start + size])
    ]


def expected(name: str, left: int) -> np.ndarray:
    top = HEIGHT - round(600 * SCALE)
    return np.array(LANDMARKS[name]) * SCALE + [left, top]


def test_landmarks_lie_where_they_are_in_the_picture(detector, room, portrait):
    lefts = [40 + 3 * t for t in range(12)]
    detections = run(detector, [picture(room, portrait, left) for left in lefts])
    assert [len(found.scores) for found in detections] == [1] * len(lefts)
    for left, found in zip(lefts, detections, strict=True):
        assert found.skeleton is BLAZEPOSE_33
        for name in LANDMARKS:
            index = BLAZEPOSE_33.index(name)
            offset = found.keypoints_xy[0, index] - expected(name, left)
            assert np.hypot(*offset) < 15, name  # px; the face is 120 px wide
            assert found.keypoint_scores[0, index] > 0.8
        assert found.keypoint_scores[0, BLAZEPOSE_33.index("left_ankle")] == 0  # below the picture
        box = found.boxes_xyxy[0]
        assert box[0] < expected("nose", left)[0] < box[2]


def test_nobody_is_reported_while_nobody_is_there(detector, room, portrait):
    """A person comes, leaves, and comes back elsewhere; the ghost that stays must not be reported."""
    lefts = [None] * 5 + [20] * 12 + [None] * 20 + [330] * 12 + [None] * 5
    counts = np.array([len(f.scores) for f in run(detector, [picture(room, portrait, x) for x in lefts])])
    there = np.array([left is not None for left in lefts])
    assert counts[~there].sum() == 0
    assert (counts[there] == 1).mean() >= 0.95


def test_a_person_who_walks_out_is_let_go(detector, room, portrait):
    lefts = [330 + 25 * max(0, t - 6) for t in range(20)] + [None] * 15
    detections = run(detector, [picture(room, portrait, left) for left in lefts])
    assert [len(found.scores) for found in detections[:7]] == [1] * 7
    assert sum(len(found.scores) for found in detections[20:]) == 0


def test_a_cut_to_another_place(detector, room, portrait):
    lefts = [20] * 10 + [330] * 10
    detections = run(detector, [picture(room, portrait, left) for left in lefts])
    for left, found in zip(lefts, detections, strict=True):
        for nose in found.keypoints_xy[:, BLAZEPOSE_33.index("nose")]:
            assert np.hypot(*(nose - expected("nose", left))) < 20
    assert sum(len(found.scores) == 1 for found in detections) >= 18


def test_two_people_are_two(detector, room, portrait):
    image = picture(room, portrait, 0)
    image[HEIGHT - portrait.shape[0] :, WIDTH - portrait.shape[1] :] = portrait
    detections = run(detector, [image] * 8)
    assert [len(found.scores) for found in detections[-4:]] == [2] * 4
    noses = np.sort(detections[-1].keypoints_xy[:, BLAZEPOSE_33.index("nose"), 0])
    np.testing.assert_allclose(
        noses, [expected("nose", left)[0] for left in (0, WIDTH - portrait.shape[1])], atol=15
    )


def test_the_same_frames_give_the_same_answer(room, portrait):
    images = [picture(room, portrait, 40 + 3 * t) for t in range(6)]
    answers = []
    for _ in range(2):
        made = MediaPipeDetector(threads=1)
        answers.append(run(made, images)[-1])
        made.close()
    np.testing.assert_array_equal(answers[0].keypoints_xy, answers[1].keypoints_xy)


def test_another_detector_goes_on_from_a_state_as_if_it_had_seen_everything(room, portrait):
    images = [picture(room, portrait, 40 + 3 * t) for t in range(20)]
    frames = [Frame(index, index / 30, image) for index, image in enumerate(images)]
    first, second = MediaPipeDetector(threads=1), MediaPipeDetector(threads=1)
    assert isinstance(first, RememberingDetector)
    first.detect(frames[:13])
    state = {name: values.copy() for name, values in first.state().items()}
    assert len(state["followed"]) >= 1
    second.restore(state, frames[12])
    for one, other in zip(first.detect(frames[13:]), second.detect(frames[13:]), strict=True):
        for name in ("boxes_xyxy", "scores", "keypoints_xy", "keypoint_scores"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    first.close()
    second.close()


def test_world_landmarks_go_with_the_detections(detector, room, portrait):
    frames = [Frame(0, 0.0, picture(room, portrait, None)), Frame(1, 0.1, picture(room, portrait, 40))]
    detector.detect(frames)
    assert [world.shape for world in detector.last_world_landmarks] == [(0, 33, 3), (1, 33, 3)]
    shoulders = detector.last_world_landmarks[1][0, [11, 12]]
    assert 0.15 < np.linalg.norm(shoulders[0] - shoulders[1]) < 0.6  # m


def test_rolled_pictures(room, portrait):
    upright = picture(room, portrait, 150)
    for turns in (1, 2, 3):
        made = MediaPipeDetector(threads=1)
        detections = run(made, [np.rot90(upright, turns)] * 3)
        made.close()
        assert [len(found.scores) for found in detections] == [1] * 3


def test_auto_takes_mediapipe_without_mmposes_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("VP3D_HOME", str(tmp_path))
    made = make_detector("auto", threads=1)
    assert (made.name, made.skeleton) == ("mediapipe", BLAZEPOSE_33)
    made.close()
    with pytest.raises(InputError, match="no detector named 'yolo'"):
        make_detector("yolo")
