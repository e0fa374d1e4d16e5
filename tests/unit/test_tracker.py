# SPDX-License-Identifier: GPL-3.0-or-later
import dataclasses
from collections import Counter

import numpy as np
import pytest

from tests.walkers import IMAGE_SIZE, Scene, detection, observe, times, walker
from vp3d_core.detect.tracker import MAX_GAP_S, track
from vp3d_core.keypoints import Track
from vp3d_core.skeletons import SLOTS

Owners = list[Counter[int]]


def owners_of(tracks: list[Track], scene: Scene) -> Owners:
    """Whose detections each track is made of."""
    return [
        Counter(
            int(scene.owners[f][row])
            for f, row in zip(one.frames, one.detection_index, strict=True)
            if row >= 0
        )
        for one in tracks
    ]


def assert_one_track_each(tracks: list[Track], scene: Scene, num_people: int) -> None:
    owners = owners_of(tracks, scene)
    assert sorted(next(iter(owner)) for owner in owners) == list(range(num_people)), owners
    assert all(len(owner) == 1 for owner in owners), owners


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rate_hz", [12.0, 30.0])
@pytest.mark.parametrize("num_people", [2, 3, 4])
def test_people_who_cross_keep_their_tracks(num_people: int, rate_hz: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times_s = times(int(4 * rate_hz), rate_hz=rate_hz, jitter=0.4, seed=seed)
    starts = (100.0, 1180.0, 650.0, 950.0)
    speeds = (0.6, -0.6, 0.3, 0.0)
    people = [
        walker(
            times_s,
            height_px=rng.uniform(340, 420),
            start_x=starts[i],
            speed_per_s=speeds[i] * rng.uniform(0.9, 1.1),
            phase=rng.uniform(0, 6),
            floor_y=650 - 8 * i,
        )
        for i in range(num_people)
    ]
    scene = observe(people, seed=seed, noise=0.012, miss=0.05, hide_behind=0.15)
    tracks = track(scene.detections, times_s, image_size=IMAGE_SIZE)
    assert_one_track_each(tracks, scene, num_people)
    assert [one.track_id for one in tracks] == list(range(1, num_people + 1))
    assert all(len(one.frames) > 0.9 * len(times_s) for one in tracks)


def test_gaps_are_marked_and_boxes_interpolated() -> None:
    times_s = times(60)
    person = walker(times_s)
    person[20:35] = np.nan
    scene = observe([person])
    (one,) = track(scene.detections, times_s, image_size=IMAGE_SIZE)
    np.testing.assert_array_equal(one.frames, np.arange(60))
    np.testing.assert_array_equal(np.flatnonzero(one.detection_index < 0), np.arange(20, 35))
    centres = one.boxes_xyxy[18:37, [0, 2]].mean(axis=1)
    assert (np.diff(centres) > 0).all()


def test_who_comes_back_later_is_somebody_new() -> None:
    times_s = times(240)
    person = walker(times_s, start_x=300, speed_per_s=0.0)
    gap = int(30 * MAX_GAP_S) + 3
    person[80 : 80 + gap] = np.nan
    tracks = track(observe([person]).detections, times_s, image_size=IMAGE_SIZE)
    assert [(one.frames[0], one.frames[-1]) for one in tracks] == [(0, 79), (80 + gap, 239)]


def test_a_gap_is_measured_in_time_not_in_frames() -> None:
    times_s = np.concatenate([np.arange(30) / 30.0, 5.0 + np.arange(30) / 30.0])
    person = walker(times_s, start_x=300, speed_per_s=0.0)
    tracks = track(observe([person]).detections, times_s, image_size=IMAGE_SIZE)
    assert [(one.frames[0], one.frames[-1]) for one in tracks] == [(0, 29), (30, 59)]


@pytest.mark.parametrize("rate_hz", [1.0, 2.0, 3.0])
def test_people_are_followed_at_low_frame_rates(rate_hz: float) -> None:
    times_s = times(20, rate_hz=rate_hz)
    scene = observe(
        [walker(times_s, start_x=300, speed_per_s=0.0), walker(times_s, start_x=900, speed_per_s=0.0)]
    )
    tracks = track(scene.detections, times_s, image_size=IMAGE_SIZE)
    assert_one_track_each(tracks, scene, 2)
    assert [len(one.frames) for one in tracks] == [20, 20]


def test_a_detector_that_jumps_to_another_person_starts_a_new_track() -> None:
    times_s = times(90)
    here, there = walker(times_s, start_x=200), walker(times_s, start_x=900, speed_per_s=0.0)
    here[45:], there[:45] = np.nan, np.nan
    tracks = track(observe([here, there]).detections, times_s, image_size=IMAGE_SIZE)
    assert [(one.frames[0], one.frames[-1]) for one in tracks] == [(0, 44), (45, 89)]


def test_a_short_jump_to_a_bystander_leaves_the_person_in_one_track() -> None:
    times_s = times(90)
    here, there = walker(times_s, start_x=200), walker(times_s, start_x=1000, speed_per_s=0.0)
    here[45:50] = np.nan
    there[:45], there[50:] = np.nan, np.nan
    (one,) = track(observe([here, there]).detections, times_s, image_size=IMAGE_SIZE)
    assert len(one.frames) == 90
    np.testing.assert_array_equal(np.flatnonzero(one.detection_index < 0), np.arange(45, 50))


def test_two_detections_of_one_person_are_one() -> None:
    times_s = times(40)
    person = walker(times_s)
    rng = np.random.default_rng(0)
    found = [detection([pose, pose + rng.normal(0, 3.0, pose.shape)]) for pose in person]
    (one,) = track(found, times_s, image_size=IMAGE_SIZE)
    assert (one.detection_index >= 0).all()


def test_a_part_detected_again_for_a_moment_is_no_person() -> None:
    times_s = times(90)
    person = walker(times_s)
    upper = np.isin(np.arange(28), [*range(0, 13), 17, 18, 19, 26, 27])
    found = []
    for t, pose in enumerate(person):
        again = np.where(upper[:, None], pose + (5.0, 40.0), np.nan)
        found.append(detection([pose, again] if 30 <= t < 50 else [pose]))
    assert len(track(found, times_s, image_size=IMAGE_SIZE)) == 1


def test_a_child_before_a_parent_is_somebody_else() -> None:
    times_s = times(160, rate_hz=10.0)
    parent = walker(times_s, start_x=600, speed_per_s=0.0, view_rad=np.pi / 2)
    child = walker(
        times_s, start_x=610, speed_per_s=0.0, view_rad=np.pi / 2, height_px=250.0, floor_y=649.0, phase=1.0
    )
    child[:40], child[70:] = np.nan, np.nan
    scene = observe([child, parent], noise=0.005)
    assert_one_track_each(track(scene.detections, times_s, image_size=IMAGE_SIZE), scene, 2)
    for t, found in enumerate(scene.detections):  # less certain than the parent: a ghost
        scores = np.where(scene.owners[t] == 0, 0.3, found.scores)
        scene.detections[t] = dataclasses.replace(found, scores=scores)
    assert len(track(scene.detections, times_s, image_size=IMAGE_SIZE)) == 1


def test_short_lived_and_faint_detections_give_no_track() -> None:
    times_s = times(90)
    brief = walker(times_s)
    brief[10:] = np.nan
    assert track(observe([brief]).detections, times_s, image_size=IMAGE_SIZE) == []
    faint = [
        type(found)(
            found.boxes_xyxy, found.scores, found.keypoints_xy, 0.1 * found.keypoint_scores, found.skeleton
        )
        for found in observe([walker(times_s)]).detections
    ]
    assert track(faint, times_s, image_size=IMAGE_SIZE) == []


def test_furniture_with_the_proportions_of_no_person_gives_no_track() -> None:
    times_s = times(90)
    rng = np.random.default_rng(1)
    blob = (
        np.array([600.0, 500.0])
        + rng.normal(0.0, 1.0, (1, 28, 2)) * [8.0, 4.0]
        + rng.normal(0, 1.0, (90, 28, 2))
    )
    blob[:, 13:17, 1] += 30.0
    assert track(observe([blob]).detections, times_s, image_size=IMAGE_SIZE) == []


@pytest.mark.parametrize(("trunk", "legs"), [(0.1, 1.0), (0.02, 0.15)], ids=["bent", "above"])
def test_people_seen_along_the_trunk_are_followed(trunk: float, legs: float) -> None:
    times_s = times(60)
    person = walker(times_s, start_x=600, speed_per_s=0.0, view_rad=np.pi / 2)
    hips = person[:, [SLOTS.index("mid_hip")], 1]
    up = person[..., 1] - hips
    person[..., 1] = hips + np.where(up < 0, trunk, legs) * up
    seen = observe([person], noise=0.005).detections
    (one,) = track(seen, times_s, image_size=IMAGE_SIZE)
    assert (one.detection_index == 0).all()
    doubted = [dataclasses.replace(found, scores=np.full_like(found.scores, 0.7)) for found in seen]
    assert track(doubted, times_s, image_size=IMAGE_SIZE) == []


def test_unconfident_heads_and_tails_are_cut_off() -> None:
    times_s = times(90)
    scene = observe([walker(times_s)])
    for t in (*range(12), *range(75, 90)):
        found = scene.detections[t]
        scene.detections[t] = type(found)(
            found.boxes_xyxy, found.scores, found.keypoints_xy, 0.25 * found.keypoint_scores, found.skeleton
        )
    (one,) = track(scene.detections, times_s, image_size=IMAGE_SIZE)
    assert (one.frames[0], one.frames[-1]) == (12, 74)


def test_who_is_doubted_counts_only_between_certain_sights() -> None:
    times_s = times(60)
    scene = observe([walker(times_s)])
    doubtful = [*range(5), *range(20, 40), *range(55, 60)]
    for t in doubtful:
        found = scene.detections[t]
        scene.detections[t] = dataclasses.replace(found, scores=np.full_like(found.scores, 0.06))
    (found,) = track(scene.detections, times_s, image_size=IMAGE_SIZE)
    assert (found.frames[0], found.frames[-1]) == (5, 54)
    assert (found.detection_index == 0).all()


def test_leaving_the_picture_ends_the_track() -> None:
    times_s = times(120)
    person = walker(times_s, start_x=900, speed_per_s=0.8)
    (one,) = track(observe([person]).detections, times_s, image_size=IMAGE_SIZE)
    gone = np.flatnonzero((person[:, :, 0] > IMAGE_SIZE[0]).mean(axis=1) > 0.75)[0]
    assert abs(one.frames[-1] - gone) <= 1


@pytest.mark.parametrize("num_frames", [0, 1, 2])
def test_hardly_any_frames(num_frames: int) -> None:
    times_s = times(num_frames)
    scene = observe([walker(times_s)]) if num_frames else Scene([], [])
    assert track(scene.detections, times_s, image_size=IMAGE_SIZE) == []


def test_nobody() -> None:
    assert track([detection([])] * 50, times(50), image_size=IMAGE_SIZE) == []


def test_times_must_match_and_increase() -> None:
    found = [detection([])] * 3
    with pytest.raises(ValueError, match="3 frames of detections but 2 times"):
        track(found, np.array([0.0, 1.0]), image_size=IMAGE_SIZE)
    with pytest.raises(ValueError, match="times_s must increase strictly"):
        track(found, np.array([0.0, 1.0, 1.0]), image_size=IMAGE_SIZE)


def test_missing_keypoints_do_not_matter() -> None:
    times_s = times(60)
    rng = np.random.default_rng(3)
    people = [walker(times_s, start_x=200), walker(times_s, start_x=1000, speed_per_s=-0.6)]
    scene = observe(people, noise=0.01)
    for t, found in enumerate(scene.detections):
        hidden = rng.random(found.keypoint_scores.shape) < 0.4
        scene.detections[t] = type(found)(
            found.boxes_xyxy,
            found.scores,
            np.where(hidden[..., None], np.nan, found.keypoints_xy),
            np.where(hidden, 0.0, found.keypoint_scores),
            found.skeleton,
        )
    assert_one_track_each(track(scene.detections, times_s, image_size=IMAGE_SIZE), scene, 2)
