# SPDX-License-Identifier: GPL-3.0-or-later
"""Round numbers along an axis."""

from __future__ import annotations

import math

__all__ = ["tick_text", "ticks"]


def ticks(limits: tuple[float, float], count: int) -> list[float]:
    """Return round numbers between two limits, at most about ``count``."""
    low, high = limits
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def tick_text(value: float) -> str:
    """Return a tick's number, with a true minus sign."""
    return f"{value:.6g}".replace("-", "−") if abs(value) > 1e-12 else "0"
