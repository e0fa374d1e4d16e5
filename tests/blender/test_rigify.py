# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Rigify metarig and the rig that Blender's Rigify generates from it."""

from __future__ import annotations

from pathlib import Path

import addon_utils
import bpy
import numpy as np
import pytest
from vp3d.addon.armature import read_rig
from vp3d.addon.fcurves import action_curves
from vp3d.addon.retarget_apply import apply_retarget
from vp3d.vp3d_core.retarget.auto_map import guess_map
from vp3d.vp3d_core.retarget.settings import RetargetSettings
from vp3d.vp3d_core.user_folders import data_folder

from tests.blender.family_rigs import walking_source
from tests.blender.motions import walking
from tests.blender.scene_checks import bone_heads, limb_errors_deg

AS_SEEN = RetargetSettings(plant_feet=False)
SHOWN = {  # what deforms the character, of which the controls' effect is to be seen
    f"{side}_{role}": f"DEF-{bone}.{letter}"
    for side, letter in (("left", "L"), ("right", "R"))
    for role, bone in (
        ("upper_arm", "upper_arm"), ("forearm", "forearm"), ("hand", "hand"),
        ("thigh", "thigh"), ("shin", "shin"), ("foot", "foot"),
    )
}  # fmt: skip


def add_metarig() -> bpy.types.Object:
    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    return bpy.context.object


@pytest.fixture(scope="module")
def generated_file() -> Path:
    """A file with a generated rig; generating takes ten seconds, so that it is kept for later runs."""
    path = data_folder() / "test-cache" / f"rigify-{bpy.app.version_string.split()[0]}.blend"
    if not path.exists():
        bpy.ops.wm.read_factory_settings(use_empty=True)
        metarig = add_metarig()
        bpy.ops.pose.rigify_generate()
        bpy.data.objects.remove(metarig)
        path.parent.mkdir(parents=True, exist_ok=True)
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def bring(target, settings):
    rig_map = guess_map(read_rig(target))
    return rig_map, apply_retarget(walking_source(), target, rig_map, settings, context=bpy.context)


def test_a_metarig_follows() -> None:
    metarig = add_metarig()
    rig_map, _ = bring(metarig, AS_SEEN)
    errors = limb_errors_deg(metarig, {role: bones[0] for role, bones in rig_map.bones.items()}, walking())
    assert np.median(errors) < 3.0
    assert np.percentile(errors, 99) < 10.0


@pytest.mark.parametrize("limbs", ["fk", "ik", "both"])
def test_a_generated_rig_follows_through_its_own_constraints(generated_file, limbs) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(generated_file))
    rig = next(each for each in bpy.data.objects if each.type == "ARMATURE")
    modes = [bone.rotation_mode for bone in rig.pose.bones]
    _, action = bring(rig, RetargetSettings(plant_feet=False, limbs=limbs))
    errors = limb_errors_deg(rig, SHOWN, walking())
    assert np.median(errors) < 3.0, np.median(errors, axis=0)
    assert np.percentile(errors, 99) < 10.0, errors.max(axis=0)
    assert [bone.rotation_mode for bone in rig.pose.bones] == modes
    keyed = {curve.data_path.split('"')[1] for curve in action_curves(action)}
    assert not [name for name in keyed if name.startswith(("DEF-", "ORG-", "MCH-"))]


def test_planted_feet_of_a_generated_rig_stand_still_on_the_floor(generated_file) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(generated_file))
    rig = next(each for each in bpy.data.objects if each.type == "ARMATURE")
    bring(rig, RetargetSettings())
    toes = bone_heads(rig, ["DEF-toe.L", "DEF-toe.R"], range(1, 61))
    rest = min(rig.data.bones[name].head_local.z for name in ("DEF-toe.L", "DEF-toe.R"))
    lowest = toes[..., 2].min(axis=1)
    assert np.abs(np.median(lowest) - rest) < 0.02
    assert lowest.min() > rest - 0.03
