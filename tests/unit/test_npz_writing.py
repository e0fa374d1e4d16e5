# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import io

import numpy as np
import pytest

from vp3d_core.npz_writing import write_npz
from vp3d_core.time_blocks import BLOCK_FRAMES


def test_a_file_is_what_numpy_would_have_written() -> None:
    rng = np.random.default_rng(0)
    long = rng.normal(size=(2 * BLOCK_FRAMES + 1, 3))
    arrays = {
        "long": long,
        "turned": long.T,
        "part": long[::2, 1:],
        "empty": np.zeros((0, 4)),
        "number": np.array(7),
        "text": np.array("naïve"),
        "names": np.array(["a", "bc"]),
        "flags": np.array([True, False]),
    }
    ours, theirs = io.BytesIO(), io.BytesIO()
    write_npz(ours, arrays)
    np.savez_compressed(theirs, **arrays)  # type: ignore[arg-type]
    for stream in (ours, theirs):
        stream.seek(0)
    with np.load(ours, allow_pickle=False) as written, np.load(theirs, allow_pickle=False) as expected:
        assert written.files == expected.files
        for name in expected.files:
            assert written[name].dtype == expected[name].dtype
            np.testing.assert_array_equal(written[name], expected[name])


def test_objects_are_refused() -> None:
    with pytest.raises(TypeError, match="things holds objects"):
        write_npz(io.BytesIO(), {"things": np.array([{}])})


class FailingStream(io.BytesIO):
    """Raises once more than ``room`` bytes are written."""

    def __init__(self, room: int, error: BaseException) -> None:
        super().__init__()
        self._room, self._error = room, error

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._room -= len(data)
        if self._room < 0:
            raise self._error
        return super().write(data)


@pytest.mark.parametrize("room", [0, 100, 30_000])  # a header, the head of an array, its middle
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt("full")])
def test_an_error_while_writing_surfaces_as_it_is(room: int, error: BaseException) -> None:
    noise = np.random.default_rng(0).normal(size=(3 * BLOCK_FRAMES, 3))
    with pytest.raises(type(error), match="full"):
        write_npz(FailingStream(room, error), {"noise": noise})
