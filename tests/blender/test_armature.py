# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import bpy
import numpy as np
import pytest
from vp3d.addon.armature import build_armature, motion_curves, read_rig
from vp3d.addon.fcurves import write_curves
from vp3d.vp3d_core import bvh

from tests.blender.scene_checks import joints_in_scene

# A chain with a joint of no length, a fork, an end site of some length and one of none; channels Z X Y.
TURNING_BVH = """HIERARCHY
ROOT Hips
{ OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT LHipJoint
  { OFFSET 0 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT LeftUpLeg
    { OFFSET 10 -4 0
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site { OFFSET 0 -40 3 }
    }
  }
  JOINT Spine
  { OFFSET 0 20 1
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT LeftArm
    { OFFSET 15 20 0
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site { OFFSET 0 0 0 }
    }
    JOINT Head
    { OFFSET 0 30 0
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site { OFFSET 0 18 0 }
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.04
0 90 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
5 91 3 10 20 30 40 50 60 70 80 90 15 25 35 -20 30 40 80 20 -10
9 88 -3 170 -60 30 140 10 -60 -70 50 20 -15 65 5 20 -90 140 10 -20 50
"""


def make(motion, name="Capture"):
    collection = bpy.context.scene.collection
    return build_armature(motion, name=name, context=bpy.context, collection=collection)


def move(motion, armature_object, bones, first=1):
    frames = first + np.arange(len(motion.root_positions), dtype=float)
    curves = motion_curves(motion, armature_object, bones=bones, frames=frames)
    return write_curves(armature_object, curves, action_name="Walk")


def test_every_joint_lies_where_the_motion_has_it(walking_motion) -> None:
    armature_object, bones = make(walking_motion)
    move(walking_motion, armature_object, bones)
    expected = walking_motion.joints_world()
    for frame in (1, 7, 30, 60):
        joints = joints_in_scene(armature_object, frame, motion=walking_motion, bones=bones)
        np.testing.assert_allclose(joints, expected[frame - 1], atol=1e-4)


def test_the_rest_pose_is_a_t_pose_on_the_floor(walking_motion) -> None:
    armature_object, _ = make(walking_motion)
    bones = armature_object.data.bones
    assert min(bone.tail_local.z for bone in bones) == pytest.approx(0.02, abs=0.003)
    along = {bone.name: (bone.tail_local - bone.head_local).normalized() for bone in bones}
    assert along["upper_arm.L"].x > 0.95
    assert along["upper_arm.R"].x < -0.95
    assert along["foot.L"].y < -0.5
    assert bones["foot.L"].head_local.x > 0


def test_bones_are_connected_grouped_and_rolled_alike_on_both_sides(walking_motion) -> None:
    bones = make(walking_motion)[0].data.bones
    apart = {bone.name for bone in bones if not bone.use_connect}
    assert apart == {
        "hips", "thigh.L", "thigh.R", "nose", "ear.L", "ear.R", "heel.L", "heel.R",
    }  # fmt: skip
    groups = {c.name: {bone.name for bone in c.bones} for c in bones["hips"].id_data.collections}
    assert set(groups) == {"Body", "Head", "Arms", "Legs", "Helpers"}
    assert groups["Body"] == {"hips", "spine", "chest"}
    for name in ("upper_arm", "forearm", "hand", "thigh", "shin", "foot"):
        left, right = bones[f"{name}.L"].matrix_local, bones[f"{name}.R"].matrix_local
        mirrored = np.array(left)[:3, :3] * [[-1], [1], [1]] * [-1, 1, 1]
        np.testing.assert_allclose(np.array(right)[:3, :3], mirrored, atol=1e-5)


@pytest.mark.parametrize(
    ("bone", "child", "towards"),
    [
        ("thigh.L", "shin.L", (0, 1, 0)),
        ("upper_arm.R", "forearm.R", (0, -1, 0)),
        ("spine", "chest", (0, -1, 0)),
    ],
)
def test_turning_about_x_bends(walking_motion, bone, child, towards) -> None:
    armature_object, _ = make(walking_motion)
    pose_bone = armature_object.pose.bones[child]
    before = pose_bone.tail.copy()
    pose_bone.rotation_quaternion = (0.7071068, 0.7071068, 0, 0)
    bpy.context.view_layer.update()
    assert (pose_bone.tail - before).normalized().dot(towards) > 0.6


def test_a_bvh_of_any_skeleton_is_met_joint_for_joint(tmp_path) -> None:
    path = tmp_path / "turn.bvh"
    path.write_text(TURNING_BVH)
    motion = bvh.load(path)
    armature_object, bones = make(motion)
    move(motion, armature_object, bones, first=100)
    expected = motion.joints_world()
    for frame in (100, 101, 102):
        joints = joints_in_scene(armature_object, frame, motion=motion, bones=bones)
        np.testing.assert_allclose(joints, expected[frame - 100], atol=1e-4)


def test_making_one_leaves_selection_mode_and_active_object(walking_motion) -> None:
    first, _ = make(walking_motion)
    view_layer = bpy.context.view_layer
    view_layer.objects.active = first
    first.select_set(True)
    bpy.ops.object.mode_set(mode="POSE")
    second, _ = make(walking_motion)
    assert view_layer.objects.active == first
    assert first.mode == "POSE"
    assert first.select_get()
    assert not second.select_get()


def test_a_rig_is_read_as_it_stands(walking_motion) -> None:
    armature_object, bones = make(walking_motion)
    armature_object.location = (1, 2, 3)
    armature_object.pose.bones["hips"]["IK_FK"] = 1.0
    armature_object.pose.bones["head"].rotation_mode = "XYZ"
    armature_object.data.bones["head"].use_inherit_rotation = False
    bpy.context.view_layer.update()
    rig = read_rig(armature_object)
    assert set(rig.bone_names) == {bone.name for bone in bones}
    assert rig.properties == {("hips", "IK_FK"): 1.0}
    head = rig.index("head")
    assert rig.rotation_modes[head] == "XYZ"
    assert not rig.inherits_rotation[head]
    assert rig.inherits_rotation.sum() == len(rig.bone_names) - 1
    np.testing.assert_allclose(rig.world_from_armature[:3, 3], [1, 2, 3])
    for number, name in enumerate(rig.bone_names):
        rest = armature_object.data.bones[name].matrix_local
        np.testing.assert_allclose(rig.armature_from_bone[number], np.array(rest), atol=1e-7)
        parent = armature_object.data.bones[name].parent
        assert rig.parents[number] == (rig.index(parent.name) if parent else -1)


def test_a_rig_in_edit_mode_is_read_as_edited(walking_motion) -> None:
    armature_object, _ = make(walking_motion)
    bpy.context.view_layer.objects.active = armature_object
    bpy.ops.object.mode_set(mode="EDIT")
    edited = armature_object.data.edit_bones["head"]
    edited.tail = edited.head + (edited.tail - edited.head) * 2
    length = edited.length
    assert read_rig(armature_object).lengths[read_rig(armature_object).index("head")] == pytest.approx(length)
    bpy.ops.object.mode_set(mode="OBJECT")
