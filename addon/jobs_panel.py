# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of captures, those of earlier sessions too."""

from __future__ import annotations

import bpy

from .capture_panel import CapturePanel
from .job_drawing import draw_job, draw_text
from .job_list import STATUS_ICONS, chosen_job

__all__ = ["register", "unregister"]


class VP3D_UL_jobs(bpy.types.UIList):
    """A line for each capture."""

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
        """Draw status, video and time."""
        del context, data, icon, active_data, active_property, index
        row = layout.row()
        row.label(text=item.name, icon=STATUS_ICONS.get(item.status, "QUESTION"))
        sub = row.row()
        sub.alignment = "RIGHT"
        sub.label(text=item.started)


class VP3D_PT_jobs(CapturePanel, bpy.types.Panel):
    """Captures of this and earlier sessions."""

    bl_label = "Captures"
    bl_order = 1
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the list and what can be done with the chosen one."""
        layout = self.layout
        session = context.window_manager.vp3d
        row = layout.row()
        row.template_list("VP3D_UL_jobs", "", session, "jobs", session, "job_index", rows=4)
        column = row.column(align=True)
        column.operator("vp3d.refresh_jobs", text="", icon="FILE_REFRESH")
        column.operator("vp3d.open_job_folder", text="", icon="FILE_FOLDER")
        column.operator("vp3d.show_log", text="", icon="TEXT")
        column.operator("vp3d.remove_job", text="", icon="TRASH")
        job = chosen_job(session)
        if job is not None:
            if job.message:
                draw_text(layout.column(align=True), job.message)
            if job.status == "done":
                layout.operator("vp3d.import_job", icon="IMPORT")
            elif job.status != "in_use" or not draw_job(layout, "capture"):
                layout.operator("vp3d.resume_job", icon="PLAY")
        layout.operator("vp3d.import_motion", icon="FILEBROWSER")


register, unregister = bpy.utils.register_classes_factory((VP3D_UL_jobs, VP3D_PT_jobs))
