# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.walkers import IMAGE_SIZE, Scene, detection, observe, times, walker
from vp3d_core.detect.select import as_slots, select_keypoints, select_tracks
from vp3d_core.detect.tracker import track
from vp3d_core.errors import InputError, NoPersonFound
from vp3d_core.keypoints import Detections2D, Keypoints2D, Track
from vp3d_core.skeletons import BLAZEPOSE_33, COCO_17, SLOTS

NUM_FRAMES = 90


@pytest.fixture
def scene() -> Scene:
    """Ids in order of appearance: 1 small and long, 2 large and shorter, 3 a glimpse."""
    times_s = times(NUM_FRAMES)
    small = walker(times_s, start_x=200, height_px=200, speed_per_s=0.1)
    large = walker(times_s, start_x=700, height_px=500, speed_per_s=0.1)
    glimpse = walker(times_s, start_x=1100, height_px=300, speed_per_s=0.1)
    large[:20] = np.nan
    glimpse[:30], glimpse[44:] = np.nan, np.nan
    return observe([small, large, glimpse])


@pytest.fixture
def tracks(scene: Scene) -> list[Track]:
    one, two = track(scene.detections, times(NUM_FRAMES), image_size=IMAGE_SIZE)[:2]
    rows = np.array([int(np.flatnonzero(scene.owners[f] == 2)[0]) for f in range(30, 44)])
    boxes = np.stack(
        [scene.detections[f].boxes_xyxy[row] for f, row in zip(range(30, 44), rows, strict=True)]
    )
    return [one, two, Track(3, np.arange(30, 44), boxes, rows)]


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (("all",), [2, 1]),
        (("largest",), [2]),
        (("longest",), [1]),
        (("largest", "longest"), [2, 1]),
        (("1",), [1]),
        (("1", "2"), [2, 1]),
        (("3",), [3]),
        (("3", "largest"), [2, 3]),
        (("1", "1"), [1]),
    ],
)
def test_choices(scene: Scene, tracks: list[Track], person: tuple[str, ...], expected: list[int]) -> None:
    chosen = select_tracks(tracks, scene.detections, times(NUM_FRAMES), person=person)
    assert [one.track_id for one in chosen] == expected


@pytest.mark.parametrize("choice", ["7", "nobody"])
def test_an_unknown_id_lists_the_known(scene: Scene, tracks: list[Track], choice: str) -> None:
    with pytest.raises(InputError, match=rf"no track '{choice}'; found are 1, 2, 3") as caught:
        select_tracks(tracks, scene.detections, times(NUM_FRAMES), person=(choice,))
    assert not isinstance(caught.value, NoPersonFound)


def test_nobody_at_all() -> None:
    with pytest.raises(NoPersonFound, match="No person was found in 40 frames"):
        select_tracks([], [detection([])] * 40, times(40), person=("all",))


def test_only_a_glimpse(scene: Scene, tracks: list[Track]) -> None:
    with pytest.raises(NoPersonFound, match=r"in 90 of 90 frames.*3 \(14 frames\); at least 15"):
        select_tracks(tracks[2:], scene.detections, times(NUM_FRAMES), person=("all",))


def test_a_short_video_needs_less() -> None:
    times_s = times(12)
    found = observe([walker(times_s)]).detections
    tracks = track(found, times_s, image_size=IMAGE_SIZE)
    assert [one.track_id for one in select_tracks(tracks, found, times_s, person=("all",))] == [1]


@pytest.mark.parametrize("num_frames", [1, 2])
def test_a_clip_too_short_to_follow_anybody_is_told_how_many_frames_are_needed(num_frames: int) -> None:
    times_s = times(num_frames)
    found = observe([walker(times_s)]).detections
    tracks = track(found, times_s, image_size=IMAGE_SIZE)
    told = rf"in {num_frames} of {num_frames} frames.*none; at least 3 frames are needed"
    with pytest.raises(NoPersonFound, match=told):
        select_tracks(tracks, found, times_s, person=("all",))


@pytest.mark.parametrize(("rate_hz", "num_seen", "found"), [(5.0, 8, [1]), (240.0, 48, None)])
def test_seconds_count_not_frames(rate_hz: float, num_seen: int, found: list[int] | None) -> None:
    times_s = times(2 * NUM_FRAMES, rate_hz=rate_hz)
    shown = walker(times_s, speed_per_s=0.0)
    shown[num_seen:] = np.nan
    detections = observe([shown]).detections
    rows = np.zeros(num_seen, dtype=int)
    boxes = np.stack([detections[frame].boxes_xyxy[0] for frame in range(num_seen)])
    tracks = [Track(1, np.arange(num_seen), boxes, rows)]
    if found is None:
        with pytest.raises(NoPersonFound, match=r"\(48 frames\); at least 90 frames"):
            select_tracks(tracks, detections, times_s, person=("all",))
    else:
        assert [one.track_id for one in select_tracks(tracks, detections, times_s, person=("all",))] == found


def test_slots_in_gaps_and_outside_the_picture() -> None:
    times_s = times(60)
    person = walker(times_s, start_x=1000)
    shown = person.copy()
    shown[20:25] = np.nan
    found = observe([shown]).detections
    (one,) = track(found, times_s, image_size=IMAGE_SIZE)
    keypoints = select_keypoints(one, found, times_s, image_size=IMAGE_SIZE)
    assert keypoints.skeleton is SLOTS
    assert_array_equal(keypoints.times_s, times_s[one.frames])
    seen = np.all(np.isfinite(keypoints.xy), axis=-1)
    assert_array_equal(keypoints.scores > 0, seen)
    assert not seen[20:25].any()
    assert_allclose(keypoints.xy[seen], person[one.frames][seen])
    assert not seen[person[one.frames][..., 0] > 1.03 * IMAGE_SIZE[0]].any()
    inside = person[one.frames][..., 0] < IMAGE_SIZE[0] - 1
    inside[20:25] = False
    assert seen[inside].all()


def one_detection(xy: np.ndarray, scores: np.ndarray, skeleton: object) -> tuple[Track, list[Detections2D]]:
    box = np.array([[0.0, 0.0, 500.0, 500.0]])
    found = Detections2D(box, np.ones(1), xy[None], scores[None], skeleton)  # type: ignore[arg-type]
    return Track(1, np.array([0]), box, np.array([0])), [found]


def test_blazepose_fills_hands_from_knuckles() -> None:
    rng = np.random.default_rng(0)
    xy = rng.uniform(10, 400, (33, 2)).astype(np.float32)  # what keypoints are kept as
    scores = rng.uniform(0.1, 1.0, 33).astype(np.float32)
    one, found = one_detection(xy, scores, BLAZEPOSE_33)
    keypoints = select_keypoints(one, found, np.array([2.5]), image_size=IMAGE_SIZE)
    for side in ("left", "right"):
        knuckles = [BLAZEPOSE_33.index(f"{side}_{finger}") for finger in ("index", "pinky")]
        assert_allclose(keypoints.xy[0, SLOTS.index(f"{side}_hand")], xy[knuckles].mean(axis=0))
        assert keypoints.scores[0, SLOTS.index(f"{side}_hand")] == scores[knuckles].min()
        toe = BLAZEPOSE_33.index(f"{side}_big_toe")
        assert_array_equal(keypoints.xy[0, SLOTS.index(f"{side}_big_toe")], xy[toe])
    absent = [
        SLOTS.index(name) for name in ("neck", "mid_hip", "head_top", "left_small_toe", "right_small_toe")
    ]
    assert np.isnan(keypoints.xy[0, absent]).all()
    assert np.isfinite(np.delete(keypoints.xy[0], absent, axis=0)).all()


def test_coco_fills_its_seventeen() -> None:
    rng = np.random.default_rng(0)
    xy = rng.uniform(10, 400, (17, 2)).astype(np.float32)  # what keypoints are kept as
    one, found = one_detection(xy, np.full(17, 1.2).clip(0, 1), COCO_17)
    keypoints = select_keypoints(one, found, np.array([0.0]), image_size=IMAGE_SIZE)
    assert_array_equal(keypoints.xy[0, :17], xy)
    assert np.isnan(keypoints.xy[0, 17:]).all()
    assert_array_equal(keypoints.scores[0, 17:], 0.0)
    plain = Keypoints2D(xy[None], np.ones((1, 17)), np.zeros(1), IMAGE_SIZE, COCO_17)
    assert_array_equal(as_slots(plain).xy, keypoints.xy)
    assert_array_equal(as_slots(plain).scores, keypoints.scores)
    assert as_slots(plain).skeleton is SLOTS


def place(one: Track, row: int) -> str:
    """Return the choice of whoever is where a track is on one of its frames."""
    x, y = (one.boxes_xyxy[row, :2] + one.boxes_xyxy[row, 2:]) / 2.0
    return f"at:{times(NUM_FRAMES)[one.frames[row]]:.3f}:{x:.1f}:{y:.1f}"


def test_a_place_chooses_who_is_there(scene: Scene, tracks: list[Track]) -> None:
    small, large = tracks[:2]
    for person, expected in (
        ((place(small, 30),), [1]),
        ((place(small, 10), place(large, 40)), [2, 1]),
        ((place(large, 5), place(large, 50), "at:1.0:5.0:5.0"), [2]),  # a place without anybody is no harm
    ):
        chosen = select_tracks(tracks, scene.detections, times(NUM_FRAMES), person=person)
        assert [one.track_id for one in chosen] == expected


def test_places_without_anybody_are_an_error(scene: Scene, tracks: list[Track]) -> None:
    with pytest.raises(InputError, match=r"Nobody is where the chosen person was; found are 1, 2, 3"):
        select_tracks(tracks, scene.detections, times(NUM_FRAMES), person=("at:1.0:5.0:5.0",))
    with pytest.raises(InputError, match="Nobody is where"):
        select_tracks(tracks, scene.detections, times(NUM_FRAMES), person=("at:60.0:200.0:500.0",))
