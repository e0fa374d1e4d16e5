# SPDX-License-Identifier: GPL-3.0-or-later
"""Legs of a walk towards the camera, of which the lifter gave only a part in depth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vp3d_core.arrays import Array, IntArray
from vp3d_core.lift.standing_feet import hold_standing_feet
from vp3d_core.pose import Pose3D, Trajectory
from vp3d_core.skeletons import JOINTS

RATE_HZ, SPEED_M_S, STEP_S = 30.0, 1.2, 0.5
FEET = [JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("toe", "heel")]
ANKLES = [JOINTS.index("left_ankle"), JOINTS.index("right_ankle")]
SHRINK = 0.3


def walk_towards_the_camera(seconds: float = 4.0) -> tuple[Pose3D, Trajectory]:
    """Return a person whose feet stand in turn, half a second each, while the body moves on."""
    times_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    root = np.stack([0.0 * times_s, 0.0 * times_s, 8.0 - SPEED_M_S * times_s], axis=-1)
    joints = np.zeros((len(times_s), len(JOINTS.points), 3))
    contacts = np.zeros((len(times_s), 4))
    for side, name in enumerate(("left", "right")):
        phase = (times_s / STEP_S + side) % 2.0
        stands = phase < 1.0
        # The stance foot goes back under the body as fast as the body goes on; the other swings forward.
        ahead = np.where(stands, 0.5 - phase, phase - 1.5) * SPEED_M_S * STEP_S
        contacts[:, 2 * side : 2 * side + 2] = stands[:, None]
        for part, down_m, share in (
            ("knee", 0.4, 0.5),
            ("ankle", 0.8, 1.0),
            ("heel", 0.85, 1.0),
            ("toe", 0.86, 1.0),
        ):
            joint = JOINTS.index(f"{name}_{part}")
            joints[:, joint, 1] = down_m
            joints[:, joint, 2] = -share * ahead
    sigma, up = np.full(joints.shape[:2], 0.05), np.tile([0.0, -1.0, 0.0], (len(times_s), 1))
    return Pose3D(joints, times_s, sigma, contacts, up), Trajectory(root)


def shortened(pose: Pose3D) -> Pose3D:
    joints = pose.joints.copy()
    joints[..., 2] *= SHRINK
    return dataclasses.replace(pose, joints=joints)


def rows_of(pose: Pose3D, rows: IntArray) -> Pose3D:
    return Pose3D(pose.joints[rows], pose.times_s[rows], pose.sigma[rows], pose.contacts[rows], pose.up[rows])


def stance_speeds(pose: Pose3D, trajectory: Trajectory) -> Array:
    """Return the speed in depth of feet between frames in which they stand, m/s."""
    depths = (pose.joints + trajectory.root[:, None])[:, FEET, 2]
    standing = pose.contacts > 0.5
    return np.abs(np.diff(depths, axis=0) * RATE_HZ)[standing[1:] & standing[:-1]]


def test_a_true_walk_stays_as_it_is() -> None:
    pose, trajectory = walk_towards_the_camera()
    held = hold_standing_feet(pose, trajectory)
    assert np.abs(held.joints - pose.joints).max() < 0.03


def test_a_shortened_stride_gets_its_length_back() -> None:
    pose, trajectory = walk_towards_the_camera()
    short = shortened(pose)
    assert stance_speeds(short, trajectory).mean() > 0.5
    held = hold_standing_feet(short, trajectory)
    assert stance_speeds(held, trajectory).mean() < 0.15
    before = np.abs(short.joints - pose.joints)[15:-15, ANKLES, 2].mean()
    after = np.abs(held.joints - pose.joints)[15:-15, ANKLES, 2].mean()
    assert after < 0.4 * before


@pytest.mark.parametrize(("frames", "held"), [(2, False), (3, True)])
def test_a_stance_of_three_frames_is_held_and_a_shorter_one_is_not(frames: int, held: bool) -> None:
    pose, trajectory = walk_towards_the_camera()
    contacts = np.zeros_like(pose.contacts)
    contacts[6 : 6 + frames, :2] = 1.0
    short = dataclasses.replace(shortened(pose), contacts=contacts)
    moved = np.abs(hold_standing_feet(short, trajectory).joints - short.joints)[..., 2].max()
    assert moved > 0.005 if held else moved == 0.0


def test_joints_move_along_their_rays_only() -> None:
    pose, trajectory = walk_towards_the_camera()
    short = shortened(pose)
    held = hold_standing_feet(short, trajectory)
    before, after = (each.joints + trajectory.root[:, None] for each in (short, held))
    assert np.allclose(before[..., :2] / before[..., 2:], after[..., :2] / after[..., 2:])


def test_a_swinging_foot_that_is_called_standing_is_not_held() -> None:
    pose, trajectory = walk_towards_the_camera()
    short = shortened(pose)
    deceived = dataclasses.replace(short, contacts=np.ones_like(pose.contacts))
    found = hold_standing_feet(deceived, trajectory)
    wanted = hold_standing_feet(short, trajectory)
    error = np.abs(found.joints - wanted.joints)[15:-15, ANKLES, 2]
    assert error.mean() < 0.06


def test_a_swinging_foot_is_told_by_true_times() -> None:
    pose, trajectory = walk_towards_the_camera(seconds=14.0)
    slow = int(12.0 * RATE_HZ)
    keep = np.concatenate([np.arange(0, slow, 5), np.arange(slow, len(pose.times_s))])  # 6 Hz, then 30
    uneven = rows_of(shortened(pose), keep)
    deceived = dataclasses.replace(uneven, contacts=np.ones_like(uneven.contacts))
    path = Trajectory(trajectory.root[keep] + [0.0, 0.0, 20.0])  # all of it before the camera
    found, wanted = (hold_standing_feet(one, path) for one in (deceived, uneven))
    error = np.abs(found.joints - wanted.joints)[slow // 5 + 15 : -15, ANKLES, 2]
    assert error.mean() < 0.06


@pytest.mark.parametrize("frames", [1, 3])
def test_a_clip_of_a_few_frames_is_left_alone(frames: int) -> None:
    pose, trajectory = walk_towards_the_camera()
    few = rows_of(pose, np.arange(frames))
    held = hold_standing_feet(few, Trajectory(trajectory.root[:frames]))
    np.testing.assert_array_equal(held.joints, few.joints)
    assert not np.shares_memory(held.joints, few.joints)
