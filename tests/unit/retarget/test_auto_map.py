# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.unit.retarget.rigs import family_rig, unnamed
from vp3d_core.retarget.auto_map import guess_map
from vp3d_core.retarget.bone_names import parse_bone_name
from vp3d_core.retarget.rig_maps import FAMILIES
from vp3d_core.retarget.roles import REQUIRED_ROLES


def family(name):
    return next(family for family in FAMILIES if family.name == name)


@pytest.mark.parametrize(
    ("name", "side", "word"),
    [
        ("mixamorig:LeftForeArm", "left", "forearm"),
        ("mixamorig1:RightUpLeg", "right", "upleg"),
        ("forearm.L", "left", "forearm"),
        ("forearm.L.001", "left", "forearm"),
        ("CC_Base_L_Forearm", "left", "forearm"),
        ("Bip01 R UpperArm", "right", "upperarm"),
        ("lForeArm", "left", "forearm"),
        ("rShldr", "right", "shldr"),
        ("lfemur", "left", "femur"),
        ("l_lowerarm", "left", "lowerarm"),
        ("lowerarm_l", "left", "lowerarm"),
        ("J_Bip_C_UpperChest", "", "upperchest"),
        ("左ひじ", "left", "ひじ"),
        ("右足首", "right", "足首"),
        ("ＬｅｆｔＡｒｍ", "left", "arm"),
        ("Arm_links", "left", "arm"),
        ("rechter_Unterarm", "right", "unterarm"),
        ("spine_03", "", "spine"),
        ("leg_right", "right", "leg"),
        ("Root", "", "root"),
        ("Reference", "", "reference"),
        ("lowerback", "", "lowerback"),
    ],
)
def test_a_name_tells_its_side_and_its_word(name, side, word):
    said = parse_bone_name(name)
    assert (said.side, said.word) == (side, word)


def renamed(rig, pattern):
    """Names no family has, made from an Unreal rig's."""
    words = {
        "upperarm": "UpperArm",
        "lowerarm": "LowerArm",
        "hand": "Hand",
        "thigh": "Thigh",
        "calf": "Shin",
        "foot": "Foot",
        "ball": "Toe",
        "clavicle": "Clavicle",
    }
    names = []
    for name in rig.bone_names:
        part, _, side = name.rpartition("_")
        names.append(pattern(words[part], side) if part in words else name)
    return dataclasses.replace(rig, bone_names=tuple(names))


@pytest.mark.parametrize(
    "pattern",
    [
        lambda word, side: f"{word}.{side.upper()}",
        lambda word, side: f"{side}{word}",
        lambda word, side: f"{word}_{'left' if side == 'l' else 'right'}",
        lambda word, side: f"Hero|{'Left' if side == 'l' else 'Right'}_{word}_jnt",
        lambda word, side: f"{'左' if side == 'l' else '右'}{word}",
        lambda word, side: f"{'Ｌ' if side == 'l' else 'Ｒ'}_{word}",
        lambda word, side: f"{word}-{'links' if side == 'l' else 'rechts'}",
    ],
)
def test_left_and_right_are_found_in_any_habit(pattern):
    rig = renamed(family_rig(family("unreal")), pattern)
    rig_map = guess_map(rig)
    assert rig_map.missing == ()
    for role in ("upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe", "clavicle"):
        for side, letter in (("left", "l"), ("right", "r")):
            name = {"upper_arm": "upperarm", "forearm": "lowerarm", "shin": "calf", "toe": "ball"}.get(
                role, role
            )
            index = family_rig(family("unreal")).index(f"{name}_{letter}")
            assert rig_map.bones[f"{side}_{role}"] == (rig.bone_names[index],)
            assert 0.5 < rig_map.sure_of(f"{side}_{role}") < 0.98


@pytest.mark.parametrize("arm_down_deg", [0.0, 45.0])
@pytest.mark.parametrize("name", ["mixamo", "unreal", "rigify_metarig", "humanoid", "bvh_joints"])
def test_a_rig_without_names_is_found_by_its_shape(name, arm_down_deg):
    rig = family_rig(family(name), arm_down_deg=arm_down_deg)
    expected = guess_map(rig).bones
    hidden = unnamed(rig)
    found = guess_map(hidden)
    assert found.missing == ()
    for role in REQUIRED_ROLES:
        assert found.bones[role][0] == hidden.bone_names[rig.index(expected[role][0])], role
        assert found.sure_of(role) < 0.7
    for role in ("head", "left_hand", "right_foot", "left_clavicle"):
        assert found.bones[role][0] == hidden.bone_names[rig.index(expected[role][0])], role


def test_a_box_of_bones_is_no_body():
    rig = family_rig(family("mixamo"))
    count = 12
    matrices = np.tile(np.eye(4), (count, 1, 1))
    matrices[:, 1, 3] = np.arange(count)
    tail = dataclasses.replace(
        rig,
        bone_names=tuple(f"tail.{k}" for k in range(count)),
        parents=tuple(range(-1, count - 1)),
        armature_from_bone=matrices,
        lengths=np.ones(count),
        inherits_rotation=np.ones(count, dtype=bool),
        connected=np.ones(count, dtype=bool),
        deforms=np.ones(count, dtype=bool),
        rotation_modes=("QUATERNION",) * count,
    )
    assert guess_map(tail).missing == REQUIRED_ROLES


@pytest.mark.parametrize("prefix", ["Bip001", "ValveBiped.Bip01", "Bip01"])
def test_a_biped_is_known_after_an_exporter_wrote_underscores(prefix):
    plain = family("biped")
    rig = family_rig(plain)
    names = (name.removeprefix(plain.prefixes[-1]).replace(" ", "_") for name in rig.bone_names)
    rig = dataclasses.replace(rig, bone_names=tuple(prefix + name for name in names))
    rig_map = guess_map(rig)
    assert rig_map.family == "biped"
    assert rig_map.bones["centre"] == (prefix,)
    assert rig_map.bones["left_forearm"] == (f"{prefix}_L_Forearm",)


def test_a_root_bone_that_a_family_does_not_know_is_found():
    """A Mixamo character that somebody gave a root bone for a game engine."""
    mixamo = family("mixamo")
    rig = family_rig(dataclasses.replace(mixamo, bones={"root": ("Root",), **mixamo.bones}))
    rig_map = guess_map(rig)
    assert rig_map.family == "mixamo"
    assert rig_map.bones["root"] == (rig.bone_names[0],)
