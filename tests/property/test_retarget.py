# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws of retargeting: identity on the own skeleton, a turned world, a mirrored person."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.synthetic import walking_motion
from tests.unit.retarget.rigs import family_rig, world_heads
from vp3d_core.motion import Motion
from vp3d_core.retarget.auto_map import guess_map
from vp3d_core.retarget.retarget import retarget
from vp3d_core.retarget.rig_maps import FAMILIES
from vp3d_core.retarget.settings import RetargetSettings
from vp3d_core.retarget.source_map import rig_from_skeleton
from vp3d_core.rotations import normalize, quat_from_axis_angle, quat_multiply, quat_rotate
from vp3d_core.skeletons import mirror_indices

SEEDS = st.integers(0, 30)
LIKELY = [
    family
    for family in FAMILIES
    if family.name in ("mixamo", "unreal", "rigify", "daz_genesis8", "makehuman")
]


def brought(motion, rig, **kwargs):
    return world_heads(
        rig, retarget(motion, rig, guess_map(rig), RetargetSettings(**kwargs), frames_per_second=30.0)
    )


@given(seed=SEEDS)
@settings(max_examples=5, deadline=None)
def test_a_motion_on_its_own_skeleton_stays_as_it_is(seed):
    motion = walking_motion(seed, num_frames=20)
    rng = np.random.default_rng(seed)
    noise = normalize(motion.rotations + rng.normal(0, 0.15, motion.rotations.shape))
    motion = dataclasses.replace(motion, rotations=noise)
    rig = rig_from_skeleton(motion.skeleton)
    heads = brought(motion, rig, plant_feet=False)
    joints = motion.joints_world()
    for name in (
        "pelvis",
        "thorax",
        "head",
        "left_hand",
        "right_wrist",
        "left_knee",
        "right_toe",
        "left_heel",
    ):
        np.testing.assert_allclose(heads[name], joints[:, motion.skeleton.names.index(name)], atol=1e-9)


def turned(motion: Motion, angle_rad: float) -> Motion:
    turn = quat_from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(angle_rad))
    rotations = np.array(motion.rotations)
    rotations[:, 0] = quat_multiply(turn, rotations[:, 0])
    return dataclasses.replace(
        motion, root_positions=quat_rotate(turn, motion.root_positions), rotations=rotations
    )


@given(seed=SEEDS, angle_rad=st.floats(-np.pi, np.pi), family=st.sampled_from(LIKELY))
@settings(max_examples=6, deadline=None)
def test_turning_the_world_turns_the_result(seed, angle_rad, family):
    motion = walking_motion(seed, num_frames=25)
    rig = family_rig(family, arm_down_deg=30.0, seed=seed)
    heads, found = brought(motion, rig), brought(turned(motion, angle_rad), rig)
    turn = quat_from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(angle_rad))
    for name, places in found.items():
        if name != "root":
            np.testing.assert_allclose(places, quat_rotate(turn, heads[name]), atol=1e-4)


def mirrored(motion: Motion) -> Motion:
    order = list(mirror_indices(motion.skeleton.names))
    flip = np.array([-1.0, 1.0, 1.0])
    return dataclasses.replace(
        motion,
        root_positions=motion.root_positions * flip,
        rotations=motion.rotations[:, order] * np.array([1.0, 1.0, -1.0, -1.0]),
        contacts=motion.contacts[:, [2, 3, 0, 1]],
    )


@given(seed=SEEDS, family=st.sampled_from(LIKELY))
@settings(max_examples=6, deadline=None)
def test_a_mirrored_person_gives_the_mirror_image(seed, family):
    motion = walking_motion(seed, num_frames=25)
    rig = family_rig(family, arm_down_deg=30.0, seed=seed)
    bones = guess_map(rig).bones
    heads, found = brought(motion, rig), brought(mirrored(motion), rig)
    for part in ("upper_arm", "forearm", "hand", "thigh", "shin", "foot"):
        for a, b in (("left", "right"), ("right", "left")):
            expected = heads[bones[f"{a}_{part}"][0]] * [-1.0, 1.0, 1.0]
            np.testing.assert_allclose(found[bones[f"{b}_{part}"][0]], expected, atol=1e-6)
