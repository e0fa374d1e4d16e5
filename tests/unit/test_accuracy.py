# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of captures whose errors are known: a true walk, moved, turned, scaled or delayed on purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import walking_motion
from vp3d_core.accuracy.comparison import compare_motion, joints_at
from vp3d_core.accuracy.ground_truth import GroundTruth, load_truth
from vp3d_core.accuracy.pose_errors import COMMON_JOINTS, pose_errors
from vp3d_core.accuracy.world_errors import aligned_at_first_frame, from_camera_footing, up_error_deg
from vp3d_core.arrays import Array
from vp3d_core.errors import InputError
from vp3d_core.motion import Motion
from vp3d_core.rotations import matrix_from_quat, quat_from_axis_angle, quat_multiply
from vp3d_core.skeletons import JOINTS

RATE_HZ = 30.0
COMMON = [JOINTS.index(joint) for joint in COMMON_JOINTS]
HEEL_M = 0.0051  # the synthetic heel stands this much lower than a heel is taken to
UP = np.array([0.0, 0.0, 1.0])


def truth_of(motion: Motion) -> GroundTruth:
    """Return a truth that says exactly what a motion says."""
    assert motion.camera is not None
    assert motion.image_size is not None
    frames = len(motion.root_positions)
    places = np.broadcast_to(motion.camera.world_from_camera, (frames, 4, 4))
    return GroundTruth(
        motion.joints_world()[:, : len(JOINTS.points)],
        motion.contacts,
        replace(motion.camera, world_from_camera=places),
        motion.frame_rate_hz,
        motion.image_size,
    )


def moved(motion: Motion, offset_m: tuple[float, float, float]) -> Motion:
    return replace(motion, root_positions=motion.root_positions + np.array(offset_m))


def turned_about_vertical(motion: Motion, angle_rad: float, *, with_camera: bool) -> Motion:
    """Turn the body, its path and, if asked, its camera about the world's vertical axis."""
    turn = quat_from_axis_angle(UP, np.array(angle_rad))
    matrix = np.eye(4)
    matrix[:3, :3] = matrix_from_quat(turn)
    rotations = motion.rotations.copy()
    rotations[:, 0] = quat_multiply(np.broadcast_to(turn, rotations[:, 0].shape), rotations[:, 0])
    camera = motion.camera
    if with_camera and camera is not None:
        camera = replace(camera, world_from_camera=matrix @ camera.world_from_camera)
    return replace(
        motion, root_positions=motion.root_positions @ matrix[:3, :3].T, rotations=rotations, camera=camera
    )


def test_the_truth_itself_has_no_error() -> None:
    motion = walking_motion(0)
    found = compare_motion(motion, truth_of(motion))
    assert found.frames == len(motion.root_positions)
    assert found.coverage == pytest.approx(1.0)
    pose, world = found.pose, found.world
    assert [pose.mpjpe_m, pose.p_mpjpe_m, pose.velocity_m_s] == pytest.approx([0.0] * 3, abs=1e-9)
    assert pose.jitter_ratio == pytest.approx(1.0)
    assert pose.limb_spread == pytest.approx(0.0, abs=1e-9)
    assert pose.limb_length_error == pytest.approx(0.0, abs=1e-9)
    assert [world.root_m, world.root_aligned_m] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert world.foot_height_m == pytest.approx(0.0, abs=HEEL_M)
    assert world.up_deg == pytest.approx(0.0, abs=1e-4)
    assert world.slide_m_s == pytest.approx(world.true_slide_m_s)


def test_a_world_with_another_origin_and_heading_has_no_error() -> None:
    motion = walking_motion(1)
    assert motion.camera is not None
    other = turned_about_vertical(motion, 1.1, with_camera=True)
    assert other.camera is not None
    places = other.camera.world_from_camera.copy()
    places[:2, 3] += [3.0, -2.0]
    other = replace(moved(other, (3.0, -2.0, 0.0)), camera=replace(other.camera, world_from_camera=places))
    found = compare_motion(other, truth_of(motion))
    assert found.world.root_m == pytest.approx(0.0, abs=1e-9)
    assert found.world.up_deg == pytest.approx(0.0, abs=1e-4)
    assert found.pose.mpjpe_m == pytest.approx(0.0, abs=1e-9)


def test_a_path_beside_the_true_one_is_wrong_in_place_only() -> None:
    motion = walking_motion(0)
    found = compare_motion(moved(motion, (0.3, 0.4, 0.0)), truth_of(motion))
    assert found.world.root_m == pytest.approx(0.5)
    assert found.world.root_aligned_m == pytest.approx(0.0, abs=1e-9)
    assert found.pose.mpjpe_m == pytest.approx(0.0, abs=1e-9)


def test_alignment_forgives_the_heading_and_nothing_that_comes_later() -> None:
    motion = walking_motion(0)
    true = motion.joints_world()
    heading = turned_about_vertical(motion, 0.7, with_camera=False).joints_world()
    assert np.allclose(aligned_at_first_frame(heading, true), true)
    drifting = true + np.linspace(0.0, 0.5, len(true))[:, None, None] * np.array([1.0, 0.0, 0.0])
    assert np.allclose(aligned_at_first_frame(drifting, true), drifting)


def test_feet_in_the_floor_are_penetration_and_feet_above_it_are_not() -> None:
    motion = walking_motion(0)
    deep = compare_motion(moved(motion, (0.0, 0.0, -0.05)), truth_of(motion)).world
    high = compare_motion(moved(motion, (0.0, 0.0, 0.05)), truth_of(motion)).world
    assert deep.penetration_m == pytest.approx(0.05, abs=0.01)
    assert deep.deepest_m >= deep.penetration_m
    assert high.penetration_m == pytest.approx(0.0, abs=1e-3)
    assert deep.foot_height_m == pytest.approx(0.05, abs=HEEL_M)
    assert high.foot_height_m == pytest.approx(0.05, abs=HEEL_M)


def test_sliding_is_counted_while_the_true_feet_stand() -> None:
    motion = walking_motion(0)
    assert (motion.contacts > 0.5).any()
    seconds = motion.times_s[:, None]
    sliding = replace(motion, root_positions=motion.root_positions + seconds * np.array([0.2, 0.0, 0.0]))
    found = compare_motion(sliding, truth_of(motion)).world
    assert found.true_slide_m_s == pytest.approx(0.0, abs=0.02)
    assert found.slide_m_s == pytest.approx(0.2, abs=0.02)


def test_a_body_that_is_too_large_shows_in_mpjpe_and_limbs_but_not_in_p_mpjpe() -> None:
    true = walking_motion(0).joints_world()[:, COMMON]
    found = pose_errors(1.1 * true, true, rate_hz=RATE_HZ)
    assert found.p_mpjpe_m == pytest.approx(0.0, abs=1e-9)
    assert found.mpjpe_m > 0.02
    assert found.limb_length_error == pytest.approx(0.1)
    assert found.limb_spread == pytest.approx(0.0, abs=1e-9)


def test_a_body_whose_limbs_breathe_has_a_spread() -> None:
    true = walking_motion(0, num_frames=60).joints_world()[:, COMMON]
    waves = 1.0 + 0.1 * np.sin(2 * np.pi * np.arange(60) / 20.0)[:, None, None]
    assert pose_errors(waves * true, true, rate_hz=RATE_HZ).limb_spread == pytest.approx(
        0.1 / np.sqrt(2), abs=1e-3
    )


def test_frames_without_a_pose_are_left_out_also_of_the_differences() -> None:
    true = walking_motion(0).joints_world()[:, COMMON]
    predicted = true.copy()
    predicted[20:25] = np.nan
    found = pose_errors(predicted, true, rate_hz=RATE_HZ)
    assert [found.mpjpe_m, found.velocity_m_s] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert found.jitter_ratio == pytest.approx(1.0)
    with pytest.raises(ValueError, match="at least 4"):
        pose_errors(np.full_like(true, np.nan), true, rate_hz=RATE_HZ)


def test_a_camera_that_is_believed_level_is_wrong_by_its_tilt() -> None:
    places = np.tile(np.eye(4), (3, 1, 1))
    tilt = np.eye(4)
    tilt[:3, :3] = matrix_from_quat(quat_from_axis_angle(np.array([1.0, 0.0, 0.0]), np.array(0.2)))
    assert up_error_deg(places, tilt @ places) == pytest.approx(np.degrees(0.2))


def test_the_camera_stands_above_the_origin_and_looks_along_y() -> None:
    motion = walking_motion(2)
    assert motion.camera is not None
    place = motion.camera.world_from_camera
    ahead: Array = (place[:3, 3] + 2.0 * place[:3, 2])[None, None]
    placed = from_camera_footing(np.concatenate([place[None, None, :3, 3], ahead], axis=1), place)[0]
    assert placed[0, :2] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert placed[1, 0] == pytest.approx(0.0, abs=1e-9)
    assert placed[1, 1] > 0.5


def test_a_motion_that_covers_half_of_the_clip_says_so() -> None:
    motion = walking_motion(0, num_frames=60)
    half = replace(
        motion,
        root_positions=motion.root_positions[30:],
        rotations=motion.rotations[30:],
        contacts=motion.contacts[30:],
        confidence=motion.confidence[30:],
        start_time_s=30 / RATE_HZ,
    )
    found = compare_motion(half, truth_of(motion))
    assert found.frames == 30
    assert found.coverage == pytest.approx(0.5, abs=0.05)
    assert found.world.root_m == pytest.approx(0.0, abs=1e-9)


def test_a_motion_of_another_rate_is_read_at_the_truths_times() -> None:
    motion = walking_motion(0, num_frames=60)
    joints, camera, covered = joints_at(motion, np.arange(119) / (2 * RATE_HZ))
    assert covered.all()
    assert np.allclose(joints[::2], motion.joints_world()[:, : len(JOINTS.points)])
    assert camera.world_from_camera.shape == (119, 4, 4)


def write_truth(path: Path, truth: GroundTruth, **changes: object) -> Path:
    arrays: dict[str, object] = {
        "format": "vp3d.render_truth",
        "version": 1,
        "joints_world": truth.joints_world[None],
        "contacts": truth.contacts[None],
        "intrinsics": truth.camera.intrinsics,
        "world_from_camera": truth.camera.world_from_camera,
        "frame_rate_hz": truth.frame_rate_hz,
        "image_size": np.array(truth.image_size),
    }
    np.savez(path, **{**arrays, **changes})  # type: ignore[arg-type]
    return path


def test_a_file_of_true_joints_is_read(tmp_path: Path) -> None:
    truth = truth_of(walking_motion(0))
    read = load_truth(write_truth(tmp_path / "truth.npz", truth))
    assert np.allclose(read.joints_world, truth.joints_world)
    assert read.image_size == truth.image_size
    assert read.times_s[1] == pytest.approx(1 / RATE_HZ)


def test_other_files_are_refused(tmp_path: Path) -> None:
    truth = truth_of(walking_motion(0))
    text = tmp_path / "text.npz"
    text.write_text("no archive", encoding="utf-8")
    for path, message in (
        (tmp_path / "missing.npz", "no file of true joints"),
        (text, "no file of true joints"),
        (write_truth(tmp_path / "other.npz", truth, format="something"), "is no vp3d.render_truth"),
        (write_truth(tmp_path / "newer.npz", truth, version=2), "of version 1"),
    ):
        with pytest.raises(InputError, match=message):
            load_truth(path)
    with pytest.raises(InputError, match="no number 1"):
        load_truth(write_truth(tmp_path / "one.npz", truth), person=1)
