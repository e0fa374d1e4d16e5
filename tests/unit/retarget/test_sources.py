# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions of other skeletons, units, floors and rest poses as the source."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.synthetic import walking_motion
from tests.unit.retarget.rigs import family_rig, world_heads
from vp3d_core.motion import Motion, MotionSkeleton, forward_kinematics
from vp3d_core.retarget.auto_map import guess_map
from vp3d_core.retarget.retarget import retarget
from vp3d_core.retarget.rig_maps import FAMILIES
from vp3d_core.retarget.settings import RetargetSettings
from vp3d_core.retarget.source_map import guess_source_map, rig_from_skeleton
from vp3d_core.retarget.source_motion import read_source
from vp3d_core.retarget.upright_rest import is_upright
from vp3d_core.rotations import (
    IDENTITY,
    normalize,
    quat_conjugate,
    quat_from_axis_angle,
    quat_from_matrix,
    quat_multiply,
    quat_rotate,
)

MIXAMO: dict[str, str] = {
    "pelvis": "Hips",
    "spine": "Spine",
    "thorax": "Spine1",
    "neck": "Neck",
    "head": "Head",
    "left_clavicle": "LeftShoulder",
    "left_shoulder": "LeftArm",
    "left_elbow": "LeftForeArm",
    "left_wrist": "LeftHand",
    "left_hip": "LeftUpLeg",
    "left_knee": "LeftLeg",
    "left_ankle": "LeftFoot",
    "left_toe": "LeftToeBase",
}
MIXAMO.update(
    {k.replace("left", "right"): v.replace("Left", "Right") for k, v in MIXAMO.items() if "left" in k}
)


def as_mocap(motion, *, factor=1.0, lift=0.0):
    """The motion as a file of mocap has it: other names, no contacts, another unit and floor."""
    skeleton = motion.skeleton
    names = tuple(str(MIXAMO.get(name, name)) for name in skeleton.names)
    return dataclasses.replace(
        motion,
        skeleton=MotionSkeleton(names, skeleton.parents, skeleton.rest_offsets * factor),
        root_positions=motion.root_positions * factor + [0.0, 0.0, lift],
        contacts=np.zeros((len(motion.contacts), 0)),
    )


def in_a_heap(motion):
    """The same motion from a rest pose in which every joint is turned at random."""
    rng = np.random.default_rng(1)
    skeleton = motion.skeleton
    places, world = forward_kinematics(skeleton, motion.root_positions, motion.rotations)
    constant = quat_from_matrix(np.linalg.qr(rng.normal(size=(len(skeleton.names), 3, 3)))[0])
    turned = quat_multiply(world, constant)
    offsets, local = np.array(skeleton.rest_offsets), np.array(turned)
    for j, parent in enumerate(skeleton.parents):
        if parent >= 0:
            offsets[j] = quat_rotate(quat_conjugate(constant[parent]), skeleton.rest_offsets[j])
            local[:, j] = quat_multiply(quat_conjugate(turned[:, parent]), turned[:, j])
    heap = MotionSkeleton(skeleton.names, skeleton.parents, offsets)
    result = Motion(
        heap,
        motion.root_positions,
        normalize(local),
        motion.contacts,
        motion.confidence,
        motion.frame_rate_hz,
    )
    np.testing.assert_allclose(result.joints_world(), places, atol=1e-9)
    return result


@pytest.fixture(scope="module")
def target():
    return family_rig(next(family for family in FAMILIES if family.name == "mixamo"), arm_down_deg=45.0)


def test_the_joints_of_a_bvh_are_found():
    motion = as_mocap(walking_motion(1, num_frames=5))
    source_map = guess_source_map(motion.skeleton)
    assert source_map.family == "mixamo"
    assert source_map.missing == ()
    assert source_map.bones["spine"] == ("Spine", "Spine1")


@pytest.mark.parametrize(("factor", "lift"), [(1.0, 0.0), (100.0, 0.0), (0.18, 0.0), (1.0, 0.4)])
def test_unit_and_floor_of_a_source_do_not_matter(target, factor, lift):
    motion = walking_motion(1, num_frames=60)
    settings = RetargetSettings(plant_feet=False)
    expected = world_heads(
        target, retarget(as_mocap(motion), target, guess_map(target), settings, frames_per_second=30.0)
    )
    moved = as_mocap(motion, factor=factor, lift=lift)
    found = world_heads(target, retarget(moved, target, guess_map(target), settings, frames_per_second=30.0))
    for name, heads in expected.items():
        np.testing.assert_allclose(found[name], heads, atol=2e-3)


def test_a_source_whose_rest_pose_is_a_heap_is_stood_up(target):
    motion = walking_motion(6, num_frames=90)
    heap = in_a_heap(motion)
    source = read_source(heap, guess_source_map(heap.skeleton))
    assert is_upright(source.rest)
    settings = RetargetSettings(plant_feet=False)
    rig_map = guess_map(target)
    expected, found = (
        world_heads(target, retarget(m, target, rig_map, settings, frames_per_second=30.0))
        for m in (motion, heap)
    )
    bones = rig_map.bones
    for a, b, most_deg in (
        ("left_upper_arm", "left_forearm", 0.1),
        ("right_forearm", "right_hand", 0.1),
        ("left_thigh", "left_shin", 0.1),
        ("right_shin", "right_foot", 0.1),
        ("pelvis", "neck", 10.0),
        ("neck", "head", 12.0),
        ("left_foot", "left_toe", 25.0),
    ):
        one, two = (heads[bones[b][0]] - heads[bones[a][0]] for heads in (expected, found))
        cosine = (one * two).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(two, axis=-1)
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < most_deg, a


def test_toes_that_a_source_bends_are_keyed_and_stand_on_their_ball(target):
    walk = as_mocap(walking_motion(3, num_frames=30))
    still = dataclasses.replace(
        walk,
        rotations=np.tile(IDENTITY, (30, len(walk.skeleton.names), 1)),
        root_positions=walk.root_positions[:1].repeat(30, 0),
    )
    skeleton = still.skeleton
    bent = np.array(still.rotations)
    bent[:, skeleton.names.index("LeftToeBase")] = quat_from_axis_angle(
        np.array([1.0, 0.0, 0.0]), np.radians(np.linspace(0.0, 40.0, 30))
    )
    rig_map = guess_map(target)
    (toe,), (foot,) = rig_map.bones["left_toe"], rig_map.bones["left_foot"]
    found = [
        retarget(motion, target, rig_map, RetargetSettings(), frames_per_second=30.0)
        for motion in (still, dataclasses.replace(still, rotations=bent))
    ]
    assert 2 * np.degrees(np.arccos(found[1].rotations[toe][-1, 0])) == pytest.approx(40.0, abs=0.1)
    heads = [world_heads(target, curves) for curves in found]
    np.testing.assert_allclose(heads[1][foot], heads[0][foot], atol=1e-6)


def test_a_skeleton_as_a_rig_stands_on_the_floor():
    motion = walking_motion(1, num_frames=2)
    rig = rig_from_skeleton(motion.skeleton)
    assert rig.armature_from_bone[:, 2, 3].min() == pytest.approx(0.02)
    assert set(rig.bone_names) == set(motion.skeleton.names)
