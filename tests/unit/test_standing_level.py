# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.seen_people import moved, seen, with_up
from vp3d_core.ground import estimate_world
from vp3d_core.motion import Motion
from vp3d_core.pose import Trajectory
from vp3d_core.skeletons import JOINTS
from vp3d_core.standing_level import body_scale, floor_drift, follow_drift, standing_level, to_world

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


def test_a_taller_person_is_made_taller_and_stands_on_the_floor(walking_motion: Motion) -> None:
    pose, trajectory = moved(walking_motion, (0.0, 0.0, 0.0))
    world = estimate_world([pose], [trajectory])
    shrunk = dataclasses.replace(pose, joints=pose.joints / 1.1)
    nearer = Trajectory(trajectory.root / 1.1)  # what a person of 1.87 m gives who is taken for 1.70 m
    level = standing_level(shrunk, nearer, world)
    assert level > 0.05
    assert body_scale(level, camera_height_m=float(world[2, 3])) == pytest.approx(1.1, abs=0.02)
    assert body_scale(2.0, camera_height_m=1.5) == 1.0
    assert body_scale(-1.5, camera_height_m=1.5) == 1.0
