# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing files so that they are either whole or not there: a temporary name beside them, then os.replace."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import OutputError

__all__ = ["replacing"]

_HINTS = {
    errno.ENOSPC: "Free some space on the disk, or write elsewhere.",
    errno.EDQUOT: "Your disk quota is used up; free some space, or write elsewhere.",
    errno.EACCES: "Choose a folder that you may write to.",
    errno.EPERM: "Choose a folder that you may write to.",
    errno.EROFS: "The disk is read-only; choose another folder.",
}


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Give a temporary path in the same folder; move it over ``path`` when the block ends without error.

    Args:
        path: The file to write; its folder must exist.

    Yields:
        The temporary path, with the same suffix. It is removed when the block raises.

    Raises:
        OutputError: when the system refuses to write (permissions, disk full, no such folder).
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or str(error)
        hint = _HINTS.get(error.errno or 0, "Choose another place for the output.")
        raise OutputError(f"{path} cannot be written: {reason}", hint=hint) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    """Return the process's umask: mkstemp makes files that only their owner can read."""
    current = os.umask(0)
    os.umask(current)
    return current
