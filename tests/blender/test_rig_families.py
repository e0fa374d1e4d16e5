# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import bpy
import numpy as np
import pytest
from vp3d.addon.armature import build_armature, read_rig
from vp3d.addon.fcurves import action_curves
from vp3d.addon.retarget_apply import apply_retarget
from vp3d.vp3d_core.retarget.auto_map import guess_map
from vp3d.vp3d_core.retarget.rig_errors import RigError
from vp3d.vp3d_core.retarget.rig_map import RigMap
from vp3d.vp3d_core.retarget.rig_maps import FAMILIES
from vp3d.vp3d_core.retarget.settings import RetargetSettings

from tests.blender.family_rigs import build_family_rig, walking_source
from tests.blender.motions import walking
from tests.blender.scene_checks import bone_heads, bone_tails, limb_errors_deg

AS_SEEN = RetargetSettings(plant_feet=False)
NAMED = [family for family in FAMILIES if family.name != "vp3d"]  # that one is a motion's joints


@pytest.fixture
def source() -> bpy.types.Object:
    return walking_source()


def bring(source, target, settings=None):
    rig_map = guess_map(read_rig(target))
    action = apply_retarget(source, target, rig_map, settings or RetargetSettings(), context=bpy.context)
    return rig_map, action


def first_bones(rig_map) -> dict[str, str]:
    return {role: bones[0] for role, bones in rig_map.bones.items()}


def assert_follows(target, rig_map, motion) -> None:
    errors = limb_errors_deg(target, first_bones(rig_map), motion)
    assert np.median(errors) < 3.0, np.median(errors, axis=0)
    assert np.percentile(errors, 99) < 10.0, errors.max(axis=0)


@pytest.mark.parametrize("arms_down_deg", [0.0, 45.0], ids=["T", "A"])
@pytest.mark.parametrize("family", NAMED, ids=[family.name for family in NAMED])
def test_limbs_point_where_the_captures_do(source, family, arms_down_deg) -> None:
    target = build_family_rig(family, arms_down_deg=arms_down_deg, seed=len(family.name))
    rig_map, action = bring(source, target, AS_SEEN)
    assert_follows(target, rig_map, walking())
    mapped = {bone for bones in rig_map.bones.values() for bone in bones}
    keyed = {curve.data_path.split('"')[1] for curve in action_curves(action)}
    assert keyed <= mapped


@pytest.mark.parametrize("family", NAMED, ids=[family.name for family in NAMED])
def test_feet_stand_on_the_floor(source, family) -> None:
    target = build_family_rig(family, seed=1)
    rig_map, _ = bring(source, target)
    feet = [rig_map.bones[f"{side}_foot"][-1] for side in ("left", "right")]
    heights = bone_tails(target, feet, range(1, 61))[..., 2].min(axis=1)  # at rest 2 cm
    assert np.abs(np.median(heights) - 0.02) < 0.02
    assert heights.min() > -0.02
    assert_follows(target, rig_map, walking())


@pytest.mark.parametrize(("angle", "scale"), [(np.pi / 2, 0.01), (0.0, 2.0)])
def test_a_turned_and_scaled_object_moves_alike(source, angle, scale) -> None:
    """Characters from FBX files come with an object turned by 90 degrees and scaled by 0.01."""
    family = next(family for family in NAMED if family.name == "mixamo")
    target = build_family_rig(family)
    target.data.transform(
        target.matrix_world.Rotation(-angle, 4, "X") @ target.matrix_world.Scale(1 / scale, 4)
    )
    target.rotation_euler.x, target.scale = angle, (scale,) * 3
    bpy.context.view_layer.update()
    rig_map, _ = bring(source, target, AS_SEEN)
    assert_follows(target, rig_map, walking())
    assert tuple(target.scale) == pytest.approx((scale,) * 3)


def test_the_captures_own_armature_ends_where_it_was(source) -> None:
    collection = bpy.context.scene.collection
    target, _ = build_armature(walking(), name="Twin", context=bpy.context, collection=collection)
    bring(source, target, RetargetSettings(plant_feet=False))
    names = [bone.name for bone in target.data.bones if bone.use_deform]
    frames = range(1, 61, 7)
    np.testing.assert_allclose(
        bone_heads(target, names, frames), bone_heads(source, names, frames), atol=1e-4
    )


def test_nothing_else_changes(source) -> None:
    target = build_family_rig(NAMED[3])
    other = build_family_rig(NAMED[4])
    modes = [bone.rotation_mode for bone in target.pose.bones]
    rest = read_rig(target).armature_from_bone
    walk = source.animation_data.action
    keys = {curve.data_path: len(curve.keyframe_points) for curve in action_curves(walk)}
    bpy.context.scene.frame_set(23)
    _, action = bring(source, target)
    assert [bone.rotation_mode for bone in target.pose.bones] == modes
    np.testing.assert_array_equal(read_rig(target).armature_from_bone, rest)
    assert source.animation_data.action == walk
    assert {curve.data_path: len(curve.keyframe_points) for curve in action_curves(walk)} == keys
    assert other.animation_data is None
    assert bpy.context.scene.frame_current == 23
    assert set(bpy.data.actions) == {walk, action}


def test_a_map_that_does_not_fit_changes_nothing(source) -> None:
    target = build_family_rig(NAMED[3])
    bones = dict(guess_map(read_rig(target)).bones)
    bones["left_thigh"] = ("gone",)
    with pytest.raises(RigError, match="gone"):
        apply_retarget(source, target, RigMap(bones), RetargetSettings(), context=bpy.context)
    assert target.animation_data is None
    assert len(bpy.data.actions) == 1


def test_an_overridden_character_is_retargeted_and_saved(source, tmp_path) -> None:
    family = next(family for family in NAMED if family.name == "unreal")
    target = build_family_rig(family)
    bpy.data.libraries.write(str(tmp_path / "character.blend"), {target}, fake_user=True)
    bpy.data.objects.remove(target)
    with bpy.data.libraries.load(str(tmp_path / "character.blend"), link=True) as (_, wanted):
        wanted.objects = [family.name]
    linked = wanted.objects[0]
    scene = bpy.context.scene
    scene.collection.objects.link(linked)
    target = linked.override_hierarchy_create(scene, bpy.context.view_layer, do_fully_editable=True)
    rig_map, _ = bring(source, target, AS_SEEN)
    assert_follows(target, rig_map, walking())
    path = str(tmp_path / "shot.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    again = next(each for each in bpy.data.objects if each.override_library)
    assert_follows(again, rig_map, walking())
