# SPDX-License-Identifier: GPL-3.0-or-later
"""``vp3d capture``: for a person at a terminal, for a program (--json), and as a worker (--job).

In the first two cases everything that libraries print goes to ``worker.log`` in the output folder.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from ..errors import InputError, OutputError, ProtocolError, VP3DError, WeightsMissing
from ..installer.link import COMMAND_VARIABLE
from ..job import EVENTS_NAME, LOG_NAME
from ..protocol import (
    ErrorEvent,
    Event,
    EventWriter,
    ResultEvent,
    decode_event,
    exception_from_event,
    take_stdout,
)
from ..standard_streams import write_to_nowhere
from .console import Console
from .interruption import EXIT_CANCELLED, Interruption
from .job_file import CaptureJob
from .options import default_out_dir, settings_from_options
from .worker import EXIT_FAILED, Work, capture_alone, error_event, run_capture, run_work

__all__ = ["run_capture_command", "run_worker_command"]

EXIT_USAGE = 2
NICENESS = 5  # so that the program that waits for the worker stays responsive


def run_worker_command(job_dir: Path, work: Work | None = None) -> int:
    """Do the job in a folder for a parent process: the protocol on stdout, stdin closed means cancel.

    Args:
        job_dir: Holds ``job.json``.
        work: What to do with the job; None captures.
    """
    interruption = Interruption()
    interruption.listen()
    if hasattr(os, "nice"):  # on Windows the parent does it
        os.nice(NICENESS)
    with take_stdout() as stream:
        writer = EventWriter(stream)
        logging.basicConfig(stream=sys.stderr, level=logging.INFO)
        try:
            job = CaptureJob.load(job_dir)
        except VP3DError as error:
            writer.write(error_event(error))
            return EXIT_FAILED
        interruption.watch_stdin()
        return run_work(work or capture_alone, job, job_dir, writer.write, interruption)


def run_capture_command(
    options: argparse.Namespace, argv: list[str], *, usage_error: Callable[[str], object]
) -> int:
    """Capture the video that the options name.

    Args:
        options: As parsed.
        argv: The words they were parsed from, to say how to resume.
        usage_error: Called with a message when an option's value is wrong.
    """
    try:
        settings = settings_from_options(options)
    except InputError as error:
        usage_error(f"{error.message}. {error.hint}")
        return EXIT_USAGE
    out_dir = options.out or default_out_dir(options.video)
    job = CaptureJob(options.video.absolute(), out_dir.absolute(), settings)
    interruption = Interruption()
    interruption.listen()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_prepared(job, resume=options.resume, overwrite=options.overwrite))
        except (VP3DError, KeyboardInterrupt, ImportError) as error:
            return _say_error(error_event(error), argv, as_json=options.json)
        return _run(job, argv, interruption, as_json=options.json)


@contextlib.contextmanager
def _without_useless_folder(out_dir: Path) -> Iterator[None]:
    """Remove a folder that did not exist before and got no stages, as a wrong value turned up too late."""
    from ..pipeline import STAGES_FOLDER

    is_new = not out_dir.exists()
    yield
    if is_new and _is_input_error(out_dir / EVENTS_NAME) and not any((out_dir / STAGES_FOLDER).glob("*/*")):
        write_to_nowhere()
        shutil.rmtree(out_dir, ignore_errors=True)


def _is_input_error(events: Path) -> bool:
    """Return whether a capture's last event tells of what the user gave or lacks, not of a fault."""
    lines = events.read_text(encoding="utf-8").splitlines()
    try:
        last = decode_event(lines[-1]) if lines else None
    except ProtocolError:  # cut by a full disk
        return False
    if not isinstance(last, ErrorEvent):
        return False
    error = exception_from_event(last)
    return isinstance(error, InputError | WeightsMissing) and not isinstance(error, OutputError)


def _run(job: CaptureJob, argv: list[str], interruption: Interruption, *, as_json: bool) -> int:
    events = (job.out_dir / EVENTS_NAME).open("w", encoding="utf-8", newline="\n")
    output, errors = _redirect_to_log(job.out_dir / LOG_NAME)
    if as_json:
        code = run_capture(job, job.out_dir, EventWriter(output, events).write, interruption)
    else:
        code = _run_with_console(job, events, output, errors, argv, interruption)
    for stream in (events, output, errors):
        with contextlib.suppress(OSError):  # a full disk or a closed pipe, which was told before
            stream.close()
    _forget_log()
    return code


def _run_with_console(
    job: CaptureJob,
    events: IO[str],
    output: IO[str],
    errors: IO[str],
    argv: list[str],
    interruption: Interruption,
) -> int:
    console, writer = Console(output), EventWriter(events)

    def emit(event: Event) -> None:
        writer.write(event)
        console.show(event)
        if isinstance(event, ResultEvent):
            console.end_stage()
            output.write(_summary(job.out_dir))
        elif isinstance(event, ErrorEvent):
            console.break_off()
            errors.write(_error_text(event, argv))

    return run_capture(job, job.out_dir, emit, interruption)


@contextlib.contextmanager
def _prepared(job: CaptureJob, *, resume: bool, overwrite: bool) -> Iterator[None]:
    """Refuse what cannot work, prepare the output folder, and keep it for this capture alone.

    Raises:
        VP3DError: If the video cannot be read, or the folder cannot be written, holds another capture or
            is being captured into.
    """
    from ..output_file import output_error
    from ..pipeline import STAGES_FOLDER
    from ..video import probe
    from .output_folder import only_capture_in
    from .stage_store import folder_of_source, source_sha256

    probe(job.video)
    with _without_useless_folder(job.out_dir), only_capture_in(job.out_dir):
        _refuse_other_files(job, resume=resume, overwrite=overwrite)
        if overwrite:
            stages = job.out_dir / STAGES_FOLDER
            own = folder_of_source(stages, source_sha256(job.video, folder=stages))
            for path in own.glob("*.npz"):  # another video's go when this one's capture is written
                path.unlink(missing_ok=True)
        job.save(job.out_dir)
        for name in (EVENTS_NAME, LOG_NAME):  # so that opening them later cannot fail
            path = job.out_dir / name
            try:
                path.write_bytes(b"")
            except OSError as error:
                raise output_error(path, error) from error
        yield


def _refuse_other_files(job: CaptureJob, *, resume: bool, overwrite: bool) -> None:
    """Raise OutputError if the output folder holds what must not be replaced."""
    from ..pipeline import STAGES_FOLDER
    from .outputs import existing_outputs
    from .stage_store import is_known_source

    old = existing_outputs(job.out_dir)
    if any(path.samefile(job.video) for path in old):
        raise OutputError(
            f"{job.video.name} lies in the output folder and has the name of an output",
            hint="Give another folder with -o.",
        )
    if old and not (resume or overwrite):
        raise OutputError(
            f"{job.out_dir} already holds a capture ({', '.join(path.name for path in old)})",
            hint="Give --resume to redo it with what is there, --overwrite to replace it, or another -o.",
        )
    if old and resume and not is_known_source(job.video, folder=job.out_dir / STAGES_FOLDER):
        raise OutputError(
            f"{job.out_dir} holds a capture of another video than {job.video.name}",
            hint="Give --overwrite to replace it, or another folder with -o.",
        )


def _redirect_to_log(path: Path) -> tuple[IO[str], IO[str]]:
    """Point fd 1 and fd 2 at a log and return streams on what they were."""
    sys.stdout.flush()
    sys.stderr.flush()
    encoding = sys.stdout.encoding
    output = os.fdopen(os.dup(1), "w", encoding=encoding, errors="replace", newline=None)
    errors = os.fdopen(os.dup(2), "w", encoding=encoding, errors="replace", newline=None)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    return output, errors


def _forget_log() -> None:
    """Flush what libraries printed; where the disk is full it is lost, and must not change the exit code."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        write_to_nowhere()


def _say_error(event: ErrorEvent, argv: list[str], *, as_json: bool) -> int:
    if as_json:
        EventWriter(sys.stdout).write(event)
    else:
        sys.stderr.write(_error_text(event, argv))
    return EXIT_CANCELLED if event.code == "cancelled" else EXIT_FAILED


def _error_text(event: ErrorEvent, argv: list[str]) -> str:
    if event.code == "cancelled":
        again = shlex.join([*(word for word in argv if word not in ("--overwrite", "--resume")), "--resume"])
        command = os.environ.get(COMMAND_VARIABLE, "vp3d")
        return f"Cancelled. What is done is kept; go on with:\n  {command} {again}\n"
    return f"Error: {event.text}\n" + (f"{event.hint}\n" if event.hint else "")


def _summary(out_dir: Path) -> str:
    """Return a line for each person and one for the other files."""
    from .outputs import OVERLAY_NAME, REPORT_NAME, describe_motions

    lines = describe_motions(out_dir)
    return "\n".join([*lines, f"Look at {OVERLAY_NAME} and {REPORT_NAME} in {out_dir}", ""])
