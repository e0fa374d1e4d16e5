# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user can choose: who carries the motion, which axes, arms, IK controls, rate, alignment."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.synthetic import walking_motion
from tests.unit.retarget.rigs import family_rig, object_matrix, rig_from_rows, world_heads
from vp3d_core.retarget.auto_map import guess_map
from vp3d_core.retarget.retarget import retarget
from vp3d_core.retarget.rig_errors import RigMapIncomplete, RigNotUsable
from vp3d_core.retarget.rig_maps import FAMILIES
from vp3d_core.retarget.rig_pose import pose_matrices
from vp3d_core.retarget.settings import RetargetSettings
from vp3d_core.rotations import matrix_from_quat, quat_from_axis_angle, quat_multiply


def rig_of(name, **kwargs):
    return family_rig(next(family for family in FAMILIES if family.name == name), **kwargs)


def brought(motion, rig, settings=None, *, frames_per_second=30.0, first_frame=1):
    return retarget(
        motion,
        rig,
        guess_map(rig),
        settings or RetargetSettings(),
        frames_per_second=frames_per_second,
        first_frame=first_frame,
    )


@pytest.fixture(scope="module")
def motion():
    return walking_motion(5, num_frames=40)


@pytest.mark.parametrize("heading", [False, True])
@pytest.mark.parametrize("carrier", ["root_bone", "object"])
def test_whoever_carries_the_body_it_is_in_the_same_place(motion, carrier, heading):
    rig = rig_of(
        "unreal", world=object_matrix(yaw_deg=40.0, scale=0.5, at=np.array([1.0, 2.0, 0.0])), scale=0.5
    )
    by_hips = world_heads(rig, brought(motion, rig))
    curves = brought(motion, rig, RetargetSettings(root_motion=carrier, root_heading=heading))
    found = world_heads(rig, curves)
    for name in rig.bone_names:
        if name != "root":
            np.testing.assert_allclose(found[name], by_hips[name], atol=1e-6)
    if carrier == "root_bone":
        way = found["root"]
        np.testing.assert_allclose(way[:, 2], 0.0, atol=1e-9)
        assert "root" in curves.rotations
        assert curves.object_locations is None
    else:
        assert curves.object_locations is not None
        way = curves.object_locations
    assert np.linalg.norm((way[-1] - way[0])[:2]) > 0.5


def test_a_rig_without_a_root_bone_says_so(motion):
    rig = rig_of("mixamo")
    with pytest.raises(RigMapIncomplete, match="'Mixamo' has no root bone"):
        brought(motion, rig, RetargetSettings(root_motion="root_bone"))


def test_in_place_keeps_the_height_and_the_pose(motion):
    rig = rig_of("mixamo")
    moving = brought(motion, rig)
    still = brought(motion, rig, RetargetSettings(root_axes=(False, False, True)))
    heads, there = world_heads(rig, still), world_heads(rig, moving)
    name = guess_map(rig).bones["pelvis"][0]
    assert np.ptp(heads[name][:, :2], axis=0).max() < 0.1
    np.testing.assert_allclose(heads[name][:, 2], there[name][:, 2], atol=1e-9)
    for bone, turns in still.rotations.items():
        np.testing.assert_allclose(turns, moving.rotations[bone], atol=1e-9)


def test_arms_are_spread_away_from_the_body(motion):
    rig = rig_of("mixamo")
    hands = {}
    for angle in (0.0, 0.3):
        heads = world_heads(rig, brought(motion, rig, RetargetSettings(arm_spread_rad=angle)))
        bones = guess_map(rig).bones
        hands[angle] = np.linalg.norm(heads[bones["left_hand"][0]] - heads[bones["right_hand"][0]], axis=-1)
    assert (hands[0.3] - hands[0.0]).min() > 0.15


def test_the_duration_stays_at_another_rate(motion):
    rig = rig_of("mixamo")
    curves = brought(motion, rig, frames_per_second=24.0, first_frame=10)
    assert curves.frames[0] == 10
    seconds = (len(motion.root_positions) - 1) / motion.frame_rate_hz
    assert (curves.frames[-1] - 10) / 24.0 == pytest.approx(seconds, abs=1 / 24.0)
    for turns in curves.rotations.values():
        np.testing.assert_allclose(np.linalg.norm(turns, axis=-1), 1.0, atol=1e-9)


def test_bones_that_do_not_inherit_rotation_point_the_same(motion):
    rig = rig_of("mixamo")
    free = np.array(["Arm" not in name and "Head" not in name for name in rig.bone_names])
    loose = dataclasses.replace(rig, inherits_rotation=free)
    expected, found = (world_heads(r, brought(motion, r)) for r in (rig, loose))
    for name, heads in expected.items():
        np.testing.assert_allclose(found[name], heads, atol=1e-9)


def test_a_bone_between_two_mapped_ones_is_folded_in(motion):
    rig = rig_of("mixamo")
    rig_map = guess_map(rig)
    spine = rig_map.bones["spine"]
    fewer = rig_map.with_bones("spine", spine[:1] + spine[-1:])
    curves = retarget(motion, rig, fewer, RetargetSettings(plant_feet=False), frames_per_second=30.0)
    full = retarget(motion, rig, rig_map, RetargetSettings(plant_feet=False), frames_per_second=30.0)
    assert spine[1] not in curves.rotations
    chest = [pose_matrices(rig, c)[:, rig.index(spine[-1]), :3, :3] for c in (curves, full)]
    np.testing.assert_allclose(chest[0], chest[1], atol=1e-9)


def test_the_pose_shown_can_be_the_one_that_is_aligned(motion):
    """A rig at rest in an A-pose, posed by hand into the T-pose of the source."""
    family = next(family for family in FAMILIES if family.name == "mixamo")
    posed = family_rig(family, arm_down_deg=0.0, seed=1)
    rest = family_rig(family, arm_down_deg=50.0, seed=1)
    in_t = np.array(rest.armature_from_bone)
    turn = {"Left": np.array([0.0, -1.0, 0.0]), "Right": np.array([0.0, 1.0, 0.0])}
    for k, name in enumerate(rest.bone_names):
        side = next((side for side in turn if side in name and any(p in name for p in ("Arm", "Hand"))), None)
        if side is not None:
            lift = matrix_from_quat(quat_from_axis_angle(turn[side], np.radians(50.0)))
            in_t[k, :3, :3] = lift @ in_t[k, :3, :3]
    curves = retarget(
        motion, rest, guess_map(rest), RetargetSettings(), frames_per_second=30.0, alignment_pose=in_t
    )
    expected, found = world_heads(posed, brought(motion, posed)), world_heads(rest, curves)
    arm, hand = (guess_map(rest).bones[role][0] for role in ("left_upper_arm", "left_hand"))
    a, b = expected[hand] - expected[arm], found[hand] - found[arm]
    cosine = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 5.0


def test_a_mirrored_object_is_refused(motion):
    world = np.diag([-1.0, 1.0, 1.0, 1.0])
    with pytest.raises(RigNotUsable, match="mirrored or flat"):
        brought(motion, rig_of("mixamo", world=world))


def ik_rig():
    """A Mixamo-like rig with goals and poles of its own."""
    rig = rig_of("mixamo")
    rows = [
        (
            name,
            rig.bone_names[rig.parents[k]] if rig.parents[k] >= 0 else "",
            rig.armature_from_bone[k, :3, 3],
            rig.armature_from_bone[k, :3, 3] + rig.armature_from_bone[k, :3, 1] * rig.lengths[k],
        )
        for k, name in enumerate(rig.bone_names)
    ]
    rig_map = guess_map(rig)
    for side in ("left", "right"):
        for end, goal in (("hand", "hand_ik"), ("foot", "foot_ik")):
            at = rig.armature_from_bone[rig.index(rig_map.bones[f"{side}_{end}"][0]), :3, 3]
            rows.append((f"{side} {goal}", "", at + [0, 0.05, 0], at + [0, 0.05, 0.2]))
        for hinge, pole, way in (("forearm", "elbow_pole", 0.4), ("shin", "knee_pole", -0.4)):
            at = rig.armature_from_bone[rig.index(rig_map.bones[f"{side}_{hinge}"][0]), :3, 3]
            rows.append((f"{side} {pole}", "", at + [0, way, 0], at + [0, way, 0.1]))
    made = rig_from_rows("IK", rows, rng=np.random.default_rng(3))
    mapped = guess_map(made)
    for side in ("left", "right"):
        for role in ("hand_ik", "foot_ik", "elbow_pole", "knee_pole"):
            mapped = mapped.with_bones(f"{side}_{role}", [f"{side} {role}"])
    return made, mapped


def test_ik_goals_go_with_hands_and_feet_and_poles_with_knees(motion):
    rig, rig_map = ik_rig()
    both = retarget(motion, rig, rig_map, RetargetSettings(limbs="both"), frames_per_second=30.0)
    heads = world_heads(rig, both)
    for end in ("hand", "foot"):
        apart = heads[f"left {end}_ik"] - heads[rig_map.bones[f"left_{end}"][0]]
        np.testing.assert_allclose(np.linalg.norm(apart, axis=-1), 0.05, atol=1e-9)
    hip, knee, ankle = (heads[rig_map.bones[f"left_{part}"][0]] for part in ("thigh", "shin", "foot"))
    pole = heads["left knee_pole"]
    # Knee and pole on the same side of the line from hip to ankle, in one plane with it.
    normal = np.cross(ankle - hip, knee - hip)
    bent = np.linalg.norm(normal, axis=-1) > 0.01
    off = np.abs(((pole - hip) * normal).sum(-1))[bent] / np.linalg.norm(normal[bent], axis=-1)
    assert off.max() < 1e-6
    assert (np.linalg.norm(pole - knee, axis=-1) > 0.3).all()
    only = retarget(motion, rig, rig_map, RetargetSettings(limbs="ik"), frames_per_second=30.0)
    assert "left hand_ik" in only.rotations
    assert rig_map.bones["left_shin"][0] not in only.rotations
    assert rig_map.bones["left_shin"][0] in both.rotations


def test_rigify_is_switched_to_fk_or_ik(motion):
    rig = rig_of("rigify")
    extra = ["upper_arm_parent.L", "upper_arm_parent.R", "thigh_parent.L", "thigh_parent.R"]
    rig = dataclasses.replace(
        rig,
        bone_names=(*rig.bone_names, *extra),
        parents=(*rig.parents, -1, -1, -1, -1),
        armature_from_bone=np.concatenate([rig.armature_from_bone, np.tile(np.eye(4), (4, 1, 1))]),
        lengths=np.append(rig.lengths, np.ones(4)),
        inherits_rotation=np.append(rig.inherits_rotation, [True] * 4),
        connected=np.append(rig.connected, [False] * 4),
        deforms=np.append(rig.deforms, [False] * 4),
        rotation_modes=(*rig.rotation_modes, *["XYZ"] * 4),
    )
    for settings, value in ((RetargetSettings(limbs="fk"), 1.0), (RetargetSettings(limbs="ik"), 0.0)):
        curves = brought(motion, rig, settings)
        assert {curves.properties[bone, "IK_FK"] for bone in extra} == {value}
        assert curves.properties["torso", "head_follow"] == 1.0


def test_twist_grows_along_a_limb(motion):
    """Genesis 8 has two bones in an upper arm: the first only swings, the second has all of the twist."""
    rig = rig_of("daz_genesis8")
    bones = guess_map(rig).bones
    elbow_rolled = np.array(motion.rotations)
    joint = motion.skeleton.names.index("left_shoulder")
    roll = quat_from_axis_angle(np.array([1.0, 0.0, 0.0]), np.full(len(elbow_rolled), 1.0))
    elbow_rolled[:, joint] = quat_multiply(elbow_rolled[:, joint], roll)
    rolled = dataclasses.replace(motion, rotations=elbow_rolled)
    turned = []
    for name in bones["left_upper_arm"]:
        poses = [
            pose_matrices(rig, brought(m, rig, RetargetSettings(plant_feet=False)))[
                :, rig.index(name), :3, :3
            ]
            for m in (motion, rolled)
        ]
        trace = np.einsum("tij,tij->t", poses[0], poses[1])
        turned.append(np.arccos(np.clip((trace - 1) / 2, -1, 1)))
    assert turned[0].max() < 1e-6
    np.testing.assert_allclose(turned[1], 1.0, atol=1e-6)
