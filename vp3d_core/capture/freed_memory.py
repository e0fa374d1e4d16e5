# SPDX-License-Identifier: GPL-3.0-or-later
"""Large arrays that are freed go back to the system.

glibc raises the size from which it does so to that of the largest array that was freed, and keeps smaller
ones between values that are still used: after a long video, half as much again as the result.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["return_large_arrays"]

LARGE_BYTES = 4 << 20  # above the pictures of an overlay, which come and go quickly
# Of glibc's malloc.h: how much may stay free at the heap's end, and from what size on memory lies outside it.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def return_large_arrays() -> None:
    """From now on give back arrays of more than ``LARGE_BYTES`` at once, where the C library is glibc."""
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if set_option is not None:
            set_option(M_TRIM_THRESHOLD, LARGE_BYTES)
            set_option(M_MMAP_THRESHOLD, LARGE_BYTES)
