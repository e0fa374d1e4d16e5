# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in a worker: preview, finding people, capturing. Buttons start it; scripts wait for it."""

from __future__ import annotations

import bpy

from .. import job_runner
from ..capture import start_capture
from ..people import start_people
from ..preview import start_preview
from ..session import say_error
from .reporting import invoke_reports_errors, reports_errors

__all__ = ["register", "unregister"]

KINDS = [(kind, kind.title(), "") for kind in ("capture", "people", "preview", "install", "weights")]


def can_start(operator: type[bpy.types.Operator], context: bpy.types.Context, kind: str) -> bool:
    """Return whether a worker of a kind can be started, and tell why not."""
    if not context.scene.vp3d.video_path:
        operator.poll_message_set("Choose a video first")
    elif context.window_manager.vp3d.worker_state != "READY":
        operator.poll_message_set("Install the worker environment first, in the add-on's preferences")
    elif job_runner.running(kind) is not None:
        operator.poll_message_set("It is running already")
    else:
        return True
    return False


class VP3D_OT_preview_video(bpy.types.Operator):
    """Show the video's length, rate and size, and pictures to scrub through"""

    bl_idname = "vp3d.preview_video"
    bl_label = "Show Preview"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a video and a worker."""
        return can_start(cls, context, "preview")

    @invoke_reports_errors
    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> None:
        """Start it and return at once."""
        start_preview(context.scene.vp3d.video_path)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Wait until it is there."""
        job_runner.wait(start_preview(context.scene.vp3d.video_path))


class VP3D_OT_find_people(bpy.types.Operator):
    """Look at some pictures of the video and show who is in it"""

    bl_idname = "vp3d.find_people"
    bl_label = "Find People"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a video and a worker."""
        return can_start(cls, context, "people")

    @invoke_reports_errors
    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> None:
        """Start it and return at once."""
        start_people(context.scene)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Wait until they are found."""
        job_runner.wait(start_people(context.scene))


class VP3D_OT_capture_video(bpy.types.Operator):
    """Capture the motion of the people in the video; Blender can be used meanwhile"""

    bl_idname = "vp3d.capture_video"
    bl_label = "Capture"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a video and a worker, and one capture at a time."""
        return can_start(cls, context, "capture")

    @invoke_reports_errors
    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> None:
        """Start it and return at once."""
        start_capture(context.scene)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Wait until it is done and import it."""
        job = start_capture(context.scene)
        job_runner.wait(job)
        return bpy.ops.vp3d.import_job(folder=str(job.folder))


class VP3D_OT_cancel_job(bpy.types.Operator):
    """Stop; what a capture has done is kept, and it can be resumed"""

    bl_idname = "vp3d.cancel_job"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    kind: bpy.props.EnumProperty(items=KINDS, options={"SKIP_SAVE"})

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask it to stop."""
        if job_runner.running(self.kind) is None:
            return {"CANCELLED"}
        job_runner.cancel(self.kind)
        return {"FINISHED"}


class VP3D_OT_dismiss_message(bpy.types.Operator):
    """Take this message away"""

    bl_idname = "vp3d.dismiss_message"
    bl_label = "Dismiss"
    bl_options = {"INTERNAL"}

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Forget it."""
        say_error(None, "")
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory(
    (
        VP3D_OT_preview_video,
        VP3D_OT_find_people,
        VP3D_OT_capture_video,
        VP3D_OT_cancel_job,
        VP3D_OT_dismiss_message,
    )
)
