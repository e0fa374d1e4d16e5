# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest

from vp3d_core import bvh
from vp3d_core.errors import MotionFormatError, OutputError
from vp3d_core.motion import Motion
from vp3d_core.rotations import quat_from_axis_angle, quat_multiply

TWO_BONES = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Left Leg
  {
    OFFSET 10 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -40 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
1 90 3 0 0 0 0 0 0
1 90 3 90 0 0 0 0 0
"""


def test_centimetres_and_y_up_become_metres_and_z_up() -> None:
    motion = bvh.motion_from_bvh(bvh.parse_bvh(TWO_BONES))
    joints = motion.joints_world()
    assert motion.skeleton.names == ("Hips", "Left Leg", "Left Leg_end")
    assert motion.frame_rate_hz == pytest.approx(25.0)
    assert joints[0] == pytest.approx(np.array([[0.01, -0.03, 0.9], [0.11, -0.03, 0.9], [0.11, -0.03, 0.5]]))
    # A quarter turn about the file's z, which is the world's -y: x goes up.
    assert joints[1, 1] == pytest.approx([0.01, -0.03, 1.0])


def test_unit_and_axes_are_arguments() -> None:
    motion = bvh.motion_from_bvh(bvh.parse_bvh(TWO_BONES), unit_m=1.0, up="z", forward="y")
    assert motion.root_positions[0] == pytest.approx([1.0, 90.0, 3.0])
    with pytest.raises(ValueError, match="along one line"):
        bvh.motion_from_bvh(bvh.parse_bvh(TWO_BONES), up="y", forward="-y")
    with pytest.raises(ValueError, match="axis 'w' is unknown"):
        bvh.motion_from_bvh(bvh.parse_bvh(TWO_BONES), up="w")


def test_a_capture_survives_the_round_trip(tmp_path: Path, walking_motion: Motion) -> None:
    bvh.save(tmp_path / "walk.bvh", walking_motion)
    motion = bvh.load(tmp_path / "walk.bvh")
    assert set(motion.skeleton.names) == set(walking_motion.skeleton.names)
    order = [motion.skeleton.names.index(name) for name in walking_motion.skeleton.names]
    assert np.abs(motion.joints_world()[:, order] - walking_motion.joints_world()).max() < 1e-4
    assert motion.frame_rate_hz == pytest.approx(30.0)


def test_angles_go_on_without_jumps_from_part_to_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, walking_motion: Motion
) -> None:
    turns = np.linspace(0.0, 6.0 * np.pi, len(walking_motion.rotations))  # three times round
    spin = quat_from_axis_angle(np.array([0.0, 0.0, 1.0]), turns)
    rotations = walking_motion.rotations.copy()
    rotations[:, 0] = quat_multiply(spin, rotations[:, 0])
    motion = dataclasses.replace(walking_motion, rotations=rotations)
    whole = bvh.bvh_from_motion(motion).frames
    assert np.abs(np.diff(whole[:, 3:], axis=0)).max() < 180.0
    monkeypatch.setattr(bvh, "_FRAMES_AT_ONCE", 7)
    np.testing.assert_allclose(bvh.bvh_from_motion(motion).frames, whole, atol=1e-9)
    bvh.save(tmp_path / "spin.bvh", motion)
    np.testing.assert_allclose(bvh.parse_bvh((tmp_path / "spin.bvh").read_text()).frames, whole, atol=1e-6)


@pytest.mark.parametrize("frames_at_once", [7, 256])
def test_angles_go_through_the_lock_without_jumps(
    monkeypatch: pytest.MonkeyPatch, walking_motion: Motion, frames_at_once: int
) -> None:
    bends = np.linspace(0.0, np.radians(170.0), len(walking_motion.rotations))
    bends[30] = np.pi / 2  # in the lock
    knee = walking_motion.skeleton.names.index("left_knee")
    rotations = walking_motion.rotations.copy()
    aslant = quat_from_axis_angle(np.array([0.0, 1.0, 0.0]), np.full(len(bends), 0.01))
    rotations[:, knee] = quat_multiply(aslant, quat_from_axis_angle(np.array([1.0, 0.0, 0.0]), bends))
    monkeypatch.setattr(bvh, "_FRAMES_AT_ONCE", frames_at_once)
    frames = bvh.bvh_from_motion(dataclasses.replace(walking_motion, rotations=rotations)).frames
    assert np.abs(np.diff(frames[:, 3:], axis=0)).max() < 30.0


def test_the_file_is_in_the_usual_form(tmp_path: Path, walking_motion: Motion) -> None:
    bvh.save(tmp_path / "walk.bvh", walking_motion)
    lines = (tmp_path / "walk.bvh").read_text().splitlines()
    assert lines[:2] == ["HIERARCHY", "ROOT pelvis"]
    channels = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    assert lines[4].strip() == channels
    assert lines.count("MOTION") == 1
    assert lines[lines.index("MOTION") + 1] == "Frames: 60"
    assert sum(line.count("{") - line.count("}") for line in lines) == 0


def test_a_file_of_another_program_keeps_its_end_sites(tmp_path: Path) -> None:
    motion = bvh.motion_from_bvh(bvh.parse_bvh(TWO_BONES))
    bvh.save(tmp_path / "again.bvh", motion)
    assert bvh.load(tmp_path / "again.bvh").skeleton.names == motion.skeleton.names
    assert "End Site" in (tmp_path / "again.bvh").read_text()


def test_gimbal_lock_does_not_move_joints(tmp_path: Path) -> None:
    locked = TWO_BONES.replace("1 90 3 90 0 0 0 0 0", "1 90 3 30 90 40 20 -90 70")
    motion = bvh.motion_from_bvh(bvh.parse_bvh(locked))
    bvh.save(tmp_path / "locked.bvh", motion)
    assert bvh.load(tmp_path / "locked.bvh").joints_world() == pytest.approx(motion.joints_world(), abs=1e-6)


def test_a_joint_that_slides_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    sliding = TWO_BONES.replace(
        "CHANNELS 3 Zrotation", "CHANNELS 6 Xposition Yposition Zposition Zrotation"
    ).replace("0 0 0 0 0 0\n1 90 3 90 0 0 0 0 0", "0 0 0 10 0 0 0 0 0\n1 90 3 90 0 0 14 0 0 0 0 0")
    with caplog.at_level(logging.WARNING):
        motion = bvh.motion_from_bvh(bvh.parse_bvh(sliding))
    assert "'Left Leg' slides" in caplog.text
    assert motion.skeleton.rest_offsets[1] == pytest.approx([0.12, 0.0, 0.0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a video",
        TWO_BONES.split("MOTION")[0],
        TWO_BONES.replace("Frames: 2", "Frames: 3"),
        TWO_BONES.replace("OFFSET 10 0 0", "OFFSET ten 0 0"),
        TWO_BONES.replace("}\nMOTION", "MOTION"),
        TWO_BONES.replace("Frame Time: 0.04", "Frame Time: 0"),
        TWO_BONES.replace("Frames: 2", "Frames: 0"),
    ],
)
def test_what_is_no_bvh_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.bvh"
    path.write_text(text)
    with pytest.raises(MotionFormatError):
        bvh.load(path)


@pytest.mark.parametrize(
    ("there", "instead", "message"),
    [
        ("CHANNELS 3", "CHANNELS -2", "-2 channels were announced, expected 0 or more"),
        ("Frames: 2", "Frames: -1", "-1 frames were announced, expected 0 or more"),
        ("Frames: 2", "Frames: 3", "3 frames of 9 values were announced, 18 values found"),
        ("OFFSET 10 0 0", "OFFSET nan 0 0", "offsets holds 1 values that are not finite"),
        ("OFFSET 0 -40 0", "OFFSET 0 -inf 0", "offsets holds 1 values that are not finite"),
        ("Frame Time: 0.04", "Frame Time: 0", "a frame lasts 0.0 s, expected more than 0"),
        ("Frame Time: 0.04", "Frame Time: -0.04", "a frame lasts -0.04 s, expected more than 0"),
        ("Frame Time: 0.04", "Frame Time: inf", "a frame lasts inf s, expected .* less than infinity"),
        ("Frame Time: 0.04", "Frame Time: nan", "a frame lasts nan s"),
        ("Frame Time: 0.04", "Frame Time: 1e-320", "a frame lasts 1e-320 s"),
        ("}\nMOTION", "}\n}\nMOTION", "its braces do not match"),
        ("Frames: 2", "Frames: 0", "0 frames, expected at least one"),
    ],
)
def test_what_is_wrong_with_a_bvh_is_told(there: str, instead: str, message: str) -> None:
    assert there in TWO_BONES
    with pytest.raises(MotionFormatError, match=message) as raised:
        bvh.motion_from_bvh(bvh.parse_bvh(TWO_BONES.replace(there, instead)))
    assert raised.value.hint


def test_a_bvh_without_channels_is_refused_whatever_it_announces() -> None:
    lines = [line for line in TWO_BONES.splitlines() if "CHANNELS" not in line]
    text = "\n".join(lines).replace("Frames: 2", f"Frames: {10**15}")
    with pytest.raises(MotionFormatError, match="no joint has channels"):
        bvh.motion_from_bvh(bvh.parse_bvh(text))


def test_several_roots_are_refused() -> None:
    single = "ROOT Other\n{\n  OFFSET 0 0 0\n}\nMOTION"
    with pytest.raises(MotionFormatError, match="2 roots, expected one"):
        bvh.motion_from_bvh(bvh.parse_bvh(TWO_BONES.replace("MOTION", single)))


def test_names_may_repeat() -> None:
    motion = bvh.motion_from_bvh(bvh.parse_bvh(TWO_BONES.replace("Left Leg", "Hips")))
    assert motion.skeleton.names == ("Hips", "Hips", "Hips_end")


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "of a Windows program.bvh"
    path.write_text(TWO_BONES, encoding="utf-8-sig")
    assert bvh.load(path).skeleton.names == ("Hips", "Left Leg", "Left Leg_end")


def test_missing_files_and_folders_are_named(tmp_path: Path, walking_motion: Motion) -> None:
    for path in (tmp_path / "nothing.bvh", tmp_path):
        with pytest.raises(MotionFormatError, match="cannot be read") as raised:
            bvh.load(path)
        assert raised.value.hint
    with pytest.raises(OutputError, match="does not exist"):
        bvh.save(tmp_path / "nowhere" / "walk.bvh", walking_motion)


def test_empty_position_channels_keep_the_offset() -> None:
    six = TWO_BONES.replace(
        "CHANNELS 3 Zrotation Xrotation Yrotation",
        "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation",
    )
    empty = six.replace("1 90 3 0 0 0 0 0 0\n", "1 90 3 0 0 0 0.00001 0 0 0 0 0\n")
    empty = empty.replace("1 90 3 90 0 0 0 0 0\n", "1 90 3 90 0 0 0 0 0 0 0 0\n")
    expected, _ = bvh.bvh_kinematics(bvh.parse_bvh(TWO_BONES))
    positions, _ = bvh.bvh_kinematics(bvh.parse_bvh(empty))
    assert np.allclose(positions, expected)
    filled = empty.replace("0.00001 0 0 0 0 0\n", "20 0 0 0 0 0\n")
    positions, _ = bvh.bvh_kinematics(bvh.parse_bvh(filled))
    assert np.allclose(positions[0, 1] - positions[0, 0], [20.0, 0.0, 0.0])


def test_an_unknown_channel_and_a_value_that_is_no_number_are_refused() -> None:
    with pytest.raises(MotionFormatError, match="Wrotation"):
        bvh.parse_bvh(TWO_BONES.replace("Zrotation", "Wrotation"))
    with pytest.raises(MotionFormatError, match="not finite"):
        bvh.parse_bvh(TWO_BONES.replace("1 90 3 90", "1 nan 3 90"))
