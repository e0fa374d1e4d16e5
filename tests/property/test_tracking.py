# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from tests.walkers import IMAGE_SIZE, Scene, keypoints, observe, times, walker
from vp3d_core.detect.clean import clean
from vp3d_core.detect.tracker import track
from vp3d_core.keypoints import Detections2D, Keypoints2D, Track
from vp3d_core.skeletons import SLOTS

SEEDS = st.integers(0, 2**16)
FEW = settings(max_examples=8, deadline=None)


def crowd(seed: int) -> tuple[Scene, np.ndarray]:
    rng = np.random.default_rng(seed)
    times_s = times(36, rate_hz=20.0, jitter=0.4, seed=seed)
    people = [
        walker(
            times_s,
            height_px=rng.uniform(300, 420),
            start_x=rng.uniform(100, 1180),
            speed_per_s=rng.uniform(-0.8, 0.8),
            phase=rng.uniform(0, 6),
        )
        for _ in range(3)
    ]
    return observe(people, seed=seed, noise=0.01, miss=0.1, hide_behind=0.1), times_s


def rows(found: Detections2D, order: np.ndarray) -> Detections2D:
    return Detections2D(
        found.boxes_xyxy[order],
        found.scores[order],
        found.keypoints_xy[order],
        found.keypoint_scores[order],
        found.skeleton,
    )


def assert_same_people(before: list[Track], after: list[Track]) -> None:
    assert [one.track_id for one in before] == [one.track_id for one in after]
    for one, other in zip(before, after, strict=True):
        assert_array_equal(one.frames, other.frames)
        assert_array_equal(one.detection_index < 0, other.detection_index < 0)


@FEW
@given(SEEDS)
def test_the_order_of_detections_does_not_matter(seed: int) -> None:
    scene, times_s = crowd(seed)
    rng = np.random.default_rng(seed + 1)
    orders = [rng.permutation(len(found.scores)) for found in scene.detections]
    shuffled = [rows(found, order) for found, order in zip(scene.detections, orders, strict=True)]
    before = track(scene.detections, times_s, image_size=IMAGE_SIZE)
    after = track(shuffled, times_s, image_size=IMAGE_SIZE)
    assert_same_people(before, after)
    for one, other in zip(before, after, strict=True):
        assert_array_equal(one.boxes_xyxy, other.boxes_xyxy)
        for frame, row, new_row in zip(one.frames, one.detection_index, other.detection_index, strict=True):
            assert row < 0 or orders[frame][new_row] == row


@FEW
@given(SEEDS, st.sampled_from([0.5, 2.0, 3.0]), st.floats(-100.0, 1000.0))
def test_neither_picture_size_nor_start_time_matters(seed: int, scale: float, start_s: float) -> None:
    scene, times_s = crowd(seed)
    scaled = [
        Detections2D(
            found.boxes_xyxy * scale, found.scores, found.keypoints_xy * scale, found.keypoint_scores, SLOTS
        )
        for found in scene.detections
    ]
    size = (int(IMAGE_SIZE[0] * scale), int(IMAGE_SIZE[1] * scale))
    # the picture's edge scales about its corner, not about the centre of the first pixel: stay off it
    before = track(scene.detections, times_s, image_size=(10 * IMAGE_SIZE[0], 10 * IMAGE_SIZE[1]))
    after = track(scaled, times_s + start_s, image_size=(10 * size[0], 10 * size[1]))
    assert_same_people(before, after)
    for one, other in zip(before, after, strict=True):
        assert_array_equal(one.detection_index, other.detection_index)
        assert_allclose(one.boxes_xyxy * scale, other.boxes_xyxy, rtol=1e-6)


@FEW
@given(SEEDS, st.sampled_from([0.5, 2.0]), st.floats(-100.0, 100.0))
def test_cleaning_scales_and_shifts_with_its_input(seed: int, scale: float, start_s: float) -> None:
    rng = np.random.default_rng(seed)
    times_s = times(50, jitter=0.3, seed=seed)
    xy = walker(times_s, view_rad=rng.uniform(0, 3)) + rng.normal(0, 3.0, (50, 28, 2))
    xy[rng.random(xy.shape[:2]) < 0.1] = np.nan
    before = clean(keypoints(xy, times_s))
    size = (int(IMAGE_SIZE[0] * scale), int(IMAGE_SIZE[1] * scale))
    scores = np.where(np.isfinite(xy).all(axis=-1), 0.9, 0.0)
    after = clean(Keypoints2D(xy * scale + 7.0, scores, times_s + start_s, size, SLOTS))
    assert_allclose(after.xy, before.xy * scale + 7.0, atol=1e-5 * IMAGE_SIZE[0])
    assert_allclose(after.scores, before.scores, atol=1e-9)


@FEW
@given(SEEDS)
def test_mirrored_people_are_cleaned_alike(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times_s = times(50, jitter=0.3, seed=seed)
    xy = walker(times_s, view_rad=rng.uniform(0, 3)) + rng.normal(0, 3.0, (50, 28, 2))
    mirror = list(SLOTS.mirror)
    result = clean(keypoints(xy, times_s))
    mirrored = clean(keypoints((xy * (-1.0, 1.0))[:, mirror], times_s))
    assert_allclose(mirrored.xy[:, mirror] * (-1.0, 1.0), result.xy, atol=1e-6)
