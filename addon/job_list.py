# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of captures in the panel, filled from the job folders."""

from __future__ import annotations

import time

import bpy

from ..vp3d_core.job_history import JobRecord, past_jobs
from . import job_runner
from .hints import hint_in_blender
from .preferences import choices

__all__ = ["STATUS_ICONS", "chosen_job", "refresh_jobs", "register", "unregister"]

MAX_SHOWN = 200
STATUS_ICONS = {
    "done": "CHECKMARK",
    "failed": "ERROR",
    "cancelled": "CANCEL",
    "interrupted": "PAUSE",
    "in_use": "TIME",
}


def refresh_jobs(*, choose: str = "") -> None:
    """Read the job folders again, and choose a folder's job, or keep the chosen one chosen."""
    session = bpy.context.window_manager.vp3d
    chosen = chosen_job(session)
    chosen_folder = choose or (chosen.folder if chosen is not None else "")
    records = past_jobs(choices().jobs_folder)[:MAX_SHOWN]
    while len(session.jobs) > len(records):  # items are used again: the interface may point at them
        session.jobs.remove(len(session.jobs) - 1)
    while len(session.jobs) < len(records):
        session.jobs.add()
    for item, record in zip(session.jobs, records, strict=True):
        _show(item, record)
    folders = [job.folder for job in session.jobs]
    session.job_index = folders.index(chosen_folder) if chosen_folder in folders else 0
    if session.stopped_folder not in folders:
        session.stopped_folder = ""


def chosen_job(session: bpy.types.PropertyGroup) -> bpy.types.PropertyGroup | None:
    """Return the job that is chosen in the list, or None."""
    index = session.job_index
    return session.jobs[index] if 0 <= index < len(session.jobs) else None


def _show(item: bpy.types.PropertyGroup, record: JobRecord) -> None:
    running = job_runner.running("capture")
    own = running is not None and running.folder == record.folder
    item.name = record.video.stem
    item.folder = str(record.folder)
    item.video = str(record.video)
    item.status = "in_use" if own else record.status
    hint = hint_in_blender(record.code, record.hint)
    item.message = f"{record.message}. {hint}" if hint else record.message
    item.started = time.strftime("%d %b %H:%M", time.localtime(record.started_s))
    item.motions = len(record.motions)


def register() -> None:
    """Fill the list once."""
    refresh_jobs()


def unregister() -> None:
    """Nothing to undo: the list goes with the session's properties."""
