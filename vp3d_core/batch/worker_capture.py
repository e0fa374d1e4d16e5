# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture of one clip in a worker process. Standard library only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from ..capture.job_file import CaptureJob
from ..capture.output_folder import ENDING_S, only_capture_in
from ..errors import Cancelled, VP3DError
from ..job import WorkerJob, worker_command
from ..protocol import Event
from .clips import Clip

__all__ = ["CaptureClip", "capture_with_worker"]

CaptureClip: TypeAlias = Callable[[Clip, Path, Callable[[Event], None]], None]


def capture_with_worker(worker_python: Path) -> CaptureClip:
    """Return a function that captures a clip into a folder with a worker, and tells its events.

    It raises what the worker reported. Ctrl-C cancels the worker, waits for its end and goes on as
    KeyboardInterrupt; what the worker has finished is kept for the next time.
    """

    def capture(clip: Clip, folder: Path, on_event: Callable[[Event], None]) -> None:
        with only_capture_in(folder, wait_s=ENDING_S):  # by now; a claim does not keep ``vp3d capture`` out
            CaptureJob(clip.video, folder, clip.settings).save(folder)
        job = WorkerJob(folder, worker_command(worker_python, folder))
        job.start()
        try:
            job.wait(on_event)
        except KeyboardInterrupt:
            job.cancel()
            _wait_for_the_end(job)
            raise
        except Cancelled as error:  # somebody ended the worker itself, as a scheduler does
            raise KeyboardInterrupt from error
        finally:
            job.close()

    return capture


def _wait_for_the_end(job: WorkerJob) -> None:
    try:
        job.wait()
    except VP3DError:
        return  # Cancelled, or what was about to be said: the clip is done again anyway
