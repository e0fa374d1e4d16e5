# SPDX-License-Identifier: GPL-3.0-or-later
"""Importing motions from files, and retargeting."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...vp3d_core.errors import MotionFormatError
from ..capture_import import BvhAxes, import_motions
from ..retarget_apply import apply_retarget
from ..retarget_properties import retarget_settings
from ..rig_mapping import map_of
from ..selection import select_only
from .reporting import reports_errors

__all__ = ["register", "unregister"]

AXES = [("x", "X", ""), ("-x", "-X", ""), ("y", "Y", ""), ("-y", "-Y", ""), ("z", "Z", ""), ("-z", "-Z", "")]


class VP3D_OT_import_motion(bpy.types.Operator):
    """Import a motion file (.npz) or a BVH file as an armature with an action"""

    bl_idname = "vp3d.import_motion"
    bl_label = "Import Motion File"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.npz;*.bvh", options={"HIDDEN"})
    bvh_unit_m: bpy.props.FloatProperty(
        name="BVH Unit",
        description="Metres in one unit of a BVH file",
        default=0.01,
        min=1e-6,
        max=1000.0,
        precision=4,
    )
    bvh_up: bpy.props.EnumProperty(name="BVH Up", items=AXES, default="y")
    bvh_forward: bpy.props.EnumProperty(
        name="BVH Forward",
        description="Where somebody looks in the BVH file's rest pose",
        items=AXES,
        default="-z",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs Object Mode."""
        if context.mode == "OBJECT":
            return True
        cls.poll_message_set("Only in Object Mode")
        return False

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Import it."""
        if not self.filepath:
            raise MotionFormatError("No file was chosen", hint="Choose a .npz or .bvh file.")
        axes = BvhAxes(self.bvh_unit_m, self.bvh_up, self.bvh_forward)
        path = Path(bpy.path.abspath(self.filepath))
        done = import_motions([path], context=context, axes=axes)
        select_only(done.armatures, context=context)
        context.scene.vp3d.retarget.source = done.armatures[0]
        self.report({"INFO"}, f"Imported {path.name}")


class VP3D_OT_retarget_motion(bpy.types.Operator):
    """Bring the source's motion onto the target, as a new action"""

    bl_idname = "vp3d.retarget_motion"
    bl_label = "Retarget"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a source and another armature as target."""
        chosen = context.scene.vp3d.retarget
        if chosen.source is None:
            cls.poll_message_set("Choose the armature with the motion as source")
        elif chosen.target is None:
            cls.poll_message_set("Choose the armature to bring it onto as target")
        elif chosen.source == chosen.target:
            cls.poll_message_set("Source and target are the same")
        else:
            return True
        return False

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Retarget with the map that is shown, or with one that is found now."""
        chosen = context.scene.vp3d.retarget
        action = apply_retarget(
            chosen.source,
            chosen.target,
            map_of(chosen),
            retarget_settings(chosen),
            context=context,
            use_current_pose=chosen.rest_pose == "CURRENT",
        )
        self.report({"INFO"}, f"{chosen.target.name} has the new action {action.name}")


register, unregister = bpy.utils.register_classes_factory((VP3D_OT_import_motion, VP3D_OT_retarget_motion))
