# SPDX-License-Identifier: GPL-3.0-or-later
"""Mocap files of every known family: joints land where they should, at our size, axes and rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tests.mocap_files import (
    LEG_M,
    RIG_NAMES,
    TRUNK_M,
    Performance,
    bvh_text,
    heading,
    performed,
    rest_parts,
    standing,
    walking,
)
from vp3d_core.arrays import Array
from vp3d_core.errors import MotionFormatError
from vp3d_core.skeletons import JOINTS
from vp3d_core.train.mocap import CLIP_RATE_HZ, MocapClip, read_mocap
from vp3d_core.train.mocap_rigs import RIGS, MocapRig

PAIRS = ("hip", "knee", "ankle", "toe", "heel", "shoulder", "elbow", "wrist", "hand", "ear")


def family(name: str) -> MocapRig:
    return next(rig for rig in RIGS if rig.name == name)


def read(
    folder: Path, rig_name: str, performance: Performance, *, rate_hz: float = 60.0, name: str = "x"
) -> MocapClip:
    path = folder / f"{rig_name}.bvh"
    path.write_text(bvh_text(family(rig_name), performance, rate_hz=rate_hz, unit_m=0.0254))
    return read_mocap(path, name=name)


def at(clip: MocapClip, joint: str) -> Array:
    return clip.joints[:, JOINTS.index(joint)]


def between(clip: MocapClip, a: str, b: str) -> Array:
    return np.linalg.norm(at(clip, a) - at(clip, b), axis=-1)


@pytest.mark.parametrize("rig_name", RIG_NAMES)
def test_a_standing_person_stands(tmp_path: Path, rig_name: str) -> None:
    clip = read(tmp_path, rig_name, standing())
    assert clip.joints.shape[1:] == (25, 3)
    for pair in PAIRS:
        left = at(clip, f"left_{pair}") - at(clip, f"right_{pair}")
        assert (left[:, 0] > 0.10).all(), pair  # facing -y, left is +x
        assert np.abs(left[:, 1:]).max() < 0.01, pair
    for front, back in (("nose", "left_ear"), ("left_toe", "left_heel"), ("right_toe", "right_heel")):
        assert (at(clip, back)[:, 1] - at(clip, front)[:, 1] > 0.05).all(), front
    assert (clip.joints[..., 2].argmax(1) == JOINTS.index("head_top")).all()
    assert np.abs(at(clip, "head_top")[:, 2] - 1.70).max() < 0.08
    for side in ("left", "right"):
        assert np.abs(at(clip, f"{side}_toe")[:, 2] - 0.02).max() < 0.006
        assert np.abs(at(clip, f"{side}_heel")[:, 2] - 0.025).max() < 0.006
    assert (clip.contacts > 0.9).all()


@pytest.mark.parametrize("rig_name", RIG_NAMES)
def test_proportions_are_those_of_a_body_of_170_cm(tmp_path: Path, rig_name: str) -> None:
    clip = read(tmp_path, rig_name, standing())
    for side in ("left", "right"):
        leg = between(clip, f"{side}_hip", f"{side}_knee") + between(clip, f"{side}_knee", f"{side}_ankle")
        assert np.allclose(leg, LEG_M, atol=0.005)
    shoulders = (at(clip, "left_shoulder") + at(clip, "right_shoulder")) / 2
    assert np.allclose(np.linalg.norm(shoulders - at(clip, "pelvis"), axis=-1), TRUNK_M, atol=0.01)


@pytest.mark.parametrize("rig_name", RIG_NAMES)
def test_a_walking_person_walks_where_they_look(tmp_path: Path, rig_name: str) -> None:
    performance = walking(90, heading_rad=0.7)
    clip = read(tmp_path, rig_name, performance)
    count = len(clip.joints)
    assert count in (89, 90)  # the last frame may be cut off
    path = (at(clip, "pelvis")[-1] - at(clip, "pelvis")[0]) * [1.0, 1.0, 0.0]
    assert np.allclose(path / np.linalg.norm(path), heading(0.7), atol=0.02)
    forward = clip.segments[..., 0] @ heading(0.7)
    assert forward.min() > 0.97
    assert (clip.segments[..., 2, 2] > 0.97).all()
    identity = np.swapaxes(clip.segments, -1, -2) @ clip.segments
    assert np.allclose(identity, np.eye(3), atol=1e-5)
    assert (np.linalg.det(clip.segments) > 0.99).all()
    true = performed(performance)
    for joint in ("left_knee", "right_knee", "left_ankle", "left_elbow", "right_wrist"):
        error = at(clip, joint) - true[joint][:count]
        assert np.linalg.norm(error - error.mean(0), axis=-1).max() < 0.01, joint
        assert np.linalg.norm(error.mean(0)) < 0.02, joint


def test_an_added_first_frame_is_dropped(tmp_path: Path) -> None:
    clip = read(tmp_path, "cmu", walking(60))
    kept = read(tmp_path, "snu", walking(60))
    assert len(clip.joints) == len(kept.joints)
    assert np.abs(clip.joints).max() < 3.0  # the added frame stands 9 m away


@pytest.mark.parametrize("rate_hz", [24.0, 30.0, 60.0, 120.0, 240.0])
def test_every_rate_becomes_ours(tmp_path: Path, rate_hz: float) -> None:
    seconds = 2.0
    performance = walking(round(seconds * rate_hz), rate_hz=rate_hz)
    clip = read(tmp_path, "motionbuilder", performance, rate_hz=rate_hz)
    assert abs(len(clip.joints) - seconds * CLIP_RATE_HZ) <= 60.0 / rate_hz + 2
    # The same body at the same time, half a source frame more or less.
    walked = np.diff(at(clip, "pelvis")[:, 1]).mean() * CLIP_RATE_HZ
    assert walked == pytest.approx(-1.2, abs=0.01)
    ours = read(tmp_path, "motionbuilder", walking(120))
    shared = min(len(clip.joints), len(ours.joints)) - 3
    error = np.linalg.norm(clip.joints[3:shared] - ours.joints[3:shared], axis=-1)
    assert error.mean() < 0.03


def test_a_lifted_foot_has_no_contact_and_a_slope_has_no_labels(tmp_path: Path) -> None:
    performance = standing(60)
    right_leg = np.tile(np.eye(3), (60, 1, 1))
    right_leg[20:40] = Rotation.from_rotvec([1.2, 0.0, 0.0]).as_matrix()  # shank held up behind
    performance.turns["right_knee"] = right_leg
    clip = read(tmp_path, "motionbuilder", performance)
    assert (clip.contacts[25:35, :2] > 0.9).all()
    assert (clip.contacts[25:35, 2:] < 0.05).all()
    slope = read(tmp_path, "motionbuilder", performance, name="snu_walking/slope_up.bvh")
    assert np.isnan(slope.contacts).all()


def test_a_single_pose_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    clip = read(tmp_path, "makehuman", standing(1))
    assert clip.joints.shape == (1, 25, 3)
    assert np.isnan(clip.contacts).all()


def test_the_unit_of_the_file_does_not_matter(tmp_path: Path) -> None:
    rig = family("animated_drawings")
    clips = []
    for unit_m in (1.0, 0.0564):
        path = tmp_path / "units.bvh"
        path.write_text(bvh_text(rig, walking(30), unit_m=unit_m))
        clips.append(read_mocap(path))
    assert np.allclose(clips[0].joints, clips[1].joints, atol=1e-4)


def test_an_unknown_skeleton_is_named(tmp_path: Path) -> None:
    path = tmp_path / "robot.bvh"
    path.write_text(bvh_text(family("cmu"), standing()).replace("LeftUpLeg", "Wheel"))
    with pytest.raises(MotionFormatError, match="robot.bvh: the skeleton .*no known family"):
        read_mocap(path)


def test_amc_needs_its_asf(tmp_path: Path) -> None:
    path = tmp_path / "01_01.amc"
    path.write_text(":DEGREES\n1\nroot 0 0 0 0 0 0\n")
    with pytest.raises(MotionFormatError, match="no .asf skeleton beside it"):
        read_mocap(path)


def test_the_made_up_body_is_symmetric() -> None:
    parts = rest_parts()
    for part, (_, place) in parts.items():
        if part.startswith("left_"):
            assert np.allclose(parts[part.replace("left", "right")][1], place * [-1.0, 1.0, 1.0])


def test_a_collapsed_body_is_refused(tmp_path: Path) -> None:
    text = bvh_text(family("cmu"), standing(), rate_hz=60.0, unit_m=0.0254).splitlines()
    leg = next(i for i, line in enumerate(text) if "LeftLeg" in line)
    offset = next(i for i in range(leg, len(text)) if "OFFSET" in text[i])
    text[offset] = "OFFSET 0 0 0"
    path = tmp_path / "collapsed.bvh"
    path.write_text("\n".join(text) + "\n")
    with pytest.raises(MotionFormatError, match="from left_hip to left_knee"):
        read_mocap(path)


def test_a_head_that_hangs_down_is_refused(tmp_path: Path) -> None:
    performance = walking(60)
    upside_down = Rotation.from_rotvec([np.pi, 0.0, 0.0]).as_matrix()
    performance.turns["head"] = performance.turns["head"] @ upside_down
    with pytest.raises(MotionFormatError, match="head is upside down on the chest in 100%"):
        read(tmp_path, "motionbuilder", performance)
