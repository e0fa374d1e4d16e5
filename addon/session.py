# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels show of this Blender session: jobs, worker, preview, the last error. Never saved."""

from __future__ import annotations

import bpy

from ..vp3d_core.errors import VP3DError
from .hints import hint_in_blender

__all__ = ["JobItem", "Session", "register", "say_error", "unregister"]


class JobItem(bpy.types.PropertyGroup):
    """A capture of the past in the list."""

    folder: bpy.props.StringProperty()
    video: bpy.props.StringProperty()
    status: bpy.props.StringProperty()
    message: bpy.props.StringProperty()
    started: bpy.props.StringProperty()
    motions: bpy.props.IntProperty()


class Session(bpy.types.PropertyGroup):
    """State of the user interface."""

    jobs: bpy.props.CollectionProperty(type=JobItem)
    job_index: bpy.props.IntProperty(name="Capture")
    jobs_folder_default: bpy.props.StringProperty()
    worker_state: bpy.props.StringProperty()
    worker_text: bpy.props.StringProperty()
    weights_missing: bpy.props.BoolProperty()
    preview_video: bpy.props.StringProperty()
    preview_count: bpy.props.IntProperty()
    preview_duration_s: bpy.props.FloatProperty()
    preview_info: bpy.props.StringProperty()
    preview_size: bpy.props.StringProperty()
    message: bpy.props.StringProperty()
    message_hint: bpy.props.StringProperty()
    message_kind: bpy.props.StringProperty()
    message_folder: bpy.props.StringProperty()
    stopped_folder: bpy.props.StringProperty()
    stopped_name: bpy.props.StringProperty()
    file_number: bpy.props.IntProperty()


def say_error(error: VP3DError | None, kind: str, *, folder: str = "") -> None:
    """Show an error beside the buttons it belongs to, or take the last one away.

    Args:
        error: What went wrong, or None.
        kind: Kind of the job.
        folder: Job folder whose log tells more, or "".
    """
    session = bpy.context.window_manager.vp3d
    session.message = error.message if error is not None else ""
    session.message_hint = hint_in_blender(error.code, error.hint) if error is not None else ""
    session.message_kind = kind
    session.message_folder = folder if error is not None else ""


_register_classes, _unregister_classes = bpy.utils.register_classes_factory((JobItem, Session))


def register() -> None:
    """Add the session to the window manager."""
    _register_classes()
    bpy.types.WindowManager.vp3d = bpy.props.PointerProperty(type=Session, options={"SKIP_SAVE"})


def unregister() -> None:
    """Take it away again."""
    del bpy.types.WindowManager.vp3d
    _unregister_classes()
