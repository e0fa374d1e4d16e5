# SPDX-License-Identifier: GPL-3.0-or-later
"""Events as a person at a terminal wants to see them. Standard library only."""

from __future__ import annotations

import shutil
import time
from typing import IO

from ..protocol import Event, ProgressEvent, StageEvent, WarningEvent

__all__ = ["Console", "format_duration"]

BAR_WIDTH = 24
MIN_BAR_WIDTH = 6  # a shorter one tells nothing
REDRAW_S = 0.1
PLAIN_EVERY_S = 10.0  # between progress lines where there is no terminal
STAGE_TITLES = {
    "prepare": "Reading the video",
    "detect": "Detecting people",
    "track": "Following people",
    "lift": "Lifting to 3D",
    "place": "Finding the path",
    "fit": "Fitting the skeleton",
    "overlay": "Drawing the overlay",
    "report": "Writing the report",
    "write": "Writing the files",
    "preview": "Reading the preview",
    "look": "Looking for people",
}


class Console:
    """Shows stages, progress and warnings: a bar that moves on a terminal, whole lines elsewhere.

    Args:
        stream: Where to write.
        is_terminal: Whether lines can be drawn over; None asks the stream.
    """

    def __init__(self, stream: IO[str], *, is_terminal: bool | None = None) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty() if is_terminal is None else is_terminal
        self._title = ""
        self._started_s = self._shown_s = time.monotonic()
        self._progress: ProgressEvent | None = None
        self._first_done = 0

    def show(self, event: Event) -> None:
        """Show one event; hello, result and error are left to the caller."""
        if isinstance(event, StageEvent):
            self.end_stage()
            self._begin(event)
        elif isinstance(event, ProgressEvent):
            self._advance(event)
        elif isinstance(event, WarningEvent):
            self._clear()
            self._write(f"Warning: {event.text}\n")

    def end_stage(self) -> None:
        """Write the line that stays of a stage, with what was done and how fast."""
        if not self._title:
            return
        elapsed_s = time.monotonic() - self._started_s
        text = f"{self._title}: "
        if self._progress is not None:
            text += _count(self._progress) + ", "
        text += format_duration(elapsed_s) + self._speed(elapsed_s)
        self._clear()
        self._write(text + "\n")
        self._title, self._progress = "", None

    def break_off(self) -> None:
        """Leave the stage that failed, so that what went wrong can be written on a line of its own."""
        if self._title and self._is_terminal:
            self._write("\n")
        self._title, self._progress = "", None

    def _begin(self, event: StageEvent) -> None:
        self._title = f"[{event.index}/{event.count}] {STAGE_TITLES.get(event.name, event.name)}"
        self._started_s = self._shown_s = time.monotonic()
        if self._is_terminal:
            self._draw(self._title + " ...")

    def _advance(self, event: ProgressEvent) -> None:
        if self._progress is None:
            self._first_done = event.done
        self._progress = event
        now_s = time.monotonic()
        if now_s - self._shown_s < (REDRAW_S if self._is_terminal else PLAIN_EVERY_S):
            return
        self._shown_s = now_s
        of_all = "" if event.total is None else f" of {event.total}"
        text = _count(event) + of_all + self._speed(now_s - self._started_s)
        if event.eta_s is not None:
            text += f", {format_duration(event.eta_s)} left"
        if self._is_terminal:
            room = shutil.get_terminal_size().columns - len(self._title) - len(text) - 5
            self._draw(f"{self._title} {_bar(event, room)}{text}")
        else:
            self._write(f"{self._title}: {text}\n")

    def _speed(self, elapsed_s: float) -> str:
        if self._progress is None or self._progress.unit != "frames" or elapsed_s <= 0:
            return ""
        rate_hz = (self._progress.done - self._first_done) / elapsed_s
        return f", {rate_hz:.1f} frames/s" if rate_hz > 0 else ""

    def _draw(self, text: str) -> None:
        columns = shutil.get_terminal_size().columns
        self._write("\r\x1b[K" + text[: columns - 1])

    def _clear(self) -> None:
        if self._is_terminal:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def format_duration(seconds: float) -> str:
    """Return a duration as people read it: 4.2 s, 1:05 min, 1:02:03 h."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d} h"


def _count(event: ProgressEvent) -> str:
    singular = {"people": "person"}.get(event.unit, event.unit.removesuffix("s"))
    return f"{event.done} {singular if event.done == 1 else event.unit}"


def _bar(event: ProgressEvent, room: int) -> str:
    width = min(BAR_WIDTH, room)
    if not event.total or width < MIN_BAR_WIDTH:
        return ""
    filled = round(width * event.done / event.total)
    return "[" + "#" * filled + "-" * (width - filled) + "] "
