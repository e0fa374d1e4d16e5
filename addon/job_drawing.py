# SPDX-License-Identifier: GPL-3.0-or-later
"""How a running job and its error look: in the panel, the preferences and the status bar."""

from __future__ import annotations

import textwrap

import bpy

from . import job_runner

__all__ = ["draw_job", "draw_message", "draw_status_bar", "draw_text", "register", "unregister"]

PIXELS_PER_LETTER = 6.6
BOX_MARGIN_PX = 95.0  # tabs, box, icon and closing button
MARGIN_PX = 50.0  # tabs and the panel's edges
MIN_LETTERS = 24
CANCEL_WIDTH = 3.2


def draw_job(layout: bpy.types.UILayout, kind: str) -> bool:
    """Draw the running job of a kind with its Cancel button; return whether there is one."""
    running = job_runner.running(kind)
    if running is None:
        return False
    state = running.state
    column = layout.column(align=True)
    row = column.row()
    row.label(text="Stopping" if running.cancelled else state.stage_line)
    if state.eta_line:
        sub = row.row()
        sub.alignment = "RIGHT"
        sub.label(text=state.eta_line)
    row = column.row(align=True)
    row.scale_y = 1.3
    row.progress(factor=state.fraction or 0.0, text=state.count_line)
    sub = row.row(align=True)
    sub.ui_units_x = CANCEL_WIDTH
    sub.operator("vp3d.cancel_job").kind = kind
    return True


def draw_message(layout: bpy.types.UILayout, session: bpy.types.PropertyGroup, kind: str) -> None:
    """Draw what the last job of a kind failed with, and what to do."""
    if session.message_kind != kind or not session.message:
        return
    box = layout.box()
    row = box.row()
    column = row.column(align=True)
    draw_text(column, session.message, icon="ERROR", margin_px=BOX_MARGIN_PX)
    draw_text(column, session.message_hint, icon="BLANK1", margin_px=BOX_MARGIN_PX)
    row.operator("vp3d.dismiss_message", text="", icon="X", emboss=False)
    if session.message_folder:
        box.operator("vp3d.show_log", icon="TEXT").folder = session.message_folder


def draw_text(
    layout: bpy.types.UILayout, text: str, *, icon: str = "NONE", margin_px: float = MARGIN_PX
) -> None:
    """Draw text over as many lines as the region's width needs."""
    region = bpy.context.region
    scale = bpy.context.preferences.system.ui_scale
    width = region.width / scale if region is not None else 300.0
    letters = max(MIN_LETTERS, int((width - margin_px) / PIXELS_PER_LETTER))
    for number, line in enumerate(
        part for whole in text.splitlines() for part in textwrap.wrap(whole, letters)
    ):
        layout.label(text=line, icon=icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE"))


def draw_status_bar(header: bpy.types.Header, _context: bpy.types.Context) -> None:
    """Draw the running capture into the status bar."""
    running = job_runner.running("capture") or job_runner.running("people")
    if running is None:
        return
    row = header.layout.row(align=True)
    text = f"{running.title}: {running.state.stage_line}"
    row.label(text=text, icon="ARMATURE_DATA")
    bar = row.row(align=True)
    bar.ui_units_x = 8
    bar.progress(
        factor=running.state.fraction or 0.0, text=running.state.eta_line or running.state.count_line
    )
    row.operator("vp3d.cancel_job", text="", icon="CANCEL", emboss=False).kind = running.kind
    row.separator()


def register() -> None:
    """Show running captures in the status bar."""
    bpy.types.STATUSBAR_HT_header.prepend(draw_status_bar)


def unregister() -> None:
    """Leave the status bar as it was."""
    bpy.types.STATUSBAR_HT_header.remove(draw_status_bar)
