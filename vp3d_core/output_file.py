# SPDX-License-Identifier: GPL-3.0-or-later
"""Output files that are either whole or not there: a temporary name, then ``os.replace``."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .errors import OutputError

__all__ = ["output_error", "replaced_when_done", "temporary_path"]

FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def temporary_path(path: Path) -> Path:
    """Return a new hidden name in the same folder, short enough for any file system."""
    return path.with_name(f".vp3d-{os.getpid()}-{secrets.token_hex(4)}.tmp")


def output_error(path: Path, error: OSError) -> OutputError:
    """Return the OutputError that tells why ``path`` could not be written, and what to do."""
    if error.errno in FULL:
        return OutputError(
            f"The disk is full: {path} could not be written", hint="Free some space and try again."
        )
    if error.errno in FORBIDDEN:
        return OutputError(f"{path} may not be written", hint="Choose a folder that you may write to.")
    if error.errno == errno.ENOENT:
        return OutputError(f"The folder {path.parent} does not exist", hint="Make it, or choose another.")
    return OutputError(
        f"{path} could not be written: {error.strerror or error}", hint="Choose another folder."
    )


@contextmanager
def replaced_when_done(path: Path) -> Generator[Path, None, None]:
    """Give a temporary path to write to; it takes the place of ``path`` when the block ends without an error.

    Only write in the block: each OSError in it is taken for one of the output.

    Raises:
        OutputError: The file could not be written or moved.
    """
    temporary = temporary_path(path)
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
