# SPDX-License-Identifier: GPL-3.0-or-later
"""Presentation times that increase strictly, whatever the file says."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

__all__ = ["PresentationClock"]

RESET_S = 1.0  # a larger step back is a restarted counter (joined files), a smaller one a single bad stamp


class PresentationClock:
    """Turn the time stamps of successive frames into seconds since the first.

    Missing stamps continue at the nominal rate; stamps that do not increase are moved one nominal step
    behind their predecessor; a counter that restarts goes on where it stopped.

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

    def tick(self, pts: int | None, dts: int | None, index: int) -> float:
        """Return the time of the next frame, s.

        Args:
            pts: Presentation stamp, ticks; None when missing.
            dts: Decoding stamp, ticks: it stands in where the whole stream has no presentation stamps (AVI).
            index: The frame's index, for the warning.
        """
        first = self._origin_s is None
        if first:
            self._uses_dts = pts is None and dts is not None
        ticks = dts if self._uses_dts else pts
        stamp_s = None if ticks is None else float(ticks * self._time_base)
        if self._origin_s is None:
            self._origin_s = 0.0 if stamp_s is None else stamp_s
            if stamp_s is None:
                self._repair(index, "has no time stamp")
            return 0.0
        time_s = self._last_s + self._step_s if stamp_s is None else stamp_s - self._origin_s
        if stamp_s is None:
            self._repair(index, "has no time stamp")
        elif time_s <= self._last_s:
            self._repair(index, f"is stamped {time_s:.3f} s, after one at {self._last_s:.3f} s")
            if time_s < self._last_s - RESET_S:
                self._origin_s = stamp_s - self._last_s - self._step_s
            time_s = self._last_s + self._step_s
        self._last_s = time_s
        return time_s

    def _repair(self, index: int, finding: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(
                "times_repaired",
                f"Frame {index} {finding}; such frames are placed "
                f"{self._step_s * 1000:.0f} ms after the one before",
                index,
            )
