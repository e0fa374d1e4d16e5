# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs are whole or not there, and errors say why."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from vp3d_core.errors import OutputError
from vp3d_core.output_file import output_error, replaced_when_done


def write_half(path: Path, error: type[BaseException]) -> None:
    with replaced_when_done(path) as temporary:
        temporary.write_text("half")
        raise error


def test_replaces_when_the_block_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replaced_when_done(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_leaves_nothing_when_it_does_not(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        write_half(tmp_path / "a.txt", error)
    assert os.listdir(tmp_path) == []


def test_missing_folder(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="does not exist"),
        replaced_when_done(tmp_path / "no" / "a.txt") as temporary,
    ):
        temporary.write_text("x")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EACCES, "may not be written"),
        (errno.EROFS, "may not be written"),
        (errno.ENOENT, "folder .* does not exist"),
        (errno.EIO, "could not be written: .*error"),
    ],
)
def test_messages(number: int, message: str) -> None:
    error = output_error(Path("out") / "a.mp4", OSError(number, os.strerror(number)))
    assert error.hint
    with pytest.raises(OutputError, match=message):
        raise error
