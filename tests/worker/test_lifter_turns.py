# SPDX-License-Identifier: GPL-3.0-or-later
"""Whichever way the camera is turned, and whether left is right: the same person is lifted."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import seen_keypoints, walking_motion
from tests.worker.lifters import save_random_lifter
from vp3d_core.arrays import Array
from vp3d_core.lift.lifter import Lifter
from vp3d_core.motion import Motion
from vp3d_core.pose import Pose3D
from vp3d_core.rotations import matrix_from_quat, quat_from_axis_angle
from vp3d_core.skeletons import JOINTS, SLOTS

pytestmark = pytest.mark.worker

DOWN = np.array([0.0, 1.0, 0.0])


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return Lifter.load(device="cpu")


def lifted_by_turned_camera(lifter: Lifter, motion: Motion, yaw_deg: float) -> tuple[Pose3D, Array]:
    """Return a pose as a camera sees it that is turned to the right, and its rotation (3, 3)."""
    assert motion.camera is not None
    turn = matrix_from_quat(quat_from_axis_angle(DOWN, np.radians(yaw_deg)))
    world_from_camera = motion.camera.world_from_camera.copy()
    world_from_camera[:3, :3] = world_from_camera[:3, :3] @ turn
    camera = dataclasses.replace(motion.camera, world_from_camera=world_from_camera)
    keypoints = seen_keypoints(dataclasses.replace(motion, camera=camera), noise_px=0.0)
    return lifter.lift(keypoints, camera), turn


@pytest.mark.parametrize("yaw_deg", [-25.0, 25.0])
def test_a_turned_camera_turns_the_pose(lifter: Lifter, yaw_deg: float) -> None:
    motion = walking_motion(1, num_frames=90)
    straight, _ = lifted_by_turned_camera(lifter, motion, 0.0)
    turned, turn = lifted_by_turned_camera(lifter, motion, yaw_deg)
    assert np.linalg.norm(turned.joints - straight.joints, axis=-1).mean() > 0.06
    assert np.linalg.norm(turned.joints @ turn.T - straight.joints, axis=-1).mean() < 0.02
    assert ((turned.up @ turn.T * straight.up).sum(-1) > np.cos(np.radians(4.0))).all()


def test_the_mirrored_pass_gives_a_mirrored_up(tmp_path: Path) -> None:
    lifter = Lifter.load(save_random_lifter(tmp_path / "random.safetensors"), device="cpu", mirror=True)
    motion = walking_motion(1)
    assert motion.camera is not None
    seen = seen_keypoints(motion)
    xy = seen.xy[:, list(SLOTS.mirror)] * [-1.0, 1.0] + [seen.image_size[0] - 1.0, 0.0]
    mirrored = dataclasses.replace(seen, xy=xy, scores=seen.scores[:, list(SLOTS.mirror)])
    pose, other = lifter.lift(seen, motion.camera), lifter.lift(mirrored, motion.camera)
    assert np.abs(pose.up[:, 0]).max() > 0.1
    assert np.allclose(other.up, pose.up * [-1.0, 1.0, 1.0], atol=1e-4)
    assert np.allclose(other.joints, pose.joints[:, list(JOINTS.mirror)] * [-1.0, 1.0, 1.0], atol=1e-4)
