# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses of a rig go into a BVH and come back where they were."""

from __future__ import annotations

import numpy as np
import pytest

from vp3d_core.arrays import Array
from vp3d_core.bvh import motion_from_bvh
from vp3d_core.bvh_data import bvh_kinematics, format_bvh, parse_bvh
from vp3d_core.motion import Motion, forward_kinematics
from vp3d_core.pose_bvh import BonePoses, bvh_from_poses
from vp3d_core.rotations import quat_from_axis_angle

NUM_FRAMES = 7


def poses_of(motion: Motion) -> BonePoses:
    """The joints of a motion as bones, parents first."""
    order = motion.skeleton.order()
    heads, turns = forward_kinematics(motion.skeleton, motion.root_positions, motion.rotations)
    rest = np.zeros((1, len(order), 4))
    rest[..., 0] = 1
    rest_heads = forward_kinematics(motion.skeleton, np.zeros((1, 3)), rest)[0][0]
    index = list(order)
    parents = [motion.skeleton.parents[joint] for joint in order]
    return BonePoses(
        tuple(motion.skeleton.names[joint] for joint in order),
        tuple(order.index(parent) if parent >= 0 else -1 for parent in parents),
        rest_heads[index],
        rest_heads[index] + [0, 0, 0.1],
        heads[:, index],
        turns[:, index],
    )


def heads_after(poses: BonePoses) -> dict[str, Array]:
    """World positions (T, 3) in metres of the joints that a BVH's text tells, by name."""
    data = parse_bvh(format_bvh(bvh_from_poses(poses, frames_per_second=24)))
    positions = bvh_kinematics(data)[0] / 100
    world = positions @ [[1, 0, 0], [0, 0, 1], [0, -1, 0]]  # y is up, -z the world's y
    return {name: world[:, row] for row, name in enumerate(data.names)}


def test_a_capture_comes_back(walking_motion: Motion) -> None:
    poses = poses_of(walking_motion)
    found = heads_after(poses)
    for bone, name in enumerate(poses.names):
        np.testing.assert_allclose(found[name], poses.heads[:, bone], atol=1e-4, err_msg=name)


def rig_below_still_root(*, roots: int) -> BonePoses:
    """Hips that move below a bone that does not, and other bones without parent."""
    frames = np.arange(NUM_FRAMES)
    heads = np.zeros((NUM_FRAMES, 2 + roots, 3))
    heads[:, 1] = np.stack([frames * 0.1, np.zeros(NUM_FRAMES), np.ones(NUM_FRAMES)], axis=-1)
    heads[:, 2] = heads[:, 1] + [0, 0, 0.5]
    turns = np.zeros((NUM_FRAMES, 2 + roots, 4))
    turns[..., 0] = 1
    turns[:, 2] = quat_from_axis_angle(np.array([0.0, 0.0, 1.0]), frames * 0.3)
    return BonePoses(
        ("bottom", "hips", "chest", "prop")[: 2 + roots],
        (-1, 0, 1, -1)[: 2 + roots],
        heads[0],
        heads[0] + [0, 0, 0.2],
        heads,
        turns,
    )


@pytest.mark.parametrize("roots", [1, 2])
def test_hips_move_below_a_root_that_stands_still(roots: int) -> None:
    poses = rig_below_still_root(roots=roots)
    data = bvh_from_poses(poses, frames_per_second=25)
    assert data.parents.count(-1) == 1
    assert data.frame_time_s == pytest.approx(0.04)
    found = heads_after(poses)
    for bone, name in enumerate(poses.names):
        np.testing.assert_allclose(found[name], poses.heads[:, bone], atol=1e-5, err_msg=name)
    np.testing.assert_allclose(found[f"{poses.names[-1]}_end"][0], poses.rest_tails[-1], atol=1e-5)


def test_our_reader_takes_it_as_z_up_metres(walking_motion: Motion) -> None:
    poses = poses_of(walking_motion)
    read = motion_from_bvh(bvh_from_poses(poses, frames_per_second=walking_motion.frame_rate_hz))
    np.testing.assert_allclose(read.root_positions, walking_motion.root_positions, atol=1e-6)
    assert read.frame_rate_hz == pytest.approx(walking_motion.frame_rate_hz)
