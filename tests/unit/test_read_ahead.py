# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from vp3d_core.video.read_ahead import read_ahead


def test_all_values_come_in_order() -> None:
    assert list(read_ahead((value for value in range(100)), depth=3)) == list(range(100))
    assert list(read_ahead(value for value in ())) == []


def test_an_error_comes_after_the_values_before_it() -> None:
    def values() -> Generator[int, None, None]:
        yield 1
        raise RuntimeError("broken picture")

    ahead = read_ahead(values())
    assert next(ahead) == 1
    with pytest.raises(RuntimeError, match="broken picture"):
        next(ahead)


def test_closing_stops_the_thread_and_closes_the_source() -> None:
    closed = threading.Event()
    made: list[int] = []

    def endless() -> Generator[int, None, None]:
        try:
            while True:
                made.append(len(made))
                yield made[-1]
        finally:
            closed.set()

    values = read_ahead(endless(), depth=4)
    assert next(values) == 0
    values.close()
    assert closed.is_set()
    assert len(made) <= 6
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


def test_closing_stops_a_source_that_works_for_long_between_two_values() -> None:
    stop = threading.Event()
    searching = threading.Event()

    def values() -> Generator[int, None, None]:
        yield 1
        while not stop.is_set():
            searching.set()

    ahead = read_ahead(values(), stop=stop)
    assert next(ahead) == 1
    assert searching.wait(30.0)
    ahead.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]
