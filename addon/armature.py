# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures: read one as a Rig, and make one for a Motion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np

from ..vp3d_core.armature_plan import curves_for_armature, plan_armature
from ..vp3d_core.arrays import Array
from ..vp3d_core.motion import Motion
from ..vp3d_core.planned_bone import PlannedBone
from ..vp3d_core.retarget.rig import BoneCurves, Rig
from .object_place import world_matrix

__all__ = ["build_armature", "motion_curves", "read_rig"]

THEME_OF_SIDE = {"L": "THEME04", "R": "THEME01", "": "DEFAULT"}  # blue left, red right
HIDDEN_GROUP = "Helpers"
STANDS_STILL = 1e-6  # rad, or armature units


def read_rig(armature_object: bpy.types.Object) -> Rig:
    """Return the rest pose and the settings of an armature object's bones, parents first."""
    if armature_object.mode == "EDIT":
        armature_object.update_from_editmode()
    bones = _parents_first(armature_object.data.bones)
    index = {bone.name: number for number, bone in enumerate(bones)}
    pose_bones = [armature_object.pose.bones[bone.name] for bone in bones]
    return Rig(
        name=armature_object.name,
        bone_names=tuple(bone.name for bone in bones),
        parents=tuple(index[bone.parent.name] if bone.parent else -1 for bone in bones),
        armature_from_bone=np.array([bone.matrix_local for bone in bones], dtype=np.float64).reshape(
            -1, 4, 4
        ),
        lengths=np.array([bone.length for bone in bones], dtype=np.float64),
        world_from_armature=np.array(world_matrix(armature_object), dtype=np.float64),
        inherits_rotation=np.array([bone.use_inherit_rotation for bone in bones], dtype=bool),
        connected=np.array([bone.use_connect and bone.parent is not None for bone in bones], dtype=bool),
        deforms=np.array([bone.use_deform for bone in bones], dtype=bool),
        rotation_modes=tuple(pose_bone.rotation_mode for pose_bone in pose_bones),
        properties={
            (pose_bone.name, name): float(value)
            for pose_bone in pose_bones
            for name, value in pose_bone.items()
            if isinstance(value, (bool, int, float))
        },
        local_locations=np.array([bone.use_local_location for bone in bones], dtype=bool),
        standing_rotations=_standing_rotations(pose_bones),
        standing_locations={
            pose_bone.name: np.array(pose_bone.location, dtype=np.float64)
            for pose_bone in pose_bones
            if any(abs(part) > STANDS_STILL for part in pose_bone.location)
        },
    )


def _standing_rotations(pose_bones: Sequence[bpy.types.PoseBone]) -> dict[str, Array]:
    """Return the basis quaternions of the bones that are turned."""
    quats = {pose_bone.name: pose_bone.matrix_basis.to_quaternion() for pose_bone in pose_bones}
    return {
        name: np.array(quat, dtype=np.float64) for name, quat in quats.items() if quat.angle > STANDS_STILL
    }


def build_armature(
    motion: Motion, *, name: str, context: bpy.types.Context, collection: bpy.types.Collection
) -> tuple[bpy.types.Object, tuple[PlannedBone, ...]]:
    """Make an armature for a motion's skeleton, in its rest pose at the world's origin.

    Args:
        motion: A capture, or a motion of any skeleton.
        name: Of the object and its data; Blender makes it unique.
        context: Where to enter edit mode; the user's mode, selection and active object are kept.
        collection: Receives the object.

    Returns:
        The object and its bones as planned, with the names they have.
    """
    bones = plan_armature(motion.skeleton)
    armature = bpy.data.armatures.new(name)
    armature_object = bpy.data.objects.new(name, armature)
    with _edit_bones(armature_object, context):
        _make_bones(armature, bones)
    collection.objects.link(armature_object)
    armature_object.show_in_front = True
    armature.display_type = "OCTAHEDRAL"
    _group_bones(armature, bones)
    for pose_bone, bone in zip((armature_object.pose.bones[b.name] for b in bones), bones, strict=True):
        pose_bone.rotation_mode = "QUATERNION"
        pose_bone.bone.color.palette = THEME_OF_SIDE[bone.side]
        pose_bone.bone.use_deform = bone.group != HIDDEN_GROUP
    return armature_object, bones


def motion_curves(
    motion: Motion, armature_object: bpy.types.Object, *, bones: Sequence[PlannedBone], frames: Array
) -> BoneCurves:
    """Return the curves that bring an armature from ``build_armature`` onto a motion of the same frames."""
    return curves_for_armature(motion, read_rig(armature_object), bones=bones, frames=frames)


def _parents_first(bones: Sequence[bpy.types.Bone]) -> list[bpy.types.Bone]:
    ordered = [bone for bone in bones if bone.parent is None]
    for bone in ordered:  # grows while it is walked
        ordered += bone.children
    return ordered


@contextmanager
def _edit_bones(armature_object: bpy.types.Object, context: bpy.types.Context) -> Iterator[None]:
    """Be in edit mode of a new armature object; afterwards everything is as it was."""
    view_layer, scene = context.view_layer, context.scene
    before = view_layer.objects.active
    mode = before.mode if before is not None else "OBJECT"
    selected = [each for each in view_layer.objects if each.select_get(view_layer=view_layer)]
    if mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    scene.collection.objects.link(armature_object)  # always part of the view layer
    view_layer.objects.active = armature_object
    try:
        bpy.ops.object.mode_set(mode="EDIT")
        yield
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        scene.collection.objects.unlink(armature_object)
        view_layer.objects.active = before
        for each in selected:
            each.select_set(True, view_layer=view_layer)
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)


def _make_bones(armature: bpy.types.Armature, bones: Sequence[PlannedBone]) -> None:
    made: list[bpy.types.EditBone] = []
    for bone in bones:
        edit_bone = armature.edit_bones.new(bone.name)
        edit_bone.head, edit_bone.tail = bone.head, bone.tail
        edit_bone.align_roll(bone.z_axis)
        if bone.parent >= 0:
            edit_bone.parent = made[bone.parent]
            edit_bone.use_connect = bone.connected
        made.append(edit_bone)


def _group_bones(armature: bpy.types.Armature, bones: Sequence[PlannedBone]) -> None:
    groups = list(dict.fromkeys(bone.group for bone in bones))
    if len(groups) < 2:
        return
    for group in groups:
        collection = armature.collections.new(group)
        collection.is_visible = group != HIDDEN_GROUP
        for bone in bones:
            if bone.group == group:
                collection.assign(armature.bones[bone.name])
