# SPDX-License-Identifier: GPL-3.0-or-later
"""The overlay shows the right people at the right place and time."""

from __future__ import annotations

import dataclasses
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from tests import clips
from tests.synthetic import look_at, seen_keypoints, seen_track, walking_motion
from vp3d_core.camera import Camera
from vp3d_core.errors import OutputError, VideoReadError
from vp3d_core.keypoints import Frame, Keypoints2D
from vp3d_core.motion import Motion
from vp3d_core.review.overlay import write_overlay
from vp3d_core.review.overlay_drawing import bone_colours
from vp3d_core.review.projected_motion import ProjectedMotion
from vp3d_core.review.thumbnails import TrackThumbnails
from vp3d_core.skeletons import SLOTS
from vp3d_core.video import FrameWriter, probe, read_frames

GREY = 90
TIMES_S = [0.0, 0.05, 0.1, 0.4, 0.43, 0.9]  # of the footage, at a variable rate


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    pictures = [np.full((720, 1280, 3), GREY, dtype=np.uint8)] * len(TIMES_S)
    return clips.write_clip(
        tmp_path / "footage.mp4", pictures, times_s=TIMES_S, options={"preset": "ultrafast"}
    )


@pytest.fixture
def late_motion(walking_motion: Motion) -> Motion:
    """The walking person, from 0.08 s on."""
    return dataclasses.replace(walking_motion, start_time_s=0.08)


def no_keypoints(image_size: tuple[int, int] = (1280, 720)) -> Keypoints2D:
    count = len(SLOTS.points)
    return Keypoints2D(np.full((1, count, 2), np.nan), np.zeros((1, count)), np.zeros(1), image_size, SLOTS)


def changed(frame: Frame, columns: slice = slice(None)) -> int:
    """Return how many pixels above the caption differ from the grey footage."""
    return int((np.abs(frame.rgb[:490, columns].astype(int) - GREY).max(axis=-1) > 40).sum())


def test_skeleton_is_where_the_camera_sees_it_and_only_while_it_lasts(
    footage: Path, tmp_path: Path, late_motion: Motion
) -> None:
    out = tmp_path / "overlay.mp4"
    progress: list[tuple[int, int | None]] = []
    write_overlay(footage, out, [late_motion], [no_keypoints()], on_progress=lambda *p: progress.append(p))

    frames = list(read_frames(out))
    np.testing.assert_allclose([f.time_s for f in frames], TIMES_S, atol=1e-3)
    assert [changed(f) > 300 for f in frames] == [False, False, True, True, True, True]
    assert progress == [(n, 6) for n in range(1, 7)]

    assert late_motion.camera is not None
    joints_xy = late_motion.camera.project_world_points(late_motion.joints_world())
    names = late_motion.skeleton.names
    for time_s, frame in zip(TIMES_S[2:], frames[2:], strict=True):
        row = round((time_s - 0.08) * 30)
        for name in ("left_knee", "right_elbow", "head_top"):
            x, y = np.round(0.75 * joints_xy[row, names.index(name)]).astype(int)  # 960 of 1280 px
            assert np.abs(frame.rgb[y - 6 : y + 7, x - 6 : x + 7].astype(int) - GREY).max() > 60, (
                name,
                time_s,
            )


def test_between_two_frames_the_motion_is_interpolated(late_motion: Motion) -> None:
    projected = ProjectedMotion.of(late_motion)
    assert projected is not None
    times_s = 0.08 + np.array([10.5, -0.6, 59.6, -0.4]) / 30
    xy, depths_m, covered = projected.at(times_s)
    camera = late_motion.camera
    assert camera is not None
    points = camera.camera_points(late_motion.joints_world())
    both = camera.project_camera_points(points[10:12])
    np.testing.assert_allclose(xy[0], both.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(depths_m[3], points[0, :, 2])
    assert covered.tolist() == [True, False, False, True]


def test_a_long_motion_is_projected_where_it_is_looked_at() -> None:
    motion = walking_motion(3, num_frames=700)
    assert motion.camera is not None
    expected = motion.camera.project_world_points(motion.joints_world())
    projected = ProjectedMotion.of(motion)
    assert projected is not None
    for rows in ([0], [255, 256], [699], [3], [100, 650], list(range(700))):
        xy, _, covered = projected.at(np.array(rows) / 30)
        np.testing.assert_allclose(xy, expected[rows], atol=1e-6)
        assert covered.all()


def test_a_moving_camera_and_none(late_motion: Motion) -> None:
    camera = late_motion.camera
    assert camera is not None
    eyes = np.linspace([4.0, -3.0, 1.5], [3.0, -4.0, 1.5], 60)
    poses = np.stack([look_at(eye, np.array([0.0, 0.0, 1.0])) for eye in eyes])
    moving = dataclasses.replace(late_motion, camera=Camera(camera.intrinsics, None, poses))
    projected = ProjectedMotion.of(moving)
    assert projected is not None
    one = Camera(camera.intrinsics, None, poses[30])
    xy, _, _ = projected.at(np.array([0.08 + 1.0]))
    np.testing.assert_allclose(xy[0], one.project_world_points(moving.joints_world()[30:31])[0], atol=1e-6)
    assert ProjectedMotion.of(dataclasses.replace(late_motion, camera=None)) is None


def test_keypoints_are_drawn_at_their_frames_coloured_by_score(footage: Path, tmp_path: Path) -> None:
    count = len(SLOTS.points)
    xy = np.full((2, count, 2), np.nan)
    scores = np.zeros((2, count))
    xy[:, 0], scores[:, 0] = (300, 200), 1.0
    xy[:, 1], scores[:, 1] = (700, 500), 0.05
    keypoints = Keypoints2D(xy, scores, np.array([0.05, 0.1]), (1280, 720), SLOTS)
    out = tmp_path / "overlay.mp4"
    write_overlay(footage, out, [], [keypoints])
    frames = list(read_frames(out))
    assert [changed(f) > 20 for f in frames] == [False, True, True, False, False, False]
    sure, unsure = frames[1].rgb[150, 225].astype(int), frames[1].rgb[375, 525].astype(int)
    assert sure[1] > sure[0] + 60
    assert unsure[0] > unsure[1] + 60


def test_large_and_odd_footage_is_made_smaller_and_even(tmp_path: Path) -> None:
    picture = np.full((1441, 2561, 3), GREY, dtype=np.uint8)
    footage = clips.write_clip(tmp_path / "4k.mov", [picture], codec="mjpeg", pixel_format="yuvj444p")
    keypoints = no_keypoints((2561, 1441))
    keypoints.xy[0, 0], keypoints.scores[0, 0] = (1800.0, 1000.0), 1.0
    out = tmp_path / "overlay.mp4"
    write_overlay(footage, out, [], [keypoints])
    assert probe(out).image_size == (960, 540)
    frame = next(iter(read_frames(out)))
    y, x = np.nonzero(np.abs(frame.rgb[:490].astype(int) - GREY).max(axis=-1) > 60)
    assert (x.mean(), y.mean()) == pytest.approx((674.4, 374.5), abs=1.0)


def test_part_of_the_footage(footage: Path, tmp_path: Path, late_motion: Motion) -> None:
    out = tmp_path / "part.mp4"
    seen: list[float] = []
    write_overlay(
        footage, out, [late_motion], [no_keypoints()],
        start_s=0.1, end_s=0.5, on_frame=lambda frame: seen.append(frame.time_s),
    )  # fmt: skip
    assert seen == pytest.approx([0.1, 0.4, 0.43], abs=1e-3)
    assert [f.time_s for f in read_frames(out)] == pytest.approx([0.0, 0.3, 0.33], abs=1e-3)


def test_nothing_is_left_when_it_is_cancelled_or_fails(
    footage: Path, tmp_path: Path, late_motion: Motion
) -> None:
    def cancel(done: int, total: int | None) -> None:
        if done == 2:
            raise KeyboardInterrupt

    before = sorted(os.listdir(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        write_overlay(footage, tmp_path / "o.mp4", [late_motion], [no_keypoints()], on_progress=cancel)
    with pytest.raises(VideoReadError):
        write_overlay(tmp_path / "missing.mp4", tmp_path / "o.mp4", [], [])
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_in_the_drawing_thread_surfaces_and_ends_all_threads(
    footage: Path, tmp_path: Path, error: type[BaseException]
) -> None:
    def fail(frame: Frame) -> None:
        if frame.time_s > 0.2:
            raise error("while drawing")

    before = sorted(os.listdir(tmp_path))
    with pytest.raises(error, match="while drawing"):
        write_overlay(footage, tmp_path / "o.mp4", [], [], on_frame=fail)
    assert sorted(os.listdir(tmp_path)) == before
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


def test_a_full_disk_ends_all_threads(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OutputError("The disk is full")

    monkeypatch.setattr(FrameWriter, "write", full)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(OutputError, match="disk is full"):
        write_overlay(footage, tmp_path / "o.mp4", [], [])
    assert sorted(os.listdir(tmp_path)) == before
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


def test_people_have_colours_of_their_own() -> None:
    families = [bone_colours(person) for person in range(6)]
    colours = [colour for family in families for colour in (family.left, family.right, family.centre)]
    assert len(set(colours)) == 18
    assert families[0].of("left_knee") == families[0].left
    assert families[0].of("right_ear") == families[0].right
    assert families[0].of("spine") == families[0].centre


def test_thumbnails_show_the_box_at_its_tallest(tmp_path: Path, walking_motion: Motion) -> None:
    del tmp_path
    keypoints = seen_keypoints(walking_motion)
    track = seen_track(keypoints, track_id=7)
    heights = np.where(track.detection_index >= 0, track.boxes_xyxy[:, 3] - track.boxes_xyxy[:, 1], 0)
    best = int(heights.argmax())
    thumbnails = TrackThumbnails([track], keypoints.times_s, image_width=1280)
    for index, time_s in enumerate(keypoints.times_s):
        thumbnails.see(Frame(index, float(time_s), np.full((360, 640, 3), index * 4, dtype=np.uint8)))
    picture = thumbnails.pictures[7]
    assert picture.shape[0] == 160
    assert (picture == best * 4).all()
