# SPDX-License-Identifier: GPL-3.0-or-later
"""One capture from job to files, told in events: what the worker process and the command line both run.

This is the outermost layer: every exception ends here as the last event and an exit code.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from .. import __version__
from ..errors import DeviceOutOfMemory, VP3DError, WorkerNotInstalled
from ..output_file import FULL, output_error
from ..protocol import PROTOCOL_VERSION, ErrorEvent, Event, HelloEvent, ResultEvent, event_from_exception
from .interruption import EXIT_CANCELLED, Interruption
from .job_file import CaptureJob
from .output_folder import ENDING_S, only_capture_in

__all__ = ["EXIT_FAILED", "Work", "capture_alone", "error_event", "run_capture", "run_work"]

EXIT_FAILED = 1

Work: TypeAlias = Callable[[CaptureJob, Path, Callable[[Event], None]], None]

log = logging.getLogger(__name__)


def run_capture(
    job: CaptureJob, job_dir: Path, emit: Callable[[Event], None], interruption: Interruption
) -> int:
    """Capture and write all files, into a folder that is this capture's; see ``run_work``."""
    return run_work(_capture, job, job_dir, emit, interruption)


def run_work(
    work: Work, job: CaptureJob, job_dir: Path, emit: Callable[[Event], None], interruption: Interruption
) -> int:
    """Do a piece of work and tell how it ends.

    Args:
        work: Called with job, job folder and where its events go.
        job: What to do.
        job_dir: Where the stages are kept.
        emit: Receives all events, from hello to result or error.
        interruption: Stops the work.

    Returns:
        The exit code: 0, 1 on an error, 130 when cancelled.
    """
    try:
        work(job, job_dir, interruption.guard(emit))
    except BrokenPipeError:  # nobody listens any more
        return EXIT_CANCELLED
    except BaseException as error:  # noqa: BLE001  the last words must be said whatever happened
        interruption.ignore()
        event = error_event(KeyboardInterrupt() if interruption.requested else error)
        if event.code == "cancelled":
            log.info("%s", event.text)  # a log that ends with a traceback looks like a fault
        else:
            log.error("%s", event.trace)
        emit(event)
        return EXIT_CANCELLED if event.code == "cancelled" else EXIT_FAILED
    interruption.ignore()
    emit(ResultEvent(str(job.out_dir)))
    return 0


def capture_alone(job: CaptureJob, job_dir: Path, emit: Callable[[Event], None]) -> None:
    """Capture, and write all files into a folder that no other capture works in: a kind of ``Work``."""
    with only_capture_in(job.out_dir, wait_s=ENDING_S):
        _capture(job, job_dir, emit)


def _capture(job: CaptureJob, job_dir: Path, emit: Callable[[Event], None]) -> None:
    from ..pipeline import CAPTURE_STAGES, STAGES_FOLDER, capture_people
    from .outputs import OUTPUT_STAGES, write_outputs
    from .progress import Progress
    from .stage_store import forget_other_sources

    emit(HelloEvent(PROTOCOL_VERSION, __version__, _device_name(job.settings.device)))
    progress = Progress(emit, CAPTURE_STAGES + OUTPUT_STAGES)
    found = capture_people(job.video, job.settings, progress, job_dir=job_dir)
    write_outputs(found, job.video, job.settings, job.out_dir, progress)
    forget_other_sources(job.video, folder=job_dir / STAGES_FOLDER)


def _device_name(choice: str) -> str:
    from ..lift.lifter import choose_device

    return str(choose_device("auto")) if choice == "auto" else choice


def error_event(error: BaseException) -> ErrorEvent:
    """Return the last event for an exception, with its traceback."""
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, KeyboardInterrupt):
        hint = "What is done is kept; start it again with --resume to go on from there."
        return ErrorEvent("cancelled", "The capture was cancelled", hint, trace)
    if isinstance(error, ImportError):
        known = WorkerNotInstalled(
            f"A package is missing: {error}", hint="Install the worker: python install.py install"
        )
        return event_from_exception(known, trace=trace)
    if (
        isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    ):  # torch's, not imported here
        known = DeviceOutOfMemory(
            "There is not enough memory", hint="Close other programs, or use --device cpu."
        )
        return event_from_exception(known, trace=trace)
    if isinstance(error, OSError) and error.errno in FULL:
        known = output_error(Path(error.filename or "the output"), error)
        return event_from_exception(known, trace=trace)
    if isinstance(error, VP3DError):
        return event_from_exception(error, trace=trace)
    text = f"Something unexpected happened ({type(error).__name__}: {error})"
    return ErrorEvent("error", text, "Please report it, with the file worker.log.", trace)
