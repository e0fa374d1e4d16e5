# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock that the operating system lets go when its holder dies, so that none can be left behind."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

__all__ = ["exclusive"]

RETRY_S = 0.5


@contextlib.contextmanager
def exclusive(path: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file; wait for another process that holds it.

    Args:
        path: The lock file; made if missing, never removed.
        on_wait: Called once if another process holds the lock.
    """
    with path.open("a+b") as file:
        if not _try_lock(file):
            on_wait()
            while not _try_lock(file):
                time.sleep(RETRY_S)
        yield  # closing the file lets go


def _try_lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
