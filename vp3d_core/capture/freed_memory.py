# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that is freed goes back to the system.

glibc raises the size from which it gives arrays back to that of the largest one that was freed, and keeps
smaller ones between values that are still used: after a long video, half as much again as the result.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["cycles_collected", "give_back_freed_memory", "return_large_arrays"]

LARGE_BYTES = 4 << 20  # above the pictures of an overlay, which come and go quickly
# Of glibc's malloc.h: how much may stay free at the heap's end, and from what size on memory lies outside it.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


@contextmanager
def cycles_collected() -> Iterator[None]:
    """Collect reference cycles made within the block in time, and all of them at its end.

    Python waits until what is new is a quarter of what is old, which is much once torch is imported. What is
    there before the block is not looked at, so that this costs next to nothing.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()


def return_large_arrays() -> None:
    """From now on give back arrays of more than ``LARGE_BYTES`` at once, where the C library is glibc."""
    set_option = _of_libc("mallopt")
    if set_option is not None:
        set_option(M_TRIM_THRESHOLD, LARGE_BYTES)
        set_option(M_MMAP_THRESHOLD, LARGE_BYTES)


def give_back_freed_memory() -> None:
    """Give back what is free now, small pieces and holes too, where the C library is glibc."""
    trim = _of_libc("malloc_trim")
    if trim is not None:
        trim(0)


def _of_libc(name: str) -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None  # musl has none
