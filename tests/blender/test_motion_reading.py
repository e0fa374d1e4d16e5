# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import bpy
import numpy as np
import pytest
from vp3d.addon.armature import build_armature
from vp3d.addon.capture_import import import_motions
from vp3d.addon.motion_reading import read_motion
from vp3d.vp3d_core import bvh, motion_file
from vp3d.vp3d_core.errors import InputError

from tests.blender.motions import changed, walking


def bring(motion, tmp_path, *, name="Walk", kind="npz"):
    path = tmp_path / f"{name}.{kind}"
    (motion_file if kind == "npz" else bvh).save(path, motion)
    bpy.context.scene.render.fps = 30
    return import_motions([path], context=bpy.context, name=name).armatures[0]


def joints_by_name(motion):
    joints = motion.joints_world()
    return {name: joints[:, j] for j, name in enumerate(motion.skeleton.names)}


def test_a_capture_is_read_back_joint_for_joint(tmp_path) -> None:
    motion = changed(walking(), start_time_s=0.5)
    person = bring(motion, tmp_path)
    found = read_motion(person, context=bpy.context, first_frame=1)
    assert found.skeleton.names == motion.skeleton.names
    assert found.start_time_s == pytest.approx(0.5)
    assert found.frame_rate_hz == pytest.approx(30.0)
    np.testing.assert_allclose(found.joints_world(), motion.joints_world(), atol=1e-4)
    np.testing.assert_allclose(found.contacts, motion.contacts, atol=1e-6)


def test_constraints_count_and_give_the_same_without_effect(tmp_path) -> None:
    motion = walking()
    person = bring(motion, tmp_path)
    constraint = person.pose.bones["hand.L"].constraints.new("LIMIT_ROTATION")
    bpy.context.scene.frame_set(17)
    found = read_motion(person, context=bpy.context, first_frame=1)
    np.testing.assert_allclose(found.joints_world(), motion.joints_world(), atol=1e-4)
    assert bpy.context.scene.frame_current == 17
    constraint.use_limit_x = constraint.use_limit_y = constraint.use_limit_z = True
    constraint.owner_space = "LOCAL"
    person.pose.bones["head"].constraints.new("COPY_ROTATION").target = None
    held = read_motion(person, context=bpy.context, first_frame=1)
    hand = held.skeleton.names.index("left_wrist")
    np.testing.assert_allclose(np.abs(held.rotations[:, hand, 0]), 1.0, atol=1e-4)


def test_an_edited_capture_is_read_as_edited(tmp_path) -> None:
    person = bring(walking(), tmp_path)
    person.location.x += 2.0
    person.pose.bones["head"].rotation_mode = "XYZ"  # its quaternion keys count no more
    bpy.context.view_layer.update()
    found = joints_by_name(read_motion(person, context=bpy.context, first_frame=1))
    expected = joints_by_name(walking())
    np.testing.assert_allclose(found["left_toe"], expected["left_toe"] + [2.0, 0, 0], atol=1e-4)


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_another_armature_gives_a_joint_a_bone(tmp_path, scale) -> None:
    motion = walking()
    person = bring(motion, tmp_path, kind="bvh")
    person.scale = (scale,) * 3
    person.rotation_euler = (0.0, 0.0, 0.5)
    bpy.context.view_layer.update()
    found = joints_by_name(read_motion(person, context=bpy.context, first_frame=1))
    turn = np.array(person.matrix_world)[:3, :3]
    expected = joints_by_name(bvh.load(tmp_path / "Walk.bvh"))
    for name in ("pelvis", "left_wrist", "right_ankle", "head"):
        np.testing.assert_allclose(found[name], expected[name] @ turn.T, atol=1e-4)


def test_hips_that_slide_below_a_root_bone_carry_the_body(tmp_path) -> None:
    person = bring(walking(), tmp_path)
    person.data.bones["chest"].name = "Ribs"  # no capture's armature any more
    bpy.context.view_layer.objects.active = person
    bpy.ops.object.mode_set(mode="EDIT")
    root = person.data.edit_bones.new("root")
    root.tail = (0, 0.3, 0)
    person.data.edit_bones["hips"].parent = root
    bpy.ops.object.mode_set(mode="OBJECT")
    found = read_motion(person, context=bpy.context, first_frame=1)
    assert found.skeleton.names[found.skeleton.parents.index(-1)] == "hips"
    expected = joints_by_name(walking())
    np.testing.assert_allclose(joints_by_name(found)["shin.L"], expected["left_knee"], atol=1e-4)


def test_an_armature_without_action_is_named() -> None:
    collection = bpy.context.scene.collection
    still, _ = build_armature(walking(), name="Still", context=bpy.context, collection=collection)
    with pytest.raises(InputError, match="'Still' has no action"):
        read_motion(still, context=bpy.context, first_frame=1)
