# SPDX-License-Identifier: GPL-3.0-or-later
"""Fitting a skeleton to the joints of a motion gives that motion back, wherever it looks."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.synthetic import walking_motion
from vp3d_core.arrays import Array
from vp3d_core.kinematics import fit_skeleton
from vp3d_core.motion import Motion, forward_kinematics
from vp3d_core.rotations import quat_from_axis_angle, quat_multiply
from vp3d_core.skeletons import MOTION_SKELETON_NAMES

FRAMES, RATE_HZ = 40, 30.0
X, Y, Z = np.eye(3)
# How far (rad) a joint of a moving person is turned at random about x, y and z, besides the walk.
FREEDOM = {
    "pelvis": (1.0, 1.0, 3.0), "spine": (0.4, 0.3, 0.3), "neck": (0.3, 0.2, 0.3), "head": (0.3, 0.2, 0.4),
    "left_clavicle": (0.0, 0.2, 0.2), "left_shoulder": (0.5, 0.5, 0.5), "left_elbow": (0.0, 0.0, 0.2),
    "left_wrist": (0.0, 0.6, 0.6), "right_shoulder": (0.5, 0.5, 0.5), "right_wrist": (0.0, 0.6, 0.6),
    "left_hip": (0.6, 0.3, 0.3), "right_hip": (0.6, 0.3, 0.3), "left_ankle": (0.3, 0.1, 0.2),
    "right_ankle": (0.3, 0.1, 0.2),
}  # fmt: skip


def lively_joints(seed: int) -> Array:
    """Return (T, 25, 3) positions of a walk with slow random turns of all joints."""
    rng = np.random.default_rng(seed)
    motion = walking_motion(seed, num_frames=FRAMES)
    rotations = motion.rotations.copy()
    times_s = np.arange(FRAMES) / RATE_HZ
    for name, freedom in FREEDOM.items():
        j = MOTION_SKELETON_NAMES.index(name)
        for axis, limit in zip((X, Y, Z), freedom, strict=True):
            wave = np.sin(2 * np.pi * rng.uniform(0.1, 0.8) * times_s + rng.uniform(0, 2 * np.pi))
            turn = quat_from_axis_angle(axis, limit * rng.uniform(0, 1) * wave)
            rotations[:, j] = quat_multiply(rotations[:, j], turn)
    return forward_kinematics(motion.skeleton, motion.root_positions, rotations)[0][:, :25]


def fitted(joints: Array, *, foot_lock: bool) -> Motion:
    return fit_skeleton(
        joints,
        times_s=np.arange(len(joints)) / RATE_HZ,
        frame_rate_hz=RATE_HZ,
        smooth=foot_lock,
        foot_lock=foot_lock,
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
def test_fit_and_forward_kinematics_are_inverse(seed: int) -> None:
    joints = lively_joints(seed)
    distances = np.linalg.norm(fitted(joints, foot_lock=False).joints_world()[:, :25] - joints, axis=-1)
    assert distances[:, :17].max() < 1e-6
    assert distances.max() < 0.015  # toes and heels: the foot's roll is averaged over some frames


@settings(max_examples=15, deadline=None)
@example(seed=1773, yaw=1.0, foot_lock=True)
@given(seed=st.integers(0, 2**31), yaw=st.floats(-np.pi, np.pi), foot_lock=st.booleans())
def test_a_turn_of_the_world_turns_the_motion(seed: int, yaw: float, foot_lock: bool) -> None:
    joints = lively_joints(seed)
    cosine, sine = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    first = fitted(joints, foot_lock=foot_lock).joints_world() @ turn.T
    second = fitted(joints @ turn.T, foot_lock=foot_lock).joints_world()
    np.testing.assert_allclose(second, first, atol=1e-6)
