# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of captures: import, resume, log, folder, remove."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...vp3d_core.errors import InputError, VP3DError
from ...vp3d_core.job import LOG_NAME, log_tail
from ...vp3d_core.job_history import JobRecord, read_job, remove_job_folder
from .. import job_runner
from ..capture import resume_capture
from ..capture_import import import_motions
from ..installing import installer_folder
from ..job_list import chosen_job, refresh_jobs
from ..selection import select_only
from .reporting import invoke_reports_errors, report_error, reports_errors

__all__ = ["register", "unregister"]

LOG_LINES = 28
LOG_WIDTH = 760


class JobOperator:
    """Works on the job of a folder, or on the one that is chosen in the list."""

    folder: bpy.props.StringProperty(
        name="Folder",
        description="Job folder; empty takes the one that is chosen in the list",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )

    def job_folder(self, context: bpy.types.Context) -> Path:
        """Return the job folder.

        Raises:
            InputError: If none is given and none is chosen.
        """
        if self.folder:
            return Path(self.folder)
        job = chosen_job(context.window_manager.vp3d)
        if job is None:
            raise InputError("There is no capture to work on", hint="Choose one in the list of captures.")
        return Path(job.folder)


class VP3D_OT_refresh_jobs(bpy.types.Operator):
    """Read the list of captures again"""

    bl_idname = "vp3d.refresh_jobs"
    bl_label = "Refresh"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Read it."""
        refresh_jobs()
        return {"FINISHED"}


class VP3D_OT_import_job(JobOperator, bpy.types.Operator):
    """Bring the people of a finished capture into the scene, with camera and video"""

    bl_idname = "vp3d.import_job"
    bl_label = "Import Capture"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs Object Mode."""
        if context.mode == "OBJECT":
            return True
        cls.poll_message_set("Only in Object Mode")
        return False

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Import all its motions."""
        record = read_job(self.job_folder(context))
        if not record.motions:
            raise InputError(*_not_done(record))
        video = record.video if record.video.is_file() else None
        done = import_motions(record.motions, context=context, video=video, name=record.video.stem)
        select_only(done.armatures, context=context)
        context.scene.vp3d.retarget.source = done.armatures[0]
        count = len(done.armatures)
        people = "1 person" if count == 1 else f"{count} people"
        self.report({"INFO"}, f"Imported {people} from {record.video.name}")


def _not_done(record: JobRecord) -> tuple[str, ...]:
    text = f"The capture of {record.video.name} holds no motion: it {record.status.replace('_', ' ')}"
    return (text.replace("it in use", "it is still running"),)


class VP3D_OT_resume_job(JobOperator, bpy.types.Operator):
    """Go on with a capture that was cancelled, interrupted or failed; what is done is not done again"""

    bl_idname = "vp3d.resume_job"
    bl_label = "Resume"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One capture at a time."""
        if job_runner.running("capture") is None:
            return True
        cls.poll_message_set("A capture is running")
        return False

    @invoke_reports_errors
    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> None:
        """Start it and return at once."""
        resume_capture(self.job_folder(context))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Wait until it is done."""
        job_runner.wait(resume_capture(self.job_folder(context)))


class VP3D_OT_show_log(JobOperator, bpy.types.Operator):
    """Show the end of the log, with what went wrong"""

    bl_idname = "vp3d.show_log"
    bl_label = "Show Log"

    kind: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})
    lines: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Read the log and show it."""
        try:
            self.lines = self._read(context)
        except VP3DError as error:
            return report_error(self, error)
        return context.window_manager.invoke_popup(self, width=LOG_WIDTH)

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the lines."""
        column = self.layout.column(align=True)
        column.label(text="Log", icon="TEXT")
        for line in self.lines.splitlines():
            column.label(text=line.expandtabs(2))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Report the lines."""
        self.report({"INFO"}, self._read(context))

    def _read(self, context: bpy.types.Context) -> str:
        folder = installer_folder(self.kind) if self.kind else self.job_folder(context)
        return log_tail(folder / LOG_NAME, lines=LOG_LINES) or f"{folder / LOG_NAME} is empty"


class VP3D_OT_open_job_folder(JobOperator, bpy.types.Operator):
    """Open the folder of a capture, with its overlay, report and motion files"""

    bl_idname = "vp3d.open_job_folder"
    bl_label = "Open Folder"

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Open it in the system's file manager."""
        folder = self.job_folder(context)
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}", hint="Refresh the list of captures.")
        if not bpy.app.background:
            out = folder / "out"
            bpy.ops.wm.path_open(filepath=str(out if out.is_dir() else folder))
        self.report({"INFO"}, str(folder))


class VP3D_OT_remove_job(JobOperator, bpy.types.Operator):
    """Remove a capture from the disk, with all its files; what was imported stays"""

    bl_idname = "vp3d.remove_job"
    bl_label = "Remove Capture"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(
            self,
            event,
            title="Remove this capture?",
            message="Its files are deleted from the disk. What was imported stays.",
            confirm_text="Remove",
            icon="WARNING",
        )

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Remove its folder."""
        folder = self.job_folder(context)
        running = job_runner.running("capture")
        if running is not None and running.folder == folder:
            raise InputError("This capture is running", hint="Cancel it first.")
        remove_job_folder(folder)
        refresh_jobs()


register, unregister = bpy.utils.register_classes_factory(
    (
        VP3D_OT_refresh_jobs,
        VP3D_OT_import_job,
        VP3D_OT_resume_job,
        VP3D_OT_show_log,
        VP3D_OT_open_job_folder,
        VP3D_OT_remove_job,
    )
)
