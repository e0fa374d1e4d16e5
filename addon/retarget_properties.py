# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scene keeps of the retargeting: source, target, map, settings; values leave as the core's types."""

from __future__ import annotations

import math

import bpy

from ..vp3d_core.retarget.settings import RetargetSettings

__all__ = ["MappedBone", "RetargetChoices", "register", "retarget_settings", "unregister"]


def _is_armature(_choices: bpy.types.PropertyGroup, ob: bpy.types.Object) -> bool:
    return ob.type == "ARMATURE"


def _target_changed(retarget: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    retarget.bones.clear()
    retarget.family = retarget.map_json = ""


class MappedBone(bpy.types.PropertyGroup):
    """One bone of a role; a role with several bones has several of these, from root to tip."""

    role: bpy.props.StringProperty()
    label: bpy.props.StringProperty()
    bone: bpy.props.StringProperty(name="Bone", description="Bone of the target that plays this part")
    found: bpy.props.StringProperty()
    confidence: bpy.props.FloatProperty()
    required: bpy.props.BoolProperty()


class RetargetChoices(bpy.types.PropertyGroup):
    """Source, target, map and settings of a retarget."""

    source: bpy.props.PointerProperty(
        name="Source",
        description="Armature with the captured motion",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    target: bpy.props.PointerProperty(
        name="Target",
        description="Armature to bring the motion onto",
        type=bpy.types.Object,
        poll=_is_armature,
        update=_target_changed,
    )
    family: bpy.props.StringProperty()
    map_json: bpy.props.StringProperty()
    bones: bpy.props.CollectionProperty(type=MappedBone)
    bone_index: bpy.props.IntProperty(name="Part of the Body")
    rest_pose: bpy.props.EnumProperty(
        name="Rest Pose",
        description="The pose of the target that stands for the source's rest pose",
        items=[
            ("REST", "Rest Pose", "The target's rest pose: an A or T pose is brought in line by itself"),
            ("CURRENT", "Current Pose", "The pose that the target stands in now"),
        ],
    )
    root_motion: bpy.props.EnumProperty(
        name="Travel",
        description="What carries the way over the floor",
        items=[
            ("hips", "Hips", "The hips"),
            ("root_bone", "Root Bone", "The rig's root bone; the hips keep their height and sway"),
            ("object", "Object", "The armature object; the hips keep their height and sway"),
        ],
    )
    root_axes: bpy.props.BoolVectorProperty(
        name="Axes",
        description="World axes of the way that are kept; Z alone walks in place",
        default=(True,) * 3,
    )
    root_heading: bpy.props.BoolProperty(
        name="Turn with the Body", description="Root bone or object also turn about the vertical"
    )
    own_scale: bpy.props.BoolProperty(
        name="Scale", description="Give the scale of the way; otherwise it is that of the leg lengths"
    )
    scale: bpy.props.FloatProperty(name="Scale", min=0.001, max=1000.0, default=1.0)
    arm_spread_rad: bpy.props.FloatProperty(
        name="Arm Spread",
        description="Turn the upper arms away from a stouter body",
        subtype="ANGLE",
        min=-0.5,
        max=0.5,
        step=10 * math.degrees(0.01),
    )
    plant_feet: bpy.props.BoolProperty(
        name="Plant Feet",
        description="Feet that stand keep standing on the target's proportions",
        default=True,
    )
    limbs: bpy.props.EnumProperty(
        name="Limbs",
        description="Which controls are keyed where the rig has both",
        items=[
            ("fk", "FK", "FK controls, with the rig's switches set to FK"),
            ("ik", "IK", "IK controls, with the rig's switches set to IK"),
            ("both", "FK and IK", "Both, so that one can switch"),
        ],
    )
    hip_height_offset: bpy.props.FloatProperty(
        name="Hip Height", description="Added to the height of the hips", subtype="DISTANCE", unit="LENGTH"
    )


def retarget_settings(chosen: bpy.types.PropertyGroup) -> RetargetSettings:
    """Return the settings that a scene's choices stand for."""
    return RetargetSettings(
        root_motion=chosen.root_motion,
        root_axes=tuple(chosen.root_axes),
        root_heading=chosen.root_heading,
        scale=chosen.scale if chosen.own_scale else None,
        arm_spread_rad=chosen.arm_spread_rad,
        plant_feet=chosen.plant_feet,
        limbs=chosen.limbs,
        hip_height_offset=chosen.hip_height_offset,
    )


register, unregister = bpy.utils.register_classes_factory((MappedBone, RetargetChoices))
