# SPDX-License-Identifier: GPL-3.0-or-later
"""The Capture panel in the sidebar of the 3D viewport."""

from __future__ import annotations

import bpy

from . import job_runner
from .icons import icon_of
from .job_drawing import draw_job, draw_message
from .preview import preview_icon

__all__ = ["register", "unregister"]

PREVIEW_SCALE = 8.0
PERSON_SCALE = 3.4


class CapturePanel:
    """Where the panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mocap"


class VP3D_PT_capture(CapturePanel, bpy.types.Panel):
    """From a video to an armature."""

    bl_label = "Capture"
    bl_order = 0

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the way from the video to the Capture button."""
        layout = self.layout
        chosen, session = context.scene.vp3d, context.window_manager.vp3d
        if session.worker_state != "READY":
            _draw_worker(layout, session)
        _draw_video(layout, chosen, session)
        if chosen.video_path:
            _draw_people(layout, chosen, session)
            _draw_person_and_lens(layout, chosen)
        _draw_capture(layout, session)


class VP3D_PT_advanced(CapturePanel, bpy.types.Panel):
    """Settings that most captures do not need."""

    bl_label = "Advanced"
    bl_parent_id = "VP3D_PT_capture"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw detector, rate, smoothing and range."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = context.scene.vp3d
        layout.prop(chosen, "detector")
        if chosen.detector == "FILE":
            layout.prop(chosen, "keypoints_path")
        layout.prop(chosen, "rate")
        layout.prop(chosen, "smooth")
        layout.prop(chosen, "mirror")
        column = layout.column(heading="Part")
        column.prop(chosen, "use_range", text="")
        column = column.column(align=True)
        column.active = chosen.use_range
        column.prop(chosen, "start_s")
        column.prop(chosen, "end_s")


def _draw_worker(layout: bpy.types.UILayout, session: bpy.types.PropertyGroup) -> None:
    box = layout.box()
    box.label(text="The worker environment is missing", icon="ERROR")
    if not draw_job(box, "install"):
        box.operator("vp3d.install_worker", icon="IMPORT")
    box.operator("vp3d.open_preferences", icon="PREFERENCES")
    draw_message(box, session, "install")


def _draw_video(
    layout: bpy.types.UILayout, chosen: bpy.types.PropertyGroup, session: bpy.types.PropertyGroup
) -> None:
    if not chosen.video_path:
        row = layout.row()
        row.scale_y = 1.5
        row.operator("vp3d.choose_video", icon="FILE_MOVIE")
        layout.label(text="or drop one into the viewport")
        return
    layout.prop(chosen, "video_path", text="")
    draw_message(layout, session, "preview")
    icon = preview_icon(session, chosen.scrub)
    if icon and session.preview_video == chosen.video_path:  # undo may bring back another video
        box = layout.box().column(align=True)
        box.template_icon(icon, scale=PREVIEW_SCALE)
        time_s = chosen.scrub / 100.0 * session.preview_duration_s
        box.prop(chosen, "scrub", text=f"{time_s:.1f} s", slider=True)
        row = box.row()
        row.label(text=session.preview_info)
        row.label(text=session.preview_size)
    elif job_runner.running("preview") is not None:
        layout.label(text="Reading the video", icon="TIME")
    elif session.worker_state == "READY":
        layout.operator("vp3d.preview_video", icon="IMAGE_DATA")


def _draw_people(
    layout: bpy.types.UILayout, chosen: bpy.types.PropertyGroup, session: bpy.types.PropertyGroup
) -> None:
    if draw_job(layout, "people"):
        return
    row = layout.row(align=True)
    found = len(chosen.people) and chosen.people_video == chosen.video_path
    row.operator("vp3d.find_people", text="Find Again" if found else "Find People", icon="COMMUNITY")
    if not found:
        row.prop(chosen, "who", text="")
    draw_message(layout, session, "people")
    if not found:
        return
    column = layout.box().column()
    for person in chosen.people:
        row = column.row()
        icon = icon_of(person.picture)
        if icon:
            row.template_icon(icon, scale=PERSON_SCALE)
        details = row.column(align=True)
        details.active = person.chosen
        details.prop(person, "chosen", text=person.name)
        details.label(text=person.when)
        details.progress(factor=person.confidence, text=f"{person.confidence:.0%} sure")


def _draw_person_and_lens(layout: bpy.types.UILayout, chosen: bpy.types.PropertyGroup) -> None:
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    row = column.row(heading="Height")
    row.prop(chosen, "know_height", text="")
    sub = row.row()
    sub.active = chosen.know_height
    sub.prop(chosen, "height_m", text="")
    column.prop(chosen, "lens")
    if chosen.lens != "ESTIMATE":
        column.prop(chosen, {"FOV": "fov_deg", "FOCAL_MM": "focal_mm", "FOCAL_PX": "focal_px"}[chosen.lens])


def _draw_capture(layout: bpy.types.UILayout, session: bpy.types.PropertyGroup) -> None:
    draw_message(layout, session, "capture")
    if draw_job(layout, "capture"):
        return
    row = layout.row()
    row.scale_y = 1.6
    row.operator("vp3d.capture_video", icon="ARMATURE_DATA")
    if session.stopped_folder:
        text = f"Resume {session.stopped_name}"
        layout.operator("vp3d.resume_job", text=text, icon="PLAY").folder = session.stopped_folder


register, unregister = bpy.utils.register_classes_factory((VP3D_PT_capture, VP3D_PT_advanced))
