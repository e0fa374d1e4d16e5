# SPDX-License-Identifier: GPL-3.0-or-later
"""Presentation times that increase strictly, whatever the file says."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

__all__ = ["PresentationClock"]

RESET_S = 0.25  # stamps that lie further back are a restarted counter (joined files), nearer ones disorder
LATE_STEPS = 1.5  # a frame that follows within so many steps comes as expected; then the next stamp is wrong
MIN_STEP_S = 1e-6  # a smaller increase is none: times are floats, and finer stamps are not in use

Stamps: TypeAlias = "tuple[int | None, int | None]"


class PresentationClock:
    """Turns the time stamps of successive frames into seconds since the first.

    A stamp is held against those before and after it. Missing ones continue at the nominal rate; one that
    does not increase, or is late and comes before a smaller one, is moved between its neighbours; a counter
    that restarts goes on where it stopped.

    Args:
        time_base: Seconds per tick.
        nominal_step_s: Seconds per frame where the stamps say nothing.
        warn: Called once, with ("times_repaired", text, frame index), at the first repair.
    """

    def __init__(
        self, time_base: Fraction, nominal_step_s: float, warn: Callable[[str, str, int | None], None]
    ) -> None:
        self._time_base = time_base
        self._step_s = nominal_step_s
        self._warn = warn
        self._warned = False
        self._uses_dts = False
        self._origin_s: float | None = None
        self._last_s = 0.0

    def tick(self, stamps: Stamps, following: Stamps, index: int) -> float:
        """Return the time of the next frame, s.

        Args:
            stamps: Presentation and decoding stamp, ticks; None when missing. The latter stands in where the
                whole stream has no presentation stamps (AVI).
            following: Those of the frame after it; twice None at the end.
            index: The frame's index, for the warning.
        """
        if self._origin_s is None:
            self._uses_dts = stamps[0] is None and stamps[1] is not None
            stamp_s = self._seconds(stamps)
            self._origin_s = stamp_s or 0.0
            if stamp_s is None:
                self._repair(index, "has no time stamp")
            return 0.0
        stamp_s, following_s = self._seconds(stamps), self._seconds(following)
        time_s = None if stamp_s is None else stamp_s - self._origin_s
        next_s = None if following_s is None else following_s - self._origin_s
        finding = self._fault(time_s, next_s)
        if finding:
            self._repair(index, finding)
        self._last_s = self._placed_s(time_s, next_s) if finding or time_s is None else time_s
        return self._last_s

    def _seconds(self, stamps: Stamps) -> float | None:
        ticks = stamps[self._uses_dts]
        return None if ticks is None else float(ticks * self._time_base)

    def _fault(self, time_s: float | None, next_s: float | None) -> str:
        """Return what is wrong with a stamp, or ""."""
        if time_s is None:
            return "has no time stamp"
        if not self._increases(time_s):
            return f"is stamped {time_s:.3f} s, after one at {self._last_s:.3f} s"
        is_late = time_s > self._last_s + LATE_STEPS * self._step_s
        if is_late and next_s is not None and self._increases(next_s) and next_s < time_s:
            return f"is stamped {time_s:.3f} s, before one at {next_s:.3f} s"
        return ""

    def _increases(self, time_s: float) -> bool:
        return time_s > self._last_s + MIN_STEP_S

    def _placed_s(self, time_s: float | None, next_s: float | None) -> float:
        """Return a time for a frame whose stamp cannot be taken, s: so that the next can, if possible."""
        expected_s = self._last_s + self._step_s
        if next_s is None:
            return expected_s
        if self._increases(next_s):
            return min(expected_s, (self._last_s + next_s) / 2.0)
        if time_s is None or next_s <= time_s:
            return expected_s
        if next_s >= self._last_s - RESET_S:
            return self._last_s + self._step_s / 2.0  # the stamps increase again, and catch up
        self._origin_s = (self._origin_s or 0.0) + time_s - expected_s
        return expected_s

    def _repair(self, index: int, finding: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(
                "times_repaired",
                f"Frame {index} {finding}; such frames are placed at most "
                f"{self._step_s * 1000:.0f} ms after the one before",
                index,
            )
