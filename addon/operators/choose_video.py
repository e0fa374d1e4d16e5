# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing the video: in the file browser, or dropped into the viewport."""

from __future__ import annotations

import bpy

from ...vp3d_core.errors import VideoReadError
from ..properties import VIDEO_FILTER
from .reporting import reports_errors

__all__ = ["register", "unregister"]


class VideoOperator:
    """Makes a file the scene's video."""

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Make the file the scene's video; its preview starts by that."""
        if not self.filepath:
            raise VideoReadError("No video was chosen", hint="Choose a video file.")
        context.scene.vp3d.video_path = self.filepath


class VP3D_OT_choose_video(VideoOperator, bpy.types.Operator):
    """Choose the video to capture"""

    bl_idname = "vp3d.choose_video"
    bl_label = "Choose Video"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    filter_glob: bpy.props.StringProperty(default=VIDEO_FILTER, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class VP3D_OT_drop_video(VideoOperator, bpy.types.Operator):
    """Take the video that was dropped for motion capture"""

    bl_idname = "vp3d.drop_video"
    bl_label = "Capture Motion from Video"  # stands in the menu that a dropped video opens
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}


class VP3D_FH_video(bpy.types.FileHandler):
    """Takes videos that are dropped into the viewport."""

    bl_idname = "VP3D_FH_video"
    bl_label = "Motion Capture"
    bl_import_operator = "vp3d.drop_video"
    bl_file_extensions = VIDEO_FILTER.replace("*", "")

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Only in the 3D viewport."""
        return context.area is not None and context.area.type == "VIEW_3D"


register, unregister = bpy.utils.register_classes_factory(
    (VP3D_OT_choose_video, VP3D_OT_drop_video, VP3D_FH_video)
)
