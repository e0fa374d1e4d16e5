# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture in a process of its own, seen from the parent (add-on, batch, tests). Standard library only.

The parent opens ``events.jsonl`` in the job folder as the child's stdout and ``worker.log`` as its
stderr, and reads the new whole lines whenever it polls: no threads, no non-blocking pipes, and what
happened stays readable after a crash. Closing the child's stdin cancels it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import OutputError, ProtocolError, VP3DError, WorkerNotInstalled
from .protocol import (
    PROTOCOL_VERSION,
    ErrorEvent,
    Event,
    HelloEvent,
    ResultEvent,
    decode_event,
    event_from_exception,
    exception_from_event,
)

__all__ = ["EVENTS_NAME", "LOG_NAME", "WorkerJob", "log_tail", "worker_command"]

EVENTS_NAME = "events.jsonl"
LOG_NAME = "worker.log"
GRACE_S = 5.0  # between asking the worker to stop and terminating it
LOG_TAIL_LINES = 30
LOG_TAIL_BYTES = 65536
POLL_S = 0.05
if sys.platform == "win32":
    CREATION_FLAGS = (
        subprocess.CREATE_NEW_PROCESS_GROUP
        | subprocess.CREATE_NO_WINDOW
        | subprocess.BELOW_NORMAL_PRIORITY_CLASS  # so that the parent stays responsive
    )
else:
    CREATION_FLAGS = 0


def worker_command(worker_python: Path, job_dir: Path) -> list[str]:
    """Return the command line of a capture worker."""
    return [str(worker_python), "-m", "vp3d_core", "capture", "--job", str(job_dir)]


def log_tail(path: Path, *, lines: int = LOG_TAIL_LINES) -> str:
    """Return the last lines of a log, or "" when there is none."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


class WorkerJob:
    """One worker process and its job folder.

    ``poll`` is driven by a modal timer in the UI and by a plain loop elsewhere (``wait``).

    Args:
        job_dir: Folder with ``job.json``; events and log are written there.
        command: The worker's command line, see ``worker_command``.
        grace_s: Seconds from ``cancel`` to terminating the process, and from there to killing it.
    """

    def __init__(self, job_dir: Path, command: Sequence[str], *, grace_s: float = GRACE_S) -> None:
        self.job_dir = job_dir
        self._command = list(command)
        self._grace_s = grace_s
        self._process: subprocess.Popen[bytes] | None = None
        self._offset = 0
        self._last_event: ResultEvent | ErrorEvent | None = None
        self._stop_at: float | None = None  # monotonic time at which patience ends
        self._cancelled = False

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended yet."""
        return self._process is not None and self._process.poll() is None

    @property
    def finished(self) -> bool:
        """Whether the last event is known and the process has ended."""
        return self._last_event is not None and not self.running

    @property
    def returncode(self) -> int | None:
        """Exit status of the process, or None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def error(self) -> VP3DError | None:
        """The error the job ended with, or None."""
        return exception_from_event(self._last_event) if isinstance(self._last_event, ErrorEvent) else None

    def start(self) -> None:
        """Start the worker.

        Raises:
            WorkerNotInstalled: If the worker's Python cannot be started.
            OutputError: If the job folder cannot be written.
        """
        if self._process is not None:
            raise ValueError("the job was started before")
        try:
            events, log = (self.job_dir / EVENTS_NAME).open("wb"), (self.job_dir / LOG_NAME).open("wb")
        except OSError as error:
            raise OutputError(
                f"{self.job_dir} cannot be written: {error.strerror}", hint="Check the folder."
            ) from error
        with events, log:
            try:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=events,
                    stderr=log,
                    env=_worker_environment(),
                    creationflags=CREATION_FLAGS,
                    start_new_session=True,  # a Ctrl-C for the parent reaches the worker by its stdin only
                )
            except OSError as error:
                raise WorkerNotInstalled(
                    f"{self._command[0]} cannot be started: {error.strerror}",
                    hint="Install the worker: python install.py install",
                ) from error

    def poll(self) -> list[Event]:
        """Return the events since the last call; the last one ever is a result or an error."""
        if self._process is None:
            raise ValueError("the job was not started")
        returncode = self._process.poll()  # before reading: nothing is written after it ended
        events = self._read_events() if self._last_event is None else []
        if returncode is None:
            self._lose_patience(self._process)
        elif self._last_event is None:
            self._last_event = self._event_without_last_words(returncode)
            events.append(self._last_event)
        return events

    def cancel(self) -> None:
        """Ask the worker to stop by closing its stdin; ``poll`` terminates it after the grace time."""
        if self._process is None or self._cancelled:
            return
        self._cancelled = True
        self._close_stdin(self._process)
        self._stop_at = time.monotonic() + self._grace_s

    def wait(
        self, on_event: Callable[[Event], None] | None = None, *, timeout_s: float | None = None
    ) -> Path:
        """Poll until the end and return the output folder.

        Args:
            on_event: Called with each event.
            timeout_s: After this many seconds the job is cancelled; None waits for ever.

        Raises:
            VP3DError: What the worker reported, WorkerCrashed when it said nothing, or Cancelled.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self.finished:
            for event in self.poll():
                if on_event is not None:
                    on_event(event)
            if deadline is not None and time.monotonic() > deadline:
                self.cancel()
            if not self.finished:
                time.sleep(POLL_S)
        self.close()
        if not isinstance(self._last_event, ResultEvent):
            raise self.error or ValueError("a finished job has a last event")
        return Path(self._last_event.path)

    def close(self) -> None:
        """Kill the process if it still runs, and let go of it."""
        if self._process is None:
            return
        self._close_stdin(self._process)
        if self.running:
            self._process.kill()
        self._process.wait()

    def _read_events(self) -> list[Event]:
        with (self.job_dir / EVENTS_NAME).open("rb") as stream:
            stream.seek(self._offset)
            new = stream.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._offset += len(whole)
        events: list[Event] = []
        for line in whole.decode("utf-8", errors="replace").splitlines():
            try:
                event = _check_protocol(decode_event(line))
            except ProtocolError as error:
                event = event_from_exception(error, trace=log_tail(self.job_dir / LOG_NAME))
            events.append(event)
            if isinstance(event, ResultEvent | ErrorEvent):
                self._last_event = event
                self._stop_at = self._stop_at or time.monotonic() + self._grace_s
                break
        return events

    def _lose_patience(self, process: subprocess.Popen[bytes]) -> None:
        if self._stop_at is None or time.monotonic() < self._stop_at:
            return
        if time.monotonic() < self._stop_at + self._grace_s:
            process.terminate()
        else:
            process.kill()

    def _event_without_last_words(self, returncode: int) -> ErrorEvent:
        if self._cancelled:
            return ErrorEvent(
                "cancelled", "The capture was cancelled", hint="Start it again to go on from there."
            )
        return ErrorEvent(
            "worker_crashed",
            f"The worker ended without a last message (return code {returncode})",
            hint=f"The log is {self.job_dir / LOG_NAME}",
            trace=log_tail(self.job_dir / LOG_NAME),
        )

    @staticmethod
    def _close_stdin(process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None and not process.stdin.closed:
            process.stdin.close()


def _check_protocol(event: Event) -> Event:
    if isinstance(event, HelloEvent) and event.protocol != PROTOCOL_VERSION:
        raise ProtocolError(
            f"The worker speaks protocol {event.protocol}, this program {PROTOCOL_VERSION}",
            hint="Install the worker again: python install.py install",
        )
    return event


def _worker_environment() -> dict[str, str]:
    """Return the environment in which ``-m vp3d_core`` finds this very package."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONSTARTUP")
    }
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PYTHONUTF8"] = "1"
    return environment
