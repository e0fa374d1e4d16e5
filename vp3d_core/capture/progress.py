# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what a capture is doing: stages, progress with an estimate of the time left, warnings."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from ..protocol import Event, ProgressEvent, StageEvent, WarningEvent

__all__ = ["Progress"]

ETA_AFTER_S = 1.0  # an estimate from less than this is a guess
SEND_EVERY_S = 0.1  # progress in between is not sent


class Progress:
    """Sends events about one capture, all from the thread that made it.

    Args:
        on_event: Receives every event, or None. What it raises stops the capture.
        stages: Names of all stages, in order.

    Attributes:
        warnings: What was warned of, in order.
    """

    def __init__(self, on_event: Callable[[Event], None] | None, stages: tuple[str, ...]) -> None:
        self._on_event = on_event
        self._stages = stages
        self._stage = ""
        self._started_s = 0.0
        self._first_done: int | None = None
        self._sent_s = 0.0
        self._unsent: ProgressEvent | None = None
        self._thread = threading.get_ident()
        self._waiting: deque[WarningEvent] = deque()  # of other threads
        self.warnings: list[str] = []

    def stage(self, name: str) -> None:
        """Begin a stage; the warnings of the one before come first."""
        self.flush()
        self._stage, self._first_done = name, None
        self._started_s = time.monotonic()
        self._sent_s = 0.0
        self._send(StageEvent(name, self._stages.index(name) + 1, len(self._stages)))

    def update(self, done: int, total: int | None, *, unit: str = "frames") -> None:
        """Tell how much of the stage is done; the first call of a stage may tell what was done before."""
        if self._first_done is None:
            self._first_done = done
        total = None if total is None else max(done, total)
        self._unsent = ProgressEvent(self._stage, done, total, unit, self._eta_s(done, total))
        now_s = time.monotonic()
        if now_s - self._sent_s >= SEND_EVERY_S:
            self._sent_s = now_s
            self.flush()

    def flush(self) -> None:
        """Send the last progress if it was held back, and what other threads warned of."""
        while self._waiting:
            self._warn(self._waiting.popleft())
        event, self._unsent = self._unsent, None
        if event is not None:
            self._send(event)

    def warn(self, code: str, text: str, frame: int | None = None) -> None:
        """Warn; the same text is said once only. From another thread it is kept for the next ``flush``."""
        event = WarningEvent(code, text, frame)
        if threading.get_ident() == self._thread:
            self._warn(event)
        else:
            self._waiting.append(event)

    def _warn(self, event: WarningEvent) -> None:
        if event.text not in self.warnings:
            self.warnings.append(event.text)
            self._send(event)

    def _eta_s(self, done: int, total: int | None) -> float | None:
        elapsed_s = time.monotonic() - self._started_s
        new = done - (self._first_done or 0)
        if total is None or new <= 0 or elapsed_s < ETA_AFTER_S:
            return None
        return round((total - done) * elapsed_s / new, 1)

    def _send(self, event: Event) -> None:
        if self._on_event is not None:
            self._on_event(event)
