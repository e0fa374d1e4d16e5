# SPDX-License-Identifier: GPL-3.0-or-later
"""The preview of the chosen video: pictures to scrub through, length, rate and size."""

from __future__ import annotations

import json
from pathlib import Path

import bpy

from ..vp3d_core.capture.job_file import CaptureJob
from ..vp3d_core.capture.preview_command import PREVIEW_NAME
from ..vp3d_core.errors import VP3DError
from ..vp3d_core.protocol import Event, ProgressEvent
from . import icons, job_runner
from .extension import redraw
from .job_runner import RunningJob
from .session import say_error
from .worker_environment import worker_job_command

__all__ = ["preview_icon", "start_preview", "video_changed"]

ICON = "preview-{:03d}"


def video_changed(chosen: bpy.types.PropertyGroup) -> None:
    """Forget what was known of another video, and look at the new one."""
    session = bpy.context.window_manager.vp3d
    if chosen.video_path == session.preview_video:
        return
    session.preview_video = ""
    session.preview_count = 0
    session.preview_info = session.preview_size = ""
    chosen.scrub = 0.0
    if chosen.people_video != chosen.video_path:
        chosen.people.clear()
    if chosen.video_path and session.worker_state == "READY" and not bpy.app.background:
        try:
            start_preview(chosen.video_path)
        except VP3DError as error:
            say_error(error, "preview")


def start_preview(video_path: str) -> RunningJob:
    """Start to read the preview of a video.

    Args:
        video_path: As the user chose it, perhaps relative to the file.

    Raises:
        VP3DError: If there is no worker.
    """
    say_error(None, "preview")
    folder = Path(bpy.app.tempdir) / "vp3d-preview"
    command = worker_job_command("preview", folder)
    session = bpy.context.window_manager.vp3d
    icons.clear("preview-")
    session.preview_video, session.preview_count = video_path, 0
    CaptureJob(Path(bpy.path.abspath(video_path)), folder / "out").save(folder)
    return job_runner.start(
        "preview", "Preview", folder=folder, command=command, on_end=_show, on_event=_show_first
    )


def preview_icon(session: bpy.types.PropertyGroup, percent: float) -> int:
    """Return the icon of the picture after a part of the video, 0 when there is none."""
    if not session.preview_count:
        return 0
    return icons.icon_of(ICON.format(round(percent / 100.0 * (session.preview_count - 1))))


def _show_first(job: RunningJob, event: Event) -> None:
    """Show the first picture as soon as it is there."""
    session = bpy.context.window_manager.vp3d
    if isinstance(event, ProgressEvent) and not session.preview_count:
        icons.load(ICON.format(0), job.folder / "out" / "frame-000.png")
        session.preview_count = 1


def _show(job: RunningJob) -> None:
    session = bpy.context.window_manager.vp3d
    if job.error is not None:
        session.preview_video = ""
        say_error(job.error, "preview")
        return
    out = job.folder / "out"
    about = json.loads((out / PREVIEW_NAME).read_text(encoding="utf-8"))
    for number, frame in enumerate(about["frames"]):
        icons.load(ICON.format(number), out / frame["file"])
    session.preview_count = len(about["frames"])
    session.preview_duration_s = about["duration_s"]
    session.preview_info = f"{about['duration_s']:.1f} s at {about['frame_rate_hz']:.4g} fps"
    session.preview_size = f"{about['width']} × {about['height']}, {about['codec']}"
    redraw()
