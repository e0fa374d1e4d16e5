# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing the video: in the file browser, or dropped into the viewport."""

from __future__ import annotations

import bpy

from ...vp3d_core.errors import VideoReadError
from ..properties import VIDEO_FILTER
from .reporting import reports_errors

__all__ = ["register", "unregister"]


class VP3D_OT_choose_video(bpy.types.Operator):
    """Choose the video to capture"""

    bl_idname = "vp3d.choose_video"
    bl_label = "Capture Motion from Video"  # also stands in the menu that a dropped video opens
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default=VIDEO_FILTER, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file, unless one was dropped."""
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Make the file the scene's video; its preview starts by that."""
        if not self.filepath:
            raise VideoReadError("No video was chosen", hint="Choose a video file.")
        context.scene.vp3d.video_path = self.filepath


class VP3D_FH_video(bpy.types.FileHandler):
    """Takes videos that are dropped into the viewport."""

    bl_idname = "VP3D_FH_video"
    bl_label = "Motion Capture"
    bl_import_operator = "vp3d.choose_video"
    bl_file_extensions = VIDEO_FILTER.replace("*", "")

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Only in the 3D viewport."""
        return context.area is not None and context.area.type == "VIEW_3D"


register, unregister = bpy.utils.register_classes_factory((VP3D_OT_choose_video, VP3D_FH_video))
