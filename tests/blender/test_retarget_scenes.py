# SPDX-License-Identifier: GPL-3.0-or-later
"""Retargeting in scenes as users have them: parents, hidden rigs, poses that were left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from vp3d.addon.armature import read_rig
from vp3d.addon.retarget_apply import apply_retarget
from vp3d.vp3d_core.retarget.auto_map import guess_map
from vp3d.vp3d_core.retarget.rig_maps import FAMILIES
from vp3d.vp3d_core.retarget.settings import RetargetSettings

from tests.blender.family_rigs import build_family_rig, walking_source
from tests.blender.motions import walking
from tests.blender.scene_checks import bone_heads, limb_errors_deg

UNREAL = next(family for family in FAMILIES if family.name == "unreal")
FRAMES = range(1, 61, 10)
BONES = ["pelvis", "hand_l", "foot_r"]
CARRIERS = ["hips", "root_bone", "object"]

Change = Callable[[bpy.types.Object], object]


@pytest.fixture
def source() -> bpy.types.Object:
    return walking_source()


def add_rig() -> bpy.types.Object:
    return build_family_rig(UNREAL, seed=3)


def bring(source, target, *, carrier="hips", heading=False):
    settings = RetargetSettings(plant_feet=False, root_motion=carrier, root_heading=heading)
    rig_map = guess_map(read_rig(target))
    apply_retarget(source, target, rig_map, settings, context=bpy.context)
    errors = limb_errors_deg(target, {role: bones[0] for role, bones in rig_map.bones.items()}, walking())
    assert errors.max() < 0.1
    return bone_heads(target, BONES, FRAMES)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_an_armature_with_a_parent_goes_the_same_way(source, carrier) -> None:
    expected = bring(source, add_rig())
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.matrix_world = Matrix.LocRotScale(
        (1, 2, 0), Matrix.Rotation(1.0, 3, "Z").to_quaternion(), (2,) * 3
    )
    bpy.context.view_layer.update()
    target = add_rig()
    target.parent, target.matrix_parent_inverse = parent, parent.matrix_world.inverted()
    bpy.context.view_layer.update()
    np.testing.assert_allclose(bring(source, target, carrier=carrier, heading=True), expected, atol=1e-4)


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ"])
def test_delta_transforms_are_kept(source, mode) -> None:
    target = add_rig()
    target.rotation_mode = mode
    target.delta_location, target.delta_scale = (1, 0, 0), (2, 2, 2)
    target.delta_rotation_euler.z = 0.5
    target.delta_rotation_quaternion = target.delta_rotation_euler.to_quaternion()
    bpy.context.view_layer.update()
    expected = bring(source, target)
    target.animation_data_clear()
    np.testing.assert_allclose(bring(source, target, carrier="object"), expected, atol=1e-4)


def hide(target: bpy.types.Object) -> None:
    target.hide_viewport = True


def exclude(target: bpy.types.Object) -> None:
    collection = bpy.data.collections.new("Excluded")
    bpy.context.scene.collection.children.link(collection)
    collection.objects.link(target)
    bpy.context.scene.collection.objects.unlink(target)
    bpy.context.view_layer.layer_collection.children["Excluded"].exclude = True


@pytest.mark.parametrize("vanish", [hide, exclude])
def test_rigs_that_are_not_shown_are_retargeted_and_stay_so(source, tmp_path: Path, vanish: Change) -> None:
    target = add_rig()
    target.location, target.scale = (1, 1, 0), (0.5,) * 3
    bpy.context.view_layer.update()
    expected = bring(source, target)
    target.animation_data_clear()
    vanish(target)
    source.pose.bones["nose"].constraints.new("LIMIT_SCALE")  # has to be evaluated
    hide(source)
    path = str(tmp_path / "hidden.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)  # Blender does not know where hidden objects are then
    source, target = bpy.data.objects["Source"], bpy.data.objects["unreal"]
    rig_map = guess_map(read_rig(target))
    apply_retarget(source, target, rig_map, RetargetSettings(plant_feet=False), context=bpy.context)
    assert source.hide_viewport
    assert not target.visible_get()
    assert not bpy.data.collections.get("VP3D")
    target.hide_viewport = False
    if not target.visible_get():
        bpy.context.scene.collection.objects.link(target)
    np.testing.assert_allclose(bone_heads(target, BONES, FRAMES), expected, atol=1e-4)


def test_what_a_motion_left_behind_does_not_count(source) -> None:
    target = add_rig()
    expected = bring(source, target)
    bring(source, target, carrier="root_bone", heading=True)
    bpy.context.scene.frame_set(60)  # the root bone stands where that motion ends
    np.testing.assert_allclose(bring(source, target), expected, atol=1e-4)


def test_bones_that_are_not_mapped_keep_their_pose_and_the_body_its_place(source) -> None:
    target = add_rig()
    expected = bring(source, target)
    target.animation_data_clear()
    bpy.context.view_layer.objects.active = target
    bpy.ops.object.mode_set(mode="EDIT")
    between = target.data.edit_bones.new("between")
    between.head, between.tail = (0, 0, 1.3), (0, 0, 1.4)
    between.parent = target.data.edit_bones["spine_03"]
    target.data.edit_bones["clavicle_l"].parent = between
    bpy.ops.object.mode_set(mode="OBJECT")
    target.pose.bones["between"].rotation_mode = "QUATERNION"
    target.pose.bones["between"].rotation_quaternion = (0.9, 0.3, 0.1, 0.0)
    found = bring(source, target)
    np.testing.assert_allclose(found[:, 0], expected[:, 0], atol=1e-4)
    assert target.pose.bones["between"].rotation_quaternion[0] < 0.95


@pytest.mark.parametrize("lift", [0.0, 0.96])
def test_feet_are_on_the_floor_where_the_origin_is_at_the_hips(source, lift) -> None:
    target = add_rig()
    target.data.transform(Matrix.Translation((0, 0, -0.96)))
    target.location.z = lift
    bpy.context.view_layer.update()
    heights = bring(source, target)[..., 2]
    assert 0.9 < heights[:, 0].mean() < 1.05


def test_an_object_that_carries_a_motion_is_a_source(source) -> None:
    carried, target = add_rig(), add_rig()
    expected = bring(source, carried, carrier="object", heading=True)
    np.testing.assert_allclose(bring(carried, target), expected, atol=1e-3)
