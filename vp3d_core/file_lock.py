# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks that the operating system lets go when their holder dies, so that none can be left behind.

On a file system that has no locks everybody gets them. Standard library only; runs on Python 3.9.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

__all__ = ["exclusive", "exclusive_if_free"]

RETRY_S = 0.5
HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})  # Windows and network drives say EACCES


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


@contextlib.contextmanager
def exclusive_if_free(path: Path, *, wait_s: float = 0.0) -> Iterator[bool]:
    """Hold the lock file unless another process does; say which.

    Args:
        path: The lock file; made if missing, removed at the end.
        wait_s: How long a holder is given to let go.
    """
    deadline_s = time.monotonic() + wait_s
    file = _open_locked(path)
    while file is None and time.monotonic() < deadline_s:
        time.sleep(RETRY_S)
        file = _open_locked(path)
    if file is None:
        yield False
        return
    try:
        yield True
    finally:
        if sys.platform == "win32":
            file.close()  # an open file cannot be removed, which also guards one that was opened by then
        with contextlib.suppress(OSError):
            path.unlink()
        file.close()


def _open_locked(path: Path) -> IO[bytes] | None:
    file = path.open("a+b")
    if _try_lock(file) and _is_still_at(path, file):
        return file
    file.close()
    return None


def _is_still_at(path: Path, file: IO[bytes]) -> bool:
    """Return whether a file was not removed since it was opened, by the holder before."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _try_lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in HELD
    return True
