# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running job looks like to a person: stage, how far, time left, warnings. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field

from .capture.console import STAGE_TITLES, format_duration
from .protocol import ErrorEvent, Event, ProgressEvent, ResultEvent, StageEvent, WarningEvent

__all__ = ["JobState"]


@dataclass(slots=True)
class JobState:
    """The sum of a job's events so far.

    Attributes:
        stage: Title of the stage, or "" before the first.
        stage_index: Number of the stage, from 1; 0 before the first.
        stage_count: How many stages there are; 0 before the first.
        progress: The last progress of the stage, or None.
        warnings: Texts of the warnings, in order.
        result: Folder with the outputs, or "".
        error: The error the job ended with, or None.
    """

    stage: str = ""
    stage_index: int = 0
    stage_count: int = 0
    progress: ProgressEvent | None = None
    warnings: list[str] = field(default_factory=list[str])
    result: str = ""
    error: ErrorEvent | None = None

    def see(self, event: Event) -> None:
        """Take in the next event."""
        if isinstance(event, StageEvent):
            self.stage = STAGE_TITLES.get(event.name, event.name)
            self.stage_index, self.stage_count = event.index, event.count
            self.progress = None
        elif isinstance(event, ProgressEvent):
            self.progress = event
        elif isinstance(event, WarningEvent):
            self.warnings.append(event.text)
        elif isinstance(event, ResultEvent):
            self.result = event.path
        elif isinstance(event, ErrorEvent):
            self.error = event

    @property
    def fraction(self) -> float | None:
        """Share of the stage that is done, 0 to 1, or None while the total is unknown."""
        if self.progress is None or not self.progress.total:
            return None
        return min(1.0, self.progress.done / self.progress.total)

    @property
    def stage_line(self) -> str:
        """The stage as "2/9 Detecting people", or "Starting"."""
        if not self.stage_count:
            return "Starting"
        return f"{self.stage_index}/{self.stage_count} {self.stage}"

    @property
    def count_line(self) -> str:
        """What is done of the stage as "120 of 300 frames", or ""."""
        if self.progress is None:
            return ""
        of_all = "" if self.progress.total is None else f" of {self.progress.total}"
        return f"{self.progress.done}{of_all} {self.progress.unit}"

    @property
    def eta_line(self) -> str:
        """The time left in the stage as "1:05 min left" or "12 s left", or ""."""
        if self.progress is None or self.progress.eta_s is None:
            return ""
        seconds = max(1, round(self.progress.eta_s))
        return f"{f'{seconds} s' if seconds < 60 else format_duration(seconds)} left"
