# SPDX-License-Identifier: GPL-3.0-or-later
"""The captures of the past, read from their job folders. Standard library only.

A folder that was written to a moment ago and says nothing of an end is in use, by this program or another.
"""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .capture.job_file import JOB_NAME, CaptureJob
from .errors import InputError, OutputError, ProtocolError
from .job import EVENTS_NAME
from .protocol import ErrorEvent, Event, ResultEvent, decode_event

__all__ = ["JobRecord", "JobStatus", "new_job_folder", "past_jobs", "read_job", "remove_job_folder"]

JobStatus = Literal["done", "failed", "cancelled", "interrupted", "in_use"]

IN_USE_S = 30.0  # a stage that says nothing for longer is rare; loading the models takes about 10 s
TAIL_BYTES = 65536
MOTION_PATTERN = re.compile(r"motion(-\d+)?\.npz")
MAX_NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One capture of the past.

    Attributes:
        folder: The job folder.
        video: The video file; it need not exist any more.
        status: How it ended.
        motions: The motion files, in order.
        code: Of what went wrong, see ``errors``, or "".
        message: What went wrong, or "".
        hint: What to do about it, or "".
        started_s: When it was started, seconds since the epoch.
    """

    folder: Path
    video: Path
    status: JobStatus
    motions: tuple[Path, ...]
    code: str
    message: str
    hint: str
    started_s: float


def new_job_folder(jobs_folder: Path, video: Path) -> Path:
    """Make a folder for a job, named for the time and the video.

    Raises:
        OutputError: If it cannot be made.
    """
    stem = re.sub(r"[^\w.-]+", "_", video.stem)[:MAX_NAME_LENGTH].strip("._") or "video"
    name = f"{time.strftime('%Y-%m-%d-%H%M%S')}-{stem}"
    for number in range(1, 1000):
        folder = jobs_folder / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise OutputError(
                f"{folder} cannot be made: {error.strerror}", hint="Choose another folder for captures."
            ) from error
        return folder
    raise OutputError(f"{jobs_folder} is full of jobs named {name}", hint="Remove some of them.")


def past_jobs(jobs_folder: Path) -> list[JobRecord]:
    """Return the jobs in a folder, the newest first; what is no job folder is left out."""
    try:
        folders = [folder for folder in jobs_folder.iterdir() if (folder / JOB_NAME).is_file()]
    except OSError:
        return []
    records: list[JobRecord] = []
    for folder in folders:
        try:
            records.append(read_job(folder))
        except InputError:
            continue  # half written, or of a later version: nothing that can be shown
    return sorted(records, key=lambda record: (record.started_s, record.folder.name), reverse=True)


def read_job(folder: Path) -> JobRecord:
    """Return what a job folder tells.

    Raises:
        InputError: If it is no job folder.
    """
    job = CaptureJob.load(folder)
    last, changed_s = _last_event(folder / EVENTS_NAME)
    status: JobStatus = "interrupted"
    code = message = hint = ""
    if isinstance(last, ResultEvent):
        status = "done"
    elif isinstance(last, ErrorEvent):
        status = "cancelled" if last.code == "cancelled" else "failed"
        code, message, hint = last.code, last.text, last.hint
    elif time.time() - changed_s < IN_USE_S:
        status = "in_use"
    return JobRecord(
        folder=folder,
        video=job.video,
        status=status,
        motions=motion_files(job.out_dir) if status == "done" else (),
        code=code,
        message=message,
        hint=hint,
        started_s=(folder / JOB_NAME).stat().st_mtime,
    )


def motion_files(out_dir: Path) -> tuple[Path, ...]:
    """Return the motion files of a capture, in the order of the people."""
    try:
        found = [path for path in out_dir.iterdir() if MOTION_PATTERN.fullmatch(path.name)]
    except OSError:
        return ()
    return tuple(sorted(found, key=lambda path: (len(path.name), path.name)))


def remove_job_folder(folder: Path) -> None:
    """Remove a job folder with all that is in it.

    Raises:
        InputError: If it is no job folder.
        OutputError: If it cannot be removed.
    """
    if not (folder / JOB_NAME).is_file():
        raise InputError(f"{folder} is no job folder: it has no {JOB_NAME}", hint="Refresh the list of jobs.")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be removed: {error.strerror}", hint="Close the files that are open there."
        ) from error


def _last_event(path: Path) -> tuple[Event | None, float]:
    """Return the last event that can be read and the time of the file's last change; (None, 0.0) without."""
    try:
        with path.open("rb") as stream:
            changed_s = path.stat().st_mtime
            stream.seek(max(0, path.stat().st_size - TAIL_BYTES))
            lines = stream.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return None, 0.0
    for line in reversed(lines):
        try:
            return decode_event(line), changed_s
        except ProtocolError:
            continue  # the start of a line that was cut off
    return None, changed_s
