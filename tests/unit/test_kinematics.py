# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.synthetic import look_at, walking_motion
from vp3d_core.arrays import Array
from vp3d_core.camera import Camera, intrinsics_from_focal
from vp3d_core.fitting.body_shape import fit_body
from vp3d_core.kinematics import fit_skeleton
from vp3d_core.motion import Motion, forward_kinematics
from vp3d_core.rotations import quat_from_axis_angle, quat_multiply
from vp3d_core.skeletons import JOINTS, MOTION_SKELETON_NAMES

NUM_JOINTS = len(JOINTS.points)
X = np.array([1.0, 0.0, 0.0])


def joint(name: str) -> int:
    return MOTION_SKELETON_NAMES.index(name)


def turns_deg(motion: Motion, name: str) -> Array:
    """Return (T - 1,) how far a joint turns from frame to frame."""
    quats = motion.rotations[:, joint(name)]
    return np.degrees(2 * np.arccos(np.clip(np.abs((quats[1:] * quats[:-1]).sum(-1)), 0.0, 1.0)))


def noisy(joints: Array, sd_m: float, seed: int = 0) -> Array:
    return joints + np.random.default_rng(seed).normal(0.0, sd_m, joints.shape)


def fitted(joints: Array, *, rate_hz: float = 30.0, **options: object) -> Motion:
    defaults: dict[str, object] = {"smooth": False, "foot_lock": False}
    times_s = np.arange(len(joints)) / rate_hz
    return fit_skeleton(joints, times_s=times_s, frame_rate_hz=rate_hz, **(defaults | options))  # type: ignore[arg-type]


def test_a_motion_of_constant_bones_is_found_again(walking_motion: Motion) -> None:
    joints = walking_motion.joints_world()[:, :NUM_JOINTS]
    motion = fitted(joints)
    distances = np.linalg.norm(motion.joints_world()[:, :NUM_JOINTS] - joints, axis=-1)
    feet = [joint(f"{side}_{part}") for side in ("left", "right") for part in ("toe", "heel")]
    assert np.delete(distances, feet, axis=1).max() < 1e-6
    assert distances.max() < 0.005  # the foot's roll is averaged over some frames
    assert distances.mean() < 0.001
    assert motion.skeleton.names == MOTION_SKELETON_NAMES


def test_what_is_large_is_kept_small(walking_motion: Motion) -> None:
    motion = fitted(walking_motion.joints_world()[:, :NUM_JOINTS])
    assert motion.rotations.dtype == motion.confidence.dtype == np.float32
    assert motion.root_positions.dtype == np.float64


def test_bones_are_constant_and_the_same_on_both_sides(walking_motion: Motion) -> None:
    joints = noisy(walking_motion.joints_world()[:, :NUM_JOINTS], 0.02)
    joints[:, joint("left_knee")] += [0.0, 0.0, 0.03]
    motion = fitted(joints)
    found = motion.joints_world()
    for name in ("knee", "ankle", "elbow", "wrist", "hand"):
        lengths = []
        for side in ("left", "right"):
            end = joint(f"{side}_{name}")
            parent = motion.skeleton.parents[end]
            lengths.append(np.linalg.norm(found[:, end] - found[:, parent], axis=-1))
        assert np.ptp(np.concatenate(lengths)) < 1e-6  # rotations are float32
    assert np.abs(found[:, :NUM_JOINTS] - joints).mean() < 0.02


def test_bone_lengths_come_from_what_is_trusted(walking_motion: Motion) -> None:
    joints = walking_motion.joints_world()[:, :NUM_JOINTS].copy()
    true = fit_body(joints, confidence=np.ones(joints.shape[:2]))
    confidence = np.ones(joints.shape[:2])
    for side, frames in (("left", 60), ("right", 20)):  # 80 of the 120 lengths of a forearm
        elbow, wrist = joints[:frames, joint(f"{side}_elbow")], joints[:frames, joint(f"{side}_wrist")]
        wrist += 0.3 * (wrist - elbow)
        confidence[:frames, joint(f"{side}_wrist")] = 0.01
    body = fit_body(joints, confidence=confidence)
    assert body.rest_offsets[joint("left_wrist")] == pytest.approx(
        true.rest_offsets[joint("left_wrist")], abs=1e-6
    )


def test_the_rest_pose_is_a_t_pose_that_faces_minus_y(walking_motion: Motion) -> None:
    skeleton = fitted(walking_motion.joints_world()[:, :NUM_JOINTS]).skeleton
    rest, _ = forward_kinematics(skeleton, np.zeros((1, 3)), np.tile([1.0, 0, 0, 0], (1, 29, 1)))
    rest = rest[0]
    assert rest[joint("left_hand"), 0] > 0.6
    assert rest[joint("left_hand"), 2] == pytest.approx(rest[joint("left_shoulder"), 2], abs=1e-9)
    assert rest[joint("left_toe"), 1] < rest[joint("left_heel"), 1]
    assert rest[joint("nose"), 1] < rest[joint("left_ear"), 1]
    assert rest * [-1, 1, 1] == pytest.approx(
        rest[[MOTION_SKELETON_NAMES.index(mirrored(name)) for name in MOTION_SKELETON_NAMES]], abs=1e-9
    )


def mirrored(name: str) -> str:
    swap = {"left": "right", "right": "left"}
    side, _, part = name.partition("_")
    return f"{swap[side]}_{part}" if side in swap else name


def test_rotations_do_not_flip_while_limbs_are_nearly_straight() -> None:
    motion = walking_motion(4, num_frames=150)
    rotations = motion.rotations.copy()
    for name in ("left_knee", "right_knee", "left_elbow", "right_elbow"):
        rotations[:, joint(name)] = [1.0, 0.0, 0.0, 0.0]
    straight = dataclasses.replace(motion, rotations=rotations).joints_world()[:, :NUM_JOINTS]
    found = fitted(noisy(straight, 0.008), smooth=True)
    assert ((found.rotations[1:] * found.rotations[:-1]).sum(-1) > 0).all()
    for name in ("left_hip", "right_hip", "left_shoulder", "right_shoulder", "left_knee", "right_elbow"):
        assert turns_deg(found, name).max() < 30.0


def test_knees_bend_about_the_hinge_of_the_rest_pose(walking_motion: Motion) -> None:
    motion = fitted(walking_motion.joints_world()[:, :NUM_JOINTS])
    knee = motion.rotations[:, joint("left_knee")]
    bent = np.abs(knee[:, 0]) < np.cos(np.radians(10.0))
    axes = knee[bent, 1:] * np.sign(knee[bent, :1])
    assert bent.any()
    assert (axes / np.linalg.norm(axes, axis=-1, keepdims=True) @ X > 0.98).all()


def test_uneven_times_are_brought_to_a_constant_rate(walking_motion: Motion) -> None:
    fast = walking_motion_at(120.0)
    keep = np.sort(np.random.default_rng(0).choice(np.arange(1, 239), 140, replace=False))
    keep = np.concatenate([[0], keep, [239]])
    times_s = 5.0 + fast.times_s[keep]
    motion = fit_skeleton(
        fast.joints_world()[keep, :NUM_JOINTS], times_s=times_s, frame_rate_hz=30.0, foot_lock=False
    )
    assert motion.start_time_s == pytest.approx(5.0)
    assert motion.times_s[-1] == pytest.approx(times_s[-1], abs=1 / 30)
    wanted = fast.joints_world()[::4, :NUM_JOINTS]
    distances = np.linalg.norm(motion.joints_world()[: len(wanted), :NUM_JOINTS] - wanted, axis=-1)
    assert distances.mean() < 0.015


def walking_motion_at(rate_hz: float) -> Motion:
    return walking_motion(1, num_frames=240, frame_rate_hz=rate_hz)


def test_smoothing_takes_out_jitter(walking_motion: Motion) -> None:
    true = walking_motion.joints_world()[:, :NUM_JOINTS]
    joints = noisy(true, 0.015)

    def jitter(motion: Motion) -> float:
        return float(np.abs(np.diff(motion.joints_world(), n=3, axis=0)).mean())

    assert jitter(fitted(joints, smooth=True)) < 0.4 * jitter(fitted(joints))


def test_a_pelvis_seen_in_a_wrong_place_does_not_move_the_body(walking_motion: Motion) -> None:
    joints = walking_motion.joints_world()[:, :NUM_JOINTS].copy()
    joints[20:25, 0] += [0.0, 0.0, 0.10]
    motion = fitted(joints)
    assert np.abs(motion.root_positions - walking_motion.root_positions).max() < 0.03


def test_a_moving_camera_follows_the_frames(walking_motion: Motion) -> None:
    places = np.stack([look_at(np.array([0.1 * t, -4.0, 1.5]), np.zeros(3)) for t in range(60)])
    camera = Camera(intrinsics_from_focal(1000.0, image_size=(1280, 720)), None, places)
    motion = fit_skeleton(
        walking_motion.joints_world()[:, :NUM_JOINTS],
        times_s=walking_motion.times_s,
        frame_rate_hz=60.0,
        camera=camera,
        image_size=(1280, 720),
    )
    assert motion.camera is not None
    assert motion.camera.world_from_camera.shape == (119, 4, 4)
    assert motion.camera.world_from_camera[::2] == pytest.approx(places, abs=1e-9)


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_clips_of_few_frames(walking_motion: Motion, frames: int) -> None:
    joints = walking_motion.joints_world()[:frames, :NUM_JOINTS]
    motion = fitted(joints, smooth=True, foot_lock=True, contacts=walking_motion.contacts[:frames])
    assert len(motion.root_positions) == frames
    assert np.abs(motion.joints_world()[:, :NUM_JOINTS] - joints).mean() < 0.05


def test_folded_and_coinciding_joints_give_finite_rotations(walking_motion: Motion) -> None:
    joints = walking_motion.joints_world()[:, :NUM_JOINTS].copy()
    joints[10:20] = joints[10:20, :1]
    joints[30:40, joint("left_wrist")] = joints[30:40, joint("left_shoulder")]
    motion = fitted(joints, smooth=True, foot_lock=True)
    assert np.isfinite(motion.joints_world()).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joints_world": np.zeros((60, 17, 3))}, "joints_world has shape"),
        ({"joints_world": np.full((60, 25, 3), np.nan)}, "not finite"),
        ({"times_s": np.zeros(60)}, "increase"),
        ({"frame_rate_hz": 0.0}, "0.0 Hz"),
    ],
)
def test_wrong_input_is_refused(change: dict[str, object], message: str) -> None:
    given: dict[str, object] = {
        "joints_world": np.zeros((60, 25, 3)),
        "times_s": np.arange(60.0),
        "frame_rate_hz": 30.0,
    }
    given |= change
    with pytest.raises(ValueError, match=message):
        fit_skeleton(given.pop("joints_world"), **given)  # type: ignore[arg-type]


def test_a_turn_of_the_whole_body_is_the_pelvis_alone(walking_motion: Motion) -> None:
    joints = walking_motion.joints_world()[:, :NUM_JOINTS]
    quarter = quat_from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(np.pi / 2))
    turned = joints @ np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    before, after = fitted(joints).rotations, fitted(turned).rotations
    assert np.abs((after[:, 1:] * before[:, 1:]).sum(-1)) == pytest.approx(np.ones((60, 28)), abs=1e-6)
    pelvis = quat_multiply(np.tile(quarter, (60, 1)), before[:, 0])
    assert np.abs((after[:, 0] * pelvis).sum(-1)) == pytest.approx(np.ones(60), abs=1e-6)
