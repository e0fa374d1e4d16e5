# SPDX-License-Identifier: GPL-3.0-or-later
"""The Retarget panel: from a captured armature onto any other."""

from __future__ import annotations

import bpy

from .capture_panel import CapturePanel

__all__ = ["register", "unregister"]


class VP3D_UL_mapped_bones(bpy.types.UIList):
    """A line for each part of the body."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: bpy.types.PropertyGroup,
        item: bpy.types.PropertyGroup,
        icon: int,
        active_data: bpy.types.PropertyGroup,
        active_property: str,
        index: int,
    ) -> None:
        """Draw part, bone picker and how sure the map is."""
        del context, data, icon, active_data, active_property, index
        split = layout.split(factor=0.42)
        row = split.row()
        row.alert = item.required and not item.bone
        row.label(text=item.label)
        row = split.row(align=True)
        row.label(text=item.bone.rpartition(":")[2] or "–")  # without "mixamorig:", which leaves no room
        sure = row.row()
        sure.ui_units_x = 2.4
        own = bool(item.bone) and item.bone != item.found
        sure.progress(
            factor=1.0 if own else item.confidence * bool(item.bone),
            text="own" if own else f"{item.confidence:.0%}",
        )


class VP3D_PT_retarget(CapturePanel, bpy.types.Panel):
    """Bring a motion onto another armature."""

    bl_label = "Retarget"
    bl_order = 2
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw source, target and the button."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = context.scene.vp3d.retarget
        layout.prop(chosen, "source")
        layout.prop(chosen, "target")
        if chosen.target is not None:
            row = layout.row(align=True)
            row.operator("vp3d.guess_map", icon="VIEWZOOM")
            row.operator("vp3d.load_map", text="", icon="FILE_FOLDER")
            row.operator("vp3d.save_map", text="", icon="FILE_TICK")
        row = layout.row()
        row.scale_y = 1.4
        row.operator("vp3d.retarget_motion", icon="ARMATURE_DATA")


class VP3D_PT_rig_map(CapturePanel, bpy.types.Panel):
    """Which bone plays which part."""

    bl_label = "Rig Mapping"
    bl_parent_id = "VP3D_PT_retarget"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a target whose map was found."""
        chosen = context.scene.vp3d.retarget
        return chosen.target is not None and len(chosen.bones) > 0

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the list of bones."""
        layout = self.layout
        chosen = context.scene.vp3d.retarget
        if chosen.family:
            layout.label(text=f"Recognised as {chosen.family.replace('_', ' ').title()}", icon="CHECKMARK")
        row = layout.row()
        row.template_list("VP3D_UL_mapped_bones", "", chosen, "bones", chosen, "bone_index", rows=8)
        column = row.column(align=True)
        column.operator("vp3d.add_map_bone", text="", icon="ADD")
        column.operator("vp3d.remove_map_bone", text="", icon="REMOVE")
        if 0 <= chosen.bone_index < len(chosen.bones):
            item = chosen.bones[chosen.bone_index]
            layout.prop_search(item, "bone", chosen.target.data, "bones", text=item.label)


class VP3D_PT_retarget_settings(CapturePanel, bpy.types.Panel):
    """How the motion is brought over."""

    bl_label = "Settings"
    bl_parent_id = "VP3D_PT_retarget"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw root motion, scale, arms, feet and limbs."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = context.scene.vp3d.retarget
        layout.prop(chosen, "rest_pose")
        layout.prop(chosen, "root_motion")
        layout.row(heading="Axes").prop(chosen, "root_axes", toggle=1, text="")
        column = layout.column()
        column.active = chosen.root_motion != "hips"
        column.prop(chosen, "root_heading")
        row = layout.row(heading="Scale")
        row.prop(chosen, "own_scale", text="")
        sub = row.row()
        sub.active = chosen.own_scale
        sub.prop(chosen, "scale", text="")
        layout.prop(chosen, "arm_spread_rad")
        layout.prop(chosen, "hip_height_offset")
        layout.prop(chosen, "plant_feet")
        layout.prop(chosen, "limbs")


register, unregister = bpy.utils.register_classes_factory(
    (VP3D_UL_mapped_bones, VP3D_PT_retarget, VP3D_PT_rig_map, VP3D_PT_retarget_settings)
)
