# SPDX-License-Identifier: GPL-3.0-or-later
"""Mocap whose knees never extend is straightened; legs that do are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from vp3d_core.arrays import Array
from vp3d_core.skeletons import JOINTS
from vp3d_core.train.knees import straighten_knees, with_straight_knees
from vp3d_core.train.mocap import MocapClip

THIGH_M, SHANK_M = 0.42, 0.41
FEET = [JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("toe", "heel")]


def index(side: str, *parts: str) -> list[int]:
    return [JOINTS.index(f"{side}_{part}") for part in parts]


def flexion_deg(joints: Array, side: str) -> Array:
    hip, knee, ankle = (joints[:, j] for j in index(side, "hip", "knee", "ankle"))
    cosine = ((knee - hip) * (ankle - knee)).sum(axis=-1) / (
        np.linalg.norm(knee - hip, axis=-1) * np.linalg.norm(ankle - knee, axis=-1)
    )
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def marching(least_deg: float) -> Array:
    """Return somebody (120, 25, 3) who lifts the feet in turn, knees bent by ``least_deg`` and more."""
    joints = np.zeros((120, 25, 3))
    joints[..., 2] = 1.2
    for side, y, phase in (("left", 0.1, 0.0), ("right", -0.1, np.pi)):
        bent = np.radians(least_deg + 25.0 * (1.0 - np.cos(np.linspace(0.0, 6 * np.pi, 120) + phase)))
        hip, knee, ankle, toe, heel = index(side, "hip", "knee", "ankle", "toe", "heel")
        joints[:, hip] = [0.0, y, 0.9]
        thigh = np.stack([np.sin(bent / 2), 0 * bent, -np.cos(bent / 2)], axis=-1)
        shank = thigh * [-1.0, 1.0, 1.0]
        joints[:, knee] = joints[:, hip] + THIGH_M * thigh
        joints[:, ankle] = joints[:, knee] + SHANK_M * shank
        joints[:, toe], joints[:, heel] = (joints[:, ankle] + [x, 0.0, -0.06] for x in (0.15, -0.05))
    return joints


@pytest.mark.parametrize(("least_deg", "expected_deg"), [(13.0, 3.0), (18.0, 3.0), (30.0, 15.0)])
def test_what_a_leg_is_bent_throughout_is_taken_out_up_to_a_limit(
    least_deg: float, expected_deg: float
) -> None:
    joints = marching(least_deg)
    straight = straighten_knees(joints)
    for side in ("left", "right"):
        before, after = flexion_deg(joints, side), flexion_deg(straight, side)
        np.testing.assert_allclose(before - after, least_deg - expected_deg, atol=0.3)
        for a, b, length_m in (("hip", "knee", THIGH_M), ("knee", "ankle", SHANK_M)):
            first, second = index(side, a, b)
            np.testing.assert_allclose(
                np.linalg.norm(straight[:, second] - straight[:, first], axis=-1), length_m, atol=1e-9
            )
        hip, ankle = index(side, "hip", "ankle")
        lines = [j[:, ankle] - j[:, hip] for j in (joints, straight)]
        lines = [line / np.linalg.norm(line, axis=-1, keepdims=True) for line in lines]
        np.testing.assert_allclose(lines[0], lines[1], atol=1e-9)
    np.testing.assert_allclose(straight[:, FEET, 2].min(axis=1), joints[:, FEET, 2].min(axis=1))
    hips = [index(side, "hip")[0] for side in ("left", "right")]
    np.testing.assert_allclose(straight[:, hips] - straight[:, :1], joints[:, hips] - joints[:, :1])


def test_legs_that_do_extend_are_left_alone() -> None:
    joints = marching(2.0)
    np.testing.assert_allclose(straighten_knees(joints), joints, atol=1e-9)


def test_a_clip_keeps_everything_but_its_joints() -> None:
    joints = marching(15.0).astype(np.float32)
    clip = MocapClip("a", joints, np.tile(np.eye(3), (120, 5, 1, 1)), np.zeros((120, 4)))
    straight = with_straight_knees(clip)
    assert straight.joints.dtype == np.float32
    np.testing.assert_allclose(straight.joints, straighten_knees(joints), atol=1e-6)
    assert (straight.segments is clip.segments, straight.contacts is clip.contacts) == (True, True)
