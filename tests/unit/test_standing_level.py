# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.seen_people import lying_down, seen, with_up
from vp3d_core.ground import estimate_world
from vp3d_core.motion import Motion
from vp3d_core.pose import Trajectory
from vp3d_core.skeletons import JOINTS
from vp3d_core.standing_level import body_scales, floor_drift, follow_drift, standing_level, to_world

TOE = JOINTS.index("left_toe")


def test_a_slow_drift_is_taken_out_and_a_jump_stays() -> None:
    times_s = np.arange(300) / 30.0
    joints = np.zeros((300, 25, 3))
    jump = np.zeros(300)
    air = slice(140, 160)
    jump[air] = 0.4 * np.sin(np.linspace(0, np.pi, 20))
    joints[..., 2] = 0.02 + jump[:, None] + 0.05 * times_s[:, None]
    contacts = np.ones((300, 4))
    contacts[air] = 0.0
    drift = floor_drift(joints, contacts=contacts, times_s=times_s)
    assert drift == pytest.approx(0.05 * times_s, abs=0.04)
    height = (joints[:, TOE, 2] - drift)[air].max()
    assert height == pytest.approx(0.42, abs=0.02)


def test_long_gaps_without_contact_keep_the_nearest_correction() -> None:
    times_s = np.arange(3000) / 30.0
    joints = np.full((3000, 25, 3), 0.3)
    contacts = np.zeros((3000, 4))
    contacts[:20] = 1.0
    drift = floor_drift(joints, contacts=contacts, times_s=times_s)
    assert drift == pytest.approx(np.full(3000, 0.278), abs=0.01)
    assert floor_drift(joints, contacts=0 * contacts, times_s=times_s).tolist() == [0.0] * 3000


def test_a_moving_picture_moves_the_camera_and_a_still_one_does_not(walking_motion: Motion) -> None:
    pose, trajectory = seen(walking_motion)
    pose = with_up(pose, walking_motion)
    world = estimate_world([pose], [trajectory])
    assert follow_drift(pose, trajectory, world).shape == (4, 4)
    assert walking_motion.camera is not None
    up = walking_motion.camera.world_from_camera[2, :3]
    rising = Trajectory(trajectory.root + np.linspace(0.0, 0.6, len(trajectory.root))[:, None] * up)
    for level_m in (0.0, 1.0):  # on the floor, and on a box
        path = Trajectory(rising.root + level_m * up)
        moving = follow_drift(pose, path, world)
        assert moving.shape == (len(trajectory.root), 4, 4)
        assert np.ptp(moving[:, 2, 3]) > 0.2
        joints = to_world(pose, path, world)
        seen_again = np.einsum("tji,tkj->tki", moving[:, :3, :3], joints - moving[:, None, :3, 3])
        assert np.allclose(seen_again, pose.joints + path.root[:, None], atol=1e-6)


def test_on_one_floor_sizes_are_as_one_over_depth_and_their_mean_is_one() -> None:
    sizes = np.array([1.3, 1.1, 0.6])
    factors, height_m = body_scales(1.5 / sizes, camera_height_m=9.0)
    assert factors == pytest.approx(sizes)
    assert height_m == pytest.approx(1.5)


def test_who_would_be_no_human_stands_on_something_else() -> None:
    factors, height_m = body_scales(np.array([0.2, 0.6, 1.5, -0.5]), camera_height_m=9.0)
    assert factors.tolist() == [1.0] * 4
    assert height_m == 1.5  # of as many people the lower ones are on the floor
    factors, height_m = body_scales(np.array([1.5, 1.5, 4.0]), camera_height_m=9.0)
    assert (factors.tolist(), height_m) == ([1.0] * 3, 1.5)  # of more people the floor is theirs


def test_a_camera_near_the_floor_tells_no_sizes() -> None:
    factors, height_m = body_scales(np.array([0.1, 0.2]), camera_height_m=0.15)
    assert (factors.tolist(), height_m) == ([1.0, 1.0], 0.15)


def test_without_contacts_the_lowest_feet_tell_the_level(walking_motion: Motion) -> None:
    pose, trajectory = seen(walking_motion)
    pose = with_up(pose, walking_motion)
    world = estimate_world([pose], [trajectory])
    raised = Trajectory(trajectory.root + 0.5 * world[2, :3])
    unsure = dataclasses.replace(pose, contacts=0 * pose.contacts)
    assert standing_level(unsure, raised, world) == pytest.approx(0.5, abs=0.03)


def test_who_would_lie_below_the_floor_is_lifted_and_the_camera_too(walking_motion: Motion) -> None:
    pose, trajectory = seen(walking_motion)
    person = with_up(pose, walking_motion), trajectory
    world = estimate_world([person[0]], [person[1]])
    pose, path = lying_down(person, walking_motion, since=20, descent_m=1.4)
    joints = to_world(pose, path, world)
    assert joints[40:, :, 2].min() > -0.15  # half a metre below it is seen
    moving = follow_drift(pose, path, world)
    seen_again = np.einsum("tji,tkj->tki", moving[:, :3, :3], joints - moving[:, None, :3, 3])
    assert np.allclose(seen_again, pose.joints + path.root[:, None], atol=1e-6)


def test_who_jumps_down_from_a_box_is_not_lifted(walking_motion: Motion) -> None:
    pose, trajectory = seen(walking_motion)
    person = with_up(pose, walking_motion), trajectory
    world = estimate_world([person[0]], [person[1]])
    raised = person[0], Trajectory(trajectory.root + 1.0 * world[2, :3])
    joints = to_world(*lying_down(raised, walking_motion, since=50, descent_m=1.4), world)
    assert joints[50:, 0, 2] == pytest.approx(np.full(10, 0.5), abs=0.1)
