# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import errno
import sys
import threading
from pathlib import Path

import pytest

from vp3d_core.capture.output_folder import only_capture_in
from vp3d_core.errors import OutputError
from vp3d_core.file_lock import exclusive, exclusive_if_free


def test_only_one_holds_the_lock_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with exclusive_if_free(path) as first:
        with exclusive_if_free(path) as second:
            assert (first, second) == (True, False)
        with exclusive_if_free(path) as third:
            assert not third, "who was refused has not taken it away"
    assert list(tmp_path.iterdir()) == []
    with exclusive_if_free(path) as again:
        assert again


def test_a_file_that_a_killed_process_left_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with exclusive_if_free(tmp_path / "lock") as held:
        assert held
    assert list(tmp_path.iterdir()) == []


def test_a_holder_who_ends_is_waited_for(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        assert stack.enter_context(exclusive_if_free(tmp_path / "lock"))
        timer = threading.Timer(0.1, stack.close)
        timer.start()
        with exclusive_if_free(tmp_path / "lock", wait_s=200.0) as held:
            assert held
        timer.join()


@pytest.mark.skipif(sys.platform == "win32", reason="there no open file can be removed")
def test_the_lock_of_a_removed_file_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder before removes the file between the opening and the locking."""
    import fcntl

    path = tmp_path / "lock"
    lock = fcntl.flock

    def lock_too_late(file: object, operation: int) -> None:
        path.unlink()
        lock(file, operation)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", lock_too_late)
    with exclusive_if_free(path) as held:
        assert not held


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX locks")
def test_where_there_are_no_locks_everybody_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(file: object, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with exclusive_if_free(tmp_path / "lock") as held:
        assert held
    with exclusive(tmp_path / "lock", on_wait=lambda: pytest.fail("nobody holds it")):
        pass


def test_a_folder_takes_one_capture_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with only_capture_in(folder):
        with (
            pytest.raises(OutputError, match="Another capture is running in ") as caught,
            only_capture_in(folder),
        ):
            pytest.fail("two captures in one folder")
        assert str(folder) in caught.value.message
        assert caught.value.hint
        with only_capture_in(tmp_path / "other"):
            pass
    with only_capture_in(folder):
        pass
    assert list(folder.iterdir()) == []


def test_a_file_in_the_place_of_the_lock_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / ".vp3d-lock").mkdir()
    with pytest.raises(OutputError), only_capture_in(tmp_path):
        pytest.fail("there is no lock")
