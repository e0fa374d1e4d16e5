# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders to write to."""

from __future__ import annotations

from pathlib import Path

from ..errors import OutputError
from ..output_file import output_error

__all__ = ["make_folder"]


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
