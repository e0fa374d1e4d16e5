# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way bones are turned about themselves, which the positions of joints do not show."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.synthetic import walking_motion
from vp3d_core.arrays import Array
from vp3d_core.kinematics import fit_skeleton
from vp3d_core.motion import Motion, forward_kinematics
from vp3d_core.rotations import IDENTITY, normalize, quat_from_axis_angle, quat_multiply, quat_rotate
from vp3d_core.skeletons import JOINTS, MOTION_SKELETON_NAMES

RATE_HZ = 30.0
X, Y, Z = np.eye(3)
SIDES = (("left", 1.0), ("right", -1.0))


def joint(name: str) -> int:
    return MOTION_SKELETON_NAMES.index(name)


def fitted(motion: Motion, *, noise_m: float = 0.0) -> Motion:
    joints = motion.joints_world()[:, : len(JOINTS.points)]
    joints = joints + np.random.default_rng(0).normal(0.0, noise_m, joints.shape)
    times_s = np.arange(len(joints)) / RATE_HZ
    return fit_skeleton(joints, times_s=times_s, frame_rate_hz=RATE_HZ, smooth=False, foot_lock=False)


def world_turns(motion: Motion, name: str) -> Array:
    """Return (T, 4) a joint's rotations in the world."""
    turns = forward_kinematics(motion.skeleton, motion.root_positions, motion.rotations)[1]
    return turns[:, joint(name)]


def angles_deg(first: Array, second: Array) -> Array:
    """Return (T,) the angle between two rotations of a joint."""
    return np.degrees(2 * np.arccos(np.clip(np.abs((first * second).sum(-1)), 0.0, 1.0)))


def posed(*turns: tuple[str, Array, Array | float], base: Motion | None = None) -> Motion:
    """Return a standing person (or another motion) with joints turned by (name, axis, angle in degrees)."""
    motion = base or walking_motion(1, num_frames=90)
    rotations = motion.rotations.copy() if base else np.tile(IDENTITY, (90, len(MOTION_SKELETON_NAMES), 1))
    for name, axis, angle_deg in turns:
        angle = np.broadcast_to(np.radians(angle_deg), (len(rotations),))
        rotations[:, joint(name)] = quat_multiply(
            rotations[:, joint(name)], quat_from_axis_angle(axis, angle)
        )
    return dataclasses.replace(motion, rotations=rotations)


@pytest.fixture(scope="module")
def twisted() -> Motion:
    """A walk with bent knees and elbows, whose spine, head, thighs and upper arms turn about themselves."""
    wave: Array = np.sin(2 * np.pi * 0.3 * np.arange(90) / RATE_HZ).astype(np.float64)
    turns: list[tuple[str, Array, Array | float]] = [
        (name, Z, 20 * wave) for name in ("spine", "thorax", "neck", "head")
    ]
    for side, sign in SIDES:
        turns += [
            (f"{side}_hip", Z, sign * (20 + 25 * wave)),
            (f"{side}_knee", X, 30 + 10 * wave),
            (f"{side}_shoulder", X, 30 * wave),
            (f"{side}_elbow", Z, -sign * (35 + 20 * wave)),
        ]
    return posed(*turns, base=walking_motion(1, num_frames=90))


@pytest.mark.parametrize(
    "name",
    ["spine", "thorax", "neck", "head"]
    + [f"{side}_{part}" for side, _ in SIDES for part in ("hip", "knee", "shoulder", "elbow")],
)
def test_bones_turn_about_themselves_as_they_did(twisted: Motion, name: str) -> None:
    errors = angles_deg(world_turns(fitted(twisted), name), world_turns(twisted, name))
    assert errors[5:-5].max() < 7.0  # at the ends the planes are averaged over one side


@pytest.mark.parametrize(("side", "sign"), SIDES)
def test_a_straight_arm_that_is_spread_bends_forward(side: str, sign: float) -> None:
    motion = fitted(posed())
    hinge = quat_rotate(world_turns(motion, f"{side}_shoulder"), -sign * Z)
    assert hinge @ (-sign * Z) == pytest.approx(np.ones(90), abs=0.01)


@pytest.mark.parametrize(("side", "sign"), SIDES)
def test_a_straight_arm_that_hangs_bends_forward(side: str, sign: float) -> None:
    motion = fitted(posed((f"{side}_shoulder", Y, sign * 90.0)))
    hinge = quat_rotate(world_turns(motion, f"{side}_shoulder"), -sign * Z)
    assert (hinge @ -X > np.cos(np.radians(30.0))).all()


def test_an_arm_that_is_straight_for_a_moment_keeps_its_plane() -> None:
    bend_deg = np.full(90, 60.0)
    bend_deg[38:52] = 0.0
    seen = posed(("left_shoulder", Y, 90.0), ("left_shoulder", X, 70.0), ("left_elbow", Z, -bend_deg))
    errors = angles_deg(world_turns(fitted(seen), "left_shoulder"), world_turns(seen, "left_shoulder"))

    assert errors.max() < 10.0


def test_noise_does_not_turn_the_forearm_of_a_folded_arm_about_itself() -> None:
    seen = posed(("left_shoulder", Y, 80.0), ("left_elbow", Z, -150.0))
    found = fitted(seen, noise_m=0.005)
    assert angles_deg(world_turns(found, "left_elbow"), world_turns(seen, "left_elbow")).max() < 10.0


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_straight_leg_bends_backward(side: str) -> None:
    motion = fitted(posed())
    hinge = quat_rotate(world_turns(motion, f"{side}_hip"), X)
    assert (hinge @ X > np.cos(np.radians(10.0))).all()


def wrist_bends_deg(motion: Motion) -> Array:
    """Return (T, 2) the angle between forearm and hand."""
    joints = motion.joints_world()
    bones = [
        normalize(np.stack([joints[:, joint(f"{side}_{end}")] - joints[:, joint(f"{side}_{start}")]
                            for side, _ in SIDES], axis=1))
        for start, end in (("elbow", "wrist"), ("wrist", "hand"))
    ]  # fmt: skip
    return np.degrees(np.arccos(np.clip((bones[0] * bones[1]).sum(-1), -1.0, 1.0)))


def test_a_hand_bends_as_far_as_a_wrist_can() -> None:
    for bend_deg in (30.0, 60.0):
        seen = posed(("left_wrist", Z, -bend_deg), ("right_wrist", Y, bend_deg))
        assert wrist_bends_deg(fitted(seen)) == pytest.approx(wrist_bends_deg(seen), abs=0.1)


def test_a_hand_that_is_folded_over_does_not() -> None:
    for bend_deg in (100.0, 150.0):
        seen = posed(("left_wrist", Z, -bend_deg), ("right_wrist", Y, bend_deg))
        assert wrist_bends_deg(seen).min() > 95.0
        assert wrist_bends_deg(fitted(seen)).max() < 85.1
