# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker processes of this Blender: at most one of a kind, polled by a timer, or waited for under -b.

The timer survives undo and the loading of another file. Nothing here touches the file: what is done with a
result is the business of the callback that a job is started with.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from ..vp3d_core.errors import VP3DError
from ..vp3d_core.job import POLL_S, WorkerJob
from ..vp3d_core.job_state import JobState
from ..vp3d_core.protocol import Event
from .extension import redraw
from .session import say_error

__all__ = ["RunningJob", "cancel", "register", "running", "start", "unregister", "wait"]

TICK_S = 0.2

log = logging.getLogger(__name__)

OnEnd = Callable[["RunningJob"], None]
OnEvent = Callable[["RunningJob", Event], None]


@dataclass(slots=True, eq=False)
class RunningJob:
    """A worker process and what it said so far.

    Attributes:
        kind: "capture", "people", "preview", "install" or "weights".
        title: What a person calls it.
        worker: The process.
        on_end: Called once when it has ended, with or without an error.
        on_event: Called with each event.
        state: The sum of its events.
        cancelled: Whether it was asked to stop.
    """

    kind: str
    title: str
    worker: WorkerJob
    on_end: OnEnd
    on_event: OnEvent | None = None
    state: JobState = field(default_factory=JobState)
    cancelled: bool = False

    @property
    def folder(self) -> Path:
        """The job folder."""
        return self.worker.job_dir

    @property
    def error(self) -> VP3DError | None:
        """What it ended with, or None."""
        return self.worker.error

    def poll(self) -> bool:
        """Take in new events and return whether there were any."""
        events = self.worker.poll()
        for event in events:
            self.state.see(event)
            if self.on_event is not None:
                self.on_event(self, event)
        return bool(events)


# The processes themselves: neither files nor undo may lose them, so no property can hold them.
_running: dict[str, RunningJob] = {}


def running(kind: str) -> RunningJob | None:
    """Return the running job of a kind, or None."""
    return _running.get(kind)


def start(
    kind: str,
    title: str,
    *,
    folder: Path,
    command: Sequence[str],
    on_end: OnEnd,
    on_event: OnEvent | None = None,
) -> RunningJob:
    """Start a worker; one of the same kind that still runs is stopped.

    Args:
        kind: See ``RunningJob``.
        title: What a person calls it.
        folder: The job folder, which exists.
        command: The worker's command line.
        on_end: Called in the main thread when it has ended.
        on_event: Called in the main thread with each event.

    Raises:
        VP3DError: If the process cannot be started.
    """
    before = _running.pop(kind, None)
    if before is not None:
        before.worker.close()
    worker = WorkerJob(folder, command)
    worker.start()
    _running[kind] = RunningJob(kind, title, worker, on_end, on_event)
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=TICK_S, persistent=True)
    redraw()
    return _running[kind]


def wait(job: RunningJob) -> None:
    """Block until a job has ended and its callback has run: for scripts and -b.

    Raises:
        VP3DError: What the job ended with.
    """
    while not job.worker.finished:
        job.poll()
        time.sleep(POLL_S)
    _end(job)
    if job.error is not None:
        raise job.error


def cancel(kind: str) -> None:
    """Ask the job of a kind to stop; it ends within seconds, and its callback runs then."""
    job = _running.get(kind)
    if job is not None:
        job.cancelled = True
        job.worker.cancel()
        redraw()


def _tick() -> float | None:
    changed = False
    for job in list(_running.values()):
        try:
            changed |= job.poll()
            if job.worker.finished:
                _end(job)
                changed = True
        except Exception as error:  # noqa: BLE001  the timer must go on for the other jobs
            _give_up(job, error)
            changed = True
    if changed:
        redraw()
    return TICK_S if _running else None


def _end(job: RunningJob) -> None:
    if _running.get(job.kind) is job:
        del _running[job.kind]
    job.worker.close()
    job.on_end(job)


def _give_up(job: RunningJob, error: Exception) -> None:
    log.error("The job %s cannot be followed any more", job.title, exc_info=error)
    if _running.get(job.kind) is job:
        del _running[job.kind]
    job.worker.close()
    text = f"Something unexpected happened ({type(error).__name__}: {error})"
    say_error(VP3DError(text, hint="Please report it, with what Blender's console says."), job.kind)


def register() -> None:
    """Nothing to do: the timer starts with the first job."""


def unregister() -> None:
    """Stop all jobs; a capture can be resumed later."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    while _running:
        _running.popitem()[1].worker.close()
