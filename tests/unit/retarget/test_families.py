# SPDX-License-Identifier: GPL-3.0-or-later
"""Every family: recognised, and a walk brought onto it keeps limbs, feet and way."""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthetic import walking_motion
from tests.unit.retarget.rigs import body_points, family_rig, object_matrix, world_heads
from vp3d_core.retarget.auto_map import guess_map
from vp3d_core.retarget.retarget import retarget
from vp3d_core.retarget.rig_maps import FAMILIES
from vp3d_core.retarget.settings import RetargetSettings

# Role and the next, with the joints of a capture that start them.
LIMBS = [
    (f"{side}_{a}", f"{side}_{b}", f"{side}_{c}", f"{side}_{d}")
    for side in ("left", "right")
    for a, b, c, d in (
        ("upper_arm", "forearm", "shoulder", "elbow"),
        ("forearm", "hand", "elbow", "wrist"),
        ("thigh", "shin", "hip", "knee"),
        ("shin", "foot", "knee", "ankle"),
    )
]
NAMES = [family.name for family in FAMILIES]
NAMED = [family for family in FAMILIES if family.name != "vp3d"]  # that one is a motion's joints


def limb_errors_deg(motion, rig, rig_map, curves):
    """Angles (L, T) between the rig's limbs and the motion's."""
    joints, names = motion.joints_world(), motion.skeleton.names
    heads = world_heads(rig, curves)
    errors = []
    for role, after, start, end in LIMBS:
        found = heads[rig_map.bones[after][0]] - heads[rig_map.bones[role][0]]
        wanted = joints[:, names.index(end)] - joints[:, names.index(start)]
        cosine = (found * wanted).sum(-1) / np.linalg.norm(found, axis=-1) / np.linalg.norm(wanted, axis=-1)
        errors.append(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
    return np.array(errors)


def test_family_names_are_unique():
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("family", FAMILIES, ids=NAMES)
def test_a_family_is_recognised_by_its_names(family):
    rig_map = guess_map(family_rig(family))
    assert rig_map.family == family.name
    assert rig_map.missing == ()
    assert rig_map.overall_confidence >= 0.9
    expected = {
        role: tuple(name.split("|")[0] for name in names) for role, names in family.names_by_role().items()
    }
    for role, names in rig_map.bones.items():
        if role in expected and family.prefixes == ("",):
            assert names == expected[role]


@pytest.mark.parametrize("arm_down_deg", [0.0, 50.0], ids=["T", "A"])
@pytest.mark.parametrize("family", NAMED, ids=[family.name for family in NAMED])
def test_limbs_point_as_the_motion_does(family, arm_down_deg):
    motion = walking_motion(2, num_frames=40)
    rig = family_rig(family, arm_down_deg=arm_down_deg, seed=5)
    rig_map = guess_map(rig)
    curves = retarget(motion, rig, rig_map, RetargetSettings(plant_feet=False), frames_per_second=30.0)
    assert limb_errors_deg(motion, rig, rig_map, curves).max() < 0.01
    planted = retarget(motion, rig, rig_map, RetargetSettings(), frames_per_second=30.0)
    errors = limb_errors_deg(motion, rig, rig_map, planted)
    assert np.median(errors) < 3.0
    assert np.percentile(errors, 99) < 10.0


@pytest.mark.parametrize("family", NAMED, ids=[family.name for family in NAMED])
def test_only_mapped_bones_are_keyed_and_only_the_centre_is_moved(family):
    motion = walking_motion(2, num_frames=20)
    rig = family_rig(family)
    rig_map = guess_map(rig)
    curves = retarget(motion, rig, rig_map, RetargetSettings(), frames_per_second=30.0)
    mapped = {name for names in rig_map.bones.values() for name in names}
    assert set(curves.rotations) <= mapped
    assert len(curves.locations) == 1
    for values in curves.rotations.values():
        assert (np.einsum("ti,ti->t", values[1:], values[:-1]) > 0).all()


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_an_imported_object_that_is_turned_and_scaled_shows_the_same(scale):
    motion = walking_motion(4, num_frames=30)
    family = next(family for family in FAMILIES if family.name == "mixamo")
    plain = family_rig(family, arm_down_deg=45.0)
    settings = RetargetSettings()
    expected = world_heads(plain, retarget(motion, plain, guess_map(plain), settings, frames_per_second=30.0))
    # As an FBX comes in: y up in the armature, the object turned by 90 degrees and scaled.
    world = object_matrix(pitch_deg=90.0, scale=scale, yaw_deg=30.0)
    back = np.linalg.inv(world)
    inside = np.einsum("ij,bjk->bik", back, plain.armature_from_bone)
    inside[:, :3, :3] *= scale
    turned = type(plain)(
        plain.name,
        plain.bone_names,
        plain.parents,
        inside,
        plain.lengths / scale,
        world,
        plain.inherits_rotation,
        plain.connected,
        plain.deforms,
        plain.rotation_modes,
    )
    found = world_heads(turned, retarget(motion, turned, guess_map(turned), settings, frames_per_second=30.0))
    for name, heads in expected.items():
        np.testing.assert_allclose(found[name], heads, atol=1e-6)


def test_the_way_is_scaled_by_the_leg_length_and_the_feet_are_on_the_floor():
    motion = walking_motion(7, num_frames=90)
    family = next(family for family in FAMILIES if family.name == "unreal")
    rig = family_rig(family, scale=1.0, arm_down_deg=45.0)
    rig_map = guess_map(rig)
    heads = world_heads(rig, retarget(motion, rig, rig_map, RetargetSettings(), frames_per_second=30.0))
    joints, names = motion.joints_world(), motion.skeleton.names
    leg = np.linalg.norm(
        np.diff([body_points(arm_down_deg=0)[f"left_{p}"][0] for p in ("thigh", "shin", "foot")], axis=0),
        axis=1,
    ).sum()
    own = sum(
        np.linalg.norm(motion.skeleton.rest_offsets[names.index(f"left_{p}")]) for p in ("knee", "ankle")
    )
    hips = (heads["thigh_l"] + heads["thigh_r"]) / 2
    own_hips = joints[:, [names.index("left_hip"), names.index("right_hip")]].mean(axis=1)
    way = np.linalg.norm((hips[-1] - hips[0])[:2]) / np.linalg.norm((own_hips[-1] - own_hips[0])[:2])
    assert way == pytest.approx(leg / own, rel=0.03)
    balls = np.stack([heads["ball_l"], heads["ball_r"]], axis=1)
    assert balls[..., 2].min() > 0.0
    lower = balls[..., 2].min(axis=1)
    assert np.percentile(lower, 90) < 0.06
    # The ball of a standing foot stays where it is.
    stands = motion.contacts[:, [0, 2]].astype(bool)
    for k in range(2):
        both = stands[1:, k] & stands[:-1, k]
        speed = np.linalg.norm(np.diff(balls[:, k, :2], axis=0), axis=-1) * 30.0
        assert np.median(speed[both]) < 0.05
