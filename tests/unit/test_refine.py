# SPDX-License-Identifier: GPL-3.0-or-later
"""Lifted joints brought in line with their keypoints and with limbs of constant length."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.synthetic import look_at, seen_keypoints, walking_motion
from vp3d_core.arrays import Array
from vp3d_core.body_proportions import BONES
from vp3d_core.camera import Camera
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.motion import Motion
from vp3d_core.pose import Pose3D, Trajectory
from vp3d_core.skeletons import JOINTS

pytest.importorskip("scipy")
from vp3d_core.lift.refine import limb_lengths, refine  # noqa: E402

LIMBS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
FEET = [JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("toe", "heel")]
LEGS = [*FEET, *(JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle"))]


@pytest.fixture(scope="module")
def walk() -> Motion:
    return walking_motion(3, num_frames=90)


def lifted(
    motion: Motion, joints: Array, *, sigma_m: float
) -> tuple[Pose3D, Trajectory, Keypoints2D, Camera]:
    """Return a lifter's answer (T, 25, 3) m, relative to the root, with the true path and keypoints."""
    assert motion.camera is not None
    root = motion.camera.camera_points(motion.joints_world()[:, :25])[:, 0]
    frames = len(joints)
    pose = Pose3D(
        joints,
        motion.times_s,
        np.full((frames, 25), sigma_m),
        np.zeros((frames, 4)),
        np.tile(motion.camera.world_from_camera[2, :3], (frames, 1)),
    )
    return pose, Trajectory(root), seen_keypoints(motion), motion.camera


def true_joints(motion: Motion) -> Array:
    assert motion.camera is not None
    joints = motion.camera.camera_points(motion.joints_world()[:, :25])
    return joints - joints[:, :1]


def lengths(joints: Array, parent: str, child: str) -> Array:
    ends = [
        joints[:, JOINTS.index(f"{side}_{child}")] - joints[:, JOINTS.index(f"{side}_{parent}")]
        for side in ("left", "right")
    ]
    return np.linalg.norm(np.stack(ends), axis=-1)


def error(joints: Array, truth: Array) -> float:
    return float(np.linalg.norm(joints - truth, axis=-1).mean())


def test_limbs_get_one_length_over_the_clip_and_both_sides(walk: Motion) -> None:
    truth = true_joints(walk)
    shaken = truth + np.random.default_rng(1).normal(0.0, 0.02, truth.shape) * (np.arange(25) > 0)[:, None]
    refined = refine(*lifted(walk, shaken, sigma_m=0.03), height_m=1.7).joints
    for parent, child in LIMBS:
        assert lengths(shaken, parent, child).std() > 0.008
        assert lengths(refined, parent, child).std() < 1e-3


def test_limbs_flattened_for_a_while_get_their_length_back_and_come_nearer_to_the_truth(walk: Motion) -> None:
    truth = true_joints(walk)
    flat = truth.copy()
    flat[60:, :, 2] *= 0.6  # the other frames tell how long the limbs are
    refined = refine(*lifted(walk, flat, sigma_m=0.08), height_m=1.7).joints
    bent = [JOINTS.index(f"{side}_{joint}") for side in ("left", "right") for _, joint in LIMBS]
    assert error(refined[60:, bent], truth[60:, bent]) < error(flat[60:, bent], truth[60:, bent])
    for parent, child in LIMBS:
        true_length = lengths(truth, parent, child).mean()
        short = np.abs(lengths(flat[60:], parent, child) - true_length).mean()
        assert np.abs(lengths(refined[60:], parent, child) - true_length).mean() < 0.5 * short + 0.01


def test_a_joint_beside_its_keypoint_is_pulled_to_it_as_far_as_the_lifter_is_unsure(walk: Motion) -> None:
    truth = true_joints(walk)
    beside = truth.copy()
    knee = JOINTS.index("left_knee")
    beside[:, knee, 0] += 0.06
    left = []
    for sigma_m in (0.01, 0.3):
        refined = refine(*lifted(walk, beside, sigma_m=sigma_m), height_m=1.7).joints
        left.append(float(np.abs(refined[:, knee, 0] - truth[:, knee, 0]).mean()))
    assert left[1] < 0.5 * left[0]


def test_hands_and_feet_move_with_wrist_and_ankle(walk: Motion) -> None:
    truth = true_joints(walk)
    flat = truth * np.array([1.0, 1.0, 0.7])
    pose, path, keypoints, camera = lifted(walk, flat, sigma_m=0.05)
    unseen = dataclasses.replace(
        keypoints, xy=np.full_like(keypoints.xy, np.nan), scores=np.zeros_like(keypoints.scores)
    )
    refined = refine(pose, path, unseen, camera, height_m=1.7).joints
    for end, carried in (("wrist", "hand"), ("ankle", "toe"), ("ankle", "heel")):
        e, c = JOINTS.index(f"left_{end}"), JOINTS.index(f"left_{carried}")
        assert np.allclose(refined[:, c] - refined[:, e], flat[:, c] - flat[:, e], atol=1e-6)


def test_the_root_stays(walk: Motion) -> None:
    refined = refine(*lifted(walk, true_joints(walk), sigma_m=0.05), height_m=1.7).joints
    assert np.abs(refined[:, 0]).max() == 0.0


def test_limb_lengths_lie_between_what_was_lifted_and_what_people_have(walk: Motion) -> None:
    joints = true_joints(walk)
    pose = lifted(walk, joints, sigma_m=0.05)[0]
    for (parent, child), length in zip(LIMBS, limb_lengths(pose, height_m=1.7).values(), strict=True):
        measured = float(np.quantile(lengths(joints, parent, child), 0.6))
        average = BONES[f"left_{child}"].share * 1.7
        assert min(measured, average) - 1e-9 <= length <= max(measured, average) + 1e-9
        assert abs(length - measured) <= 0.2 * abs(average - measured) + 1e-9


def test_feet_that_stand_get_their_strides_back_in_depth() -> None:
    motion = walking_motion(2, num_frames=90)
    way = (motion.root_positions[-1] - motion.root_positions[0]) * [1.0, 1.0, 0.0]
    middle = motion.root_positions[45] * [1.0, 1.0, 0.0] + [0.0, 0.0, 1.0]
    assert motion.camera is not None
    ahead = look_at(middle + 5.0 * way / np.linalg.norm(way), middle)
    motion = dataclasses.replace(motion, camera=dataclasses.replace(motion.camera, world_from_camera=ahead))
    truth = true_joints(motion)
    short = truth.copy()
    short[:, LEGS, 2] *= 0.4
    pose, path, keypoints, camera = lifted(motion, short, sigma_m=0.03)
    pose = dataclasses.replace(pose, contacts=motion.contacts)
    refined = refine(pose, path, keypoints, camera, height_m=1.7).joints
    assert error(refined[:, LEGS], truth[:, LEGS]) < 0.7 * error(short[:, LEGS], truth[:, LEGS])
