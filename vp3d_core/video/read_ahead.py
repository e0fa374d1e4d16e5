# SPDX-License-Identifier: GPL-3.0-or-later
"""Decode the next frames in a thread while the last ones are looked at; FFmpeg releases Python's lock."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["read_ahead"]

T = TypeVar("T")

DEPTH = 8  # values waiting: bounds the memory


def read_ahead(
    values: Generator[T, None, None], *, depth: int = DEPTH, stop: threading.Event | None = None
) -> Generator[T, None, None]:
    """Yield the values of a generator that runs in a thread of its own, at most ``depth`` ahead.

    What it raises is raised here, after the values before it. Closing stops the thread and waits for it; the
    generator is only touched by the thread.

    Args:
        values: The generator; it is closed at the end.
        depth: How many values may wait.
        stop: Set when this is closed, for a generator that may work for long before its next value.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as thread:
        waiting: deque[Future[T | None]] = deque(thread.submit(next, values, None) for _ in range(depth))
        try:
            while (value := waiting.popleft().result()) is not None:
                waiting.append(thread.submit(next, values, None))
                yield value
        finally:
            if stop is not None:
                stop.set()
            for future in waiting:
                future.cancel()
            thread.submit(values.close).result()
