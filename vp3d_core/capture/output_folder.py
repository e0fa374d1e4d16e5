# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders to write to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import OutputError
from ..file_lock import exclusive_if_free
from ..output_file import output_error

__all__ = ["ENDING_S", "make_folder", "only_capture_in"]

LOCK_NAME = ".vp3d-lock"
ENDING_S = 15.0  # within which a worker ends that was told to, or whose parent is gone


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        OutputError: If it cannot be made, or a file lies there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(
            f"{folder} cannot be made: a file is in its place", hint="Choose another folder."
        ) from error
    except OSError as error:
        raise output_error(folder, error) from error


@contextlib.contextmanager
def only_capture_in(folder: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Make a folder, and keep other captures out of it while the block runs.

    Args:
        folder: The output folder.
        wait_s: How long another capture in it is given to end.

    Raises:
        OutputError: If another capture is running in it, or it cannot be written.
    """
    make_folder(folder)
    with contextlib.ExitStack() as stack:
        try:
            is_free = stack.enter_context(exclusive_if_free(folder / LOCK_NAME, wait_s=wait_s))
        except OSError as error:
            raise output_error(folder, error) from error
        if not is_free:
            raise OutputError(
                f"Another capture is running in {folder}",
                hint="Wait until it has ended, or choose another output folder.",
            )
        yield
