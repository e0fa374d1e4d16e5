# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures: started, resumed, and brought into the scene when they are done.

A finished capture comes in by itself only if the file it was started in is still open, the user is in Object
Mode, and nothing modal is going on; otherwise it waits, or stays in the list.
"""

from __future__ import annotations

from pathlib import Path

import bpy

from ..vp3d_core.capture.job_file import CaptureJob
from ..vp3d_core.errors import VP3DError
from ..vp3d_core.job_history import new_job_folder
from . import job_runner
from .extension import first_window
from .job_list import refresh_jobs
from .job_runner import RunningJob
from .preferences import choices
from .properties import capture_settings
from .session import say_error
from .worker_environment import worker_job_command

__all__ = ["register", "resume_capture", "start_capture", "unregister"]

RETRY_S = 0.5


def start_capture(scene: bpy.types.Scene) -> RunningJob:
    """Start to capture a scene's video in a new job folder.

    Raises:
        VP3DError: If there is no worker, the settings are wrong, or the folder cannot be written.
    """
    say_error(None, "capture")
    settings = capture_settings(scene)
    video = Path(bpy.path.abspath(scene.vp3d.video_path))
    worker_job_command("capture", Path())  # so that no folder is made in vain
    folder = new_job_folder(choices().jobs_folder, video)
    CaptureJob(video, folder / "out", settings).save(folder)
    return resume_capture(folder)


def resume_capture(folder: Path) -> RunningJob:
    """Start the capture of a job folder, again or for the first time; what is done is not done again.

    Raises:
        VP3DError: If there is no worker, or the folder cannot be written.
    """
    say_error(None, "capture")
    _show_stopped(None)
    video = CaptureJob.load(folder).video
    file_number = bpy.context.window_manager.vp3d.file_number
    job = job_runner.start(
        "capture",
        video.stem,
        folder=folder,
        command=worker_job_command("capture", folder),
        on_end=lambda job: _finish(job, file_number),
    )
    refresh_jobs(choose=str(folder))
    return job


def _finish(job: RunningJob, file_number: int) -> None:
    session = bpy.context.window_manager.vp3d
    refresh_jobs()
    if job.error is not None:
        if job.error.code == "cancelled":
            _show_stopped(job)
        else:
            say_error(job.error, "capture", folder=str(job.folder))
        return
    if bpy.app.background or not choices().import_when_done or session.file_number != file_number:
        return
    folder = str(job.folder)
    bpy.app.timers.register(lambda: _import_when_possible(folder, file_number), persistent=True)


def _show_stopped(job: RunningJob | None) -> None:
    """Have the panel offer to resume a capture that was cancelled, or not any more."""
    session = bpy.context.window_manager.vp3d
    session.stopped_folder = str(job.folder) if job is not None else ""
    session.stopped_name = job.title if job is not None else ""


def _import_when_possible(folder: str, file_number: int) -> float | None:
    """Import a finished capture, or return in how many seconds to try again."""
    window = first_window()
    session = bpy.context.window_manager.vp3d
    if window is None or session.file_number != file_number:
        return None  # it stays in the list
    with bpy.context.temp_override(window=window):
        if bpy.context.mode != "OBJECT" or len(window.modal_operators) or bpy.app.is_job_running("RENDER"):
            return RETRY_S
        try:
            bpy.ops.vp3d.import_job("EXEC_DEFAULT", True, folder=folder)
        except RuntimeError as error:  # what the operator reported
            say_error(VP3DError(str(error).strip()), "capture", folder=folder)
    return None


@bpy.app.handlers.persistent
def _file_loaded(_path: object) -> None:
    """Count the files that were opened, and list the captures again: loading takes both away."""
    from .worker_environment import refresh_worker_state

    session = bpy.context.window_manager.vp3d
    _loads["count"] += 1
    session.file_number = _loads["count"]
    session.preview_video = ""
    session.preview_count = 0
    refresh_worker_state()
    refresh_jobs()


_loads = {"count": 0}  # of files; the window manager's properties may not survive one


def register() -> None:
    """Notice when another file is opened."""
    bpy.app.handlers.load_post.append(_file_loaded)


def unregister() -> None:
    """Notice it no longer."""
    bpy.app.handlers.load_post.remove(_file_loaded)
