# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: its figures' contents, its one file, and what it says."""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.synthetic import seen_keypoints, seen_track
from vp3d_core.errors import OutputError
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.motion import CONTACT_JOINTS, Motion
from vp3d_core.review.report import write_report
from vp3d_core.review.report_figures import MAX_TRACK_ROWS, feet_figure, path_figure, tracks_figure
from vp3d_core.review.report_numbers import (
    fit_warning,
    intervals,
    joint_heights,
    person_numbers,
    reprojection_errors,
)
from vp3d_core.video import VideoInfo

TIMES_S = np.arange(90) / 30


@pytest.fixture
def motion(walking_motion: Motion) -> Motion:
    """The walking person from frame 15 on, as track 3."""
    meta = {"models": {"detector": "detector-x", "lifter": "<lifter>"}, "track_id": 3, "height_m": 1.7}
    return dataclasses.replace(walking_motion, start_time_s=0.5, meta=meta)


@pytest.fixture
def keypoints(motion: Motion) -> Keypoints2D:
    return seen_keypoints(motion)


def info(name: str = "clip.mp4") -> VideoInfo:
    return VideoInfo(Path("folder") / name, 1280, 720, 30.0, 3.0, 90, "h264", "yuv420p", 90)


def test_one_file_that_needs_nothing_else(tmp_path: Path, motion: Motion, keypoints: Keypoints2D) -> None:
    thumbnail = np.full((160, 60, 3), (200, 10, 10), dtype=np.uint8)
    path = tmp_path / "Bericht ü.html"
    write_report(
        path,
        motions=[motion],
        keypoints=[keypoints],
        numbers=[person_numbers(motion, keypoints)],
        tracks=[seen_track(keypoints, track_id=3, first_frame=15)],
        times_s=TIMES_S,
        video_info=info("<script>alert('x') & \"Tänzerin\".mp4"),
        thumbnails={3: thumbnail},
        warnings=["The video ends <early>"],
    )

    text = path.read_text(encoding="utf-8")
    assert os.listdir(tmp_path) == [path.name]
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#x27;x&#x27;) &amp; &quot;Tänzerin&quot;.mp4" in text
    assert "The video ends &lt;early&gt;" in text
    for said in ("detector-x", "&lt;lifter&gt;", "1280 × 720 px, h264, turned by 90°", "90 frames", "1.70 m"):
        assert said in text
    assert "http" not in text
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(sources) == 2  # the person's thumbnail, in the table and beside the track
    for source in sources:
        kind, _, data = source.partition(",")
        assert kind == "data:image/png;base64"
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert (picture == (10, 10, 200)).all()  # OpenCV's order is blue, green, red
    charts = [ET.fromstring(chart) for chart in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]
    assert len(charts) == 5  # tracks, confidence, reprojection, path, feet
    assert "nan" not in "".join(ET.tostring(chart, "unicode") for chart in charts)


def test_nobody_captured(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, motions=[], keypoints=[], numbers=[], tracks=[], times_s=TIMES_S, video_info=info())
    assert "0 tracks" in path.read_text(encoding="utf-8")


def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    odd = dataclasses.replace(info(), path=Path(os.fsdecode(b"clip \xff.mp4")))
    write_report(path, motions=[], keypoints=[], numbers=[], tracks=[], times_s=TIMES_S, video_info=odd)
    assert "clip ?.mp4" in path.read_text(encoding="utf-8")


def test_failures_leave_nothing(tmp_path: Path, motion: Motion) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_report(
            tmp_path / "no" / "r.html",
            motions=[],
            keypoints=[],
            numbers=[],
            tracks=[],
            times_s=TIMES_S,
            video_info=info(),
        )
    with pytest.raises(ValueError, match="1 motions but 0"):
        write_report(
            tmp_path / "r.html",
            motions=[motion],
            keypoints=[],
            numbers=[],
            tracks=[],
            times_s=TIMES_S,
            video_info=info(),
        )
    assert os.listdir(tmp_path) == []


def test_reprojection_error_is_that_of_the_limbs(motion: Motion) -> None:
    exact = seen_keypoints(motion, noise_px=0.0)
    moved = dataclasses.replace(exact, xy=exact.xy + [3.0, 4.0])
    times_s, errors_px, errors_percent = reprojection_errors(motion, moved)
    np.testing.assert_allclose(times_s, motion.times_s)
    np.testing.assert_allclose(errors_px, 5.0)
    assert motion.camera is not None
    root_depth_m = motion.camera.camera_points(motion.root_positions)[:, 2]
    heights_px = motion.camera.intrinsics[1, 1] * 1.68 / root_depth_m  # head top to sole joints at rest
    np.testing.assert_allclose(errors_percent, 500.0 / heights_px, rtol=0.05)

    numbers = person_numbers(motion, moved)
    assert numbers.error_px == pytest.approx(5.0)
    assert (numbers.start_s, numbers.end_s) == pytest.approx((0.5, 0.5 + 59 / 30))
    assert fit_warning(numbers, name="Person 1") == ""
    far = dataclasses.replace(exact, xy=exact.xy + 0.08 * np.median(heights_px) * np.array([0.6, 0.8]))
    assert fit_warning(person_numbers(motion, far), name="Person 1").startswith(
        "Person 1 lies 8 % of the body's height"
    )
    assert numbers.path_m >= np.linalg.norm(motion.root_positions[-1] - motion.root_positions[0]) - 0.05


def test_a_slow_motion_is_compared_at_its_own_frames(motion: Motion) -> None:
    exact = seen_keypoints(motion, noise_px=0.0)
    slow = dataclasses.replace(
        motion,
        root_positions=motion.root_positions[::20],
        rotations=motion.rotations[::20],
        contacts=motion.contacts[::20],
        confidence=motion.confidence[::20],
        frame_rate_hz=motion.frame_rate_hz / 20,
    )
    times_s, errors_px, _ = reprojection_errors(slow, exact)
    np.testing.assert_allclose(times_s, slow.times_s)
    np.testing.assert_allclose(errors_px, 0.0, atol=1e-6)
    assert fit_warning(person_numbers(slow, exact), name="Person 1") == ""


def test_nothing_to_compare_is_nan(motion: Motion, keypoints: Keypoints2D) -> None:
    blind = dataclasses.replace(keypoints, scores=np.zeros_like(keypoints.scores))
    assert np.isnan(reprojection_errors(motion, blind)[1]).all()
    assert np.isnan(person_numbers(dataclasses.replace(motion, camera=None), keypoints).error_px)
    later = dataclasses.replace(keypoints, times_s=keypoints.times_s + 100.0)
    assert reprojection_errors(motion, later)[0].size == 0


def test_intervals() -> None:
    flags = np.array([True, True, False, True, False, False, True])
    assert intervals(flags) == [(0, 2), (3, 4), (6, 7)]
    assert intervals(np.zeros(3, dtype=bool)) == []


def test_track_bars_cover_the_time_they_were_seen(keypoints: Keypoints2D) -> None:
    track = seen_track(keypoints, track_id=3, first_frame=15)
    (panel,) = tracks_figure([track], TIMES_S, people=[3], thumbnails={}).panels
    spans = sorted((*bar.x, bar.opacity) for bar in panel.bars)
    expected = [(0.5, 1.5, 1.0), (1.5, 1.5 + 5 / 30, 0.3), (1.5 + 5 / 30, 2.5, 1.0)]
    np.testing.assert_allclose(spans, expected, atol=1e-9)
    assert panel.rows == ["track 3\nperson 1"]


def test_very_many_tracks_stay_readable(tmp_path: Path, keypoints: Keypoints2D) -> None:
    tracks = [seen_track(keypoints, track_id=number + 1) for number in range(MAX_TRACK_ROWS + 5)]
    (panel,) = tracks_figure(tracks, TIMES_S, people=[], thumbnails={}).panels
    assert panel.rows is not None
    assert len(panel.rows) == MAX_TRACK_ROWS
    path = tmp_path / "r.html"
    write_report(
        path, motions=[], keypoints=[], numbers=[], tracks=tracks, times_s=TIMES_S, video_info=info()
    )
    assert "The 40 longest of 45 tracks are shown." in path.read_text(encoding="utf-8")


def test_path_is_drawn_in_metres_at_equal_aspect(motion: Motion) -> None:
    (panel,) = path_figure([motion]).panels
    np.testing.assert_allclose(
        np.stack([panel.lines[0].x, panel.lines[0].y], 1), motion.root_positions[:, :2]
    )
    scales = [
        size / (high - low)
        for size, (low, high) in zip(panel.size_px, (panel.x_limits, panel.y_limits), strict=True)
    ]
    assert scales[0] == pytest.approx(scales[1])
    standing = dataclasses.replace(motion, root_positions=np.zeros_like(motion.root_positions))
    (panel,) = path_figure([standing]).panels
    assert panel.x_limits == pytest.approx((-0.25, 0.25))


def test_feet_are_shaded_while_they_stand(motion: Motion) -> None:
    left, right = feet_figure(motion).panels
    heights_cm = 100 * joint_heights(motion, CONTACT_JOINTS)
    (heel,) = [line for line in left.lines if line.label == "heel"]
    np.testing.assert_allclose(heel.y, heights_cm[:, CONTACT_JOINTS.index("left_heel")])
    on_a_box = dataclasses.replace(motion, meta=motion.meta | {"standing_height_m": 0.9})
    np.testing.assert_allclose(feet_figure(on_a_box).panels[0].lines[1].y, left.lines[1].y - 90.0)
    contacts = motion.contacts > 0.5
    assert len(left.bars) == sum(len(intervals(contacts[:, column])) for column in (0, 1))
    assert len(right.bars) == sum(len(intervals(contacts[:, column])) for column in (2, 3))
