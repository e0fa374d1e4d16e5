# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing videos: true times, odd sizes, colours, and nothing half-written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import pytest

from tests import clips
from vp3d_core.errors import OutputError
from vp3d_core.video import FrameWriter, probe, read_frames

COLOURS = [(255, 255, 255), (0, 0, 0), (220, 30, 40), (20, 200, 60), (30, 60, 220), (128, 128, 128)]


def write_all(path: Path, frames: Iterable[tuple[clips.RGB, float]]) -> None:
    with FrameWriter(path, rate_hz=25) as writer:
        for rgb, time_s in frames:
            writer.write(rgb, time_s)


def test_times_colours_and_duration_survive(tmp_path: Path) -> None:
    path = tmp_path / "Übersicht 1.mp4"
    times_s = [3.0, 3.04, 3.5, 3.51, 5.0, 5.7]
    pictures = [np.full((64, 96, 3), colour, dtype=np.uint8) for colour in COLOURS]
    write_all(path, zip(pictures, times_s, strict=True))

    info = probe(path)
    frames = list(read_frames(path))

    assert info.image_size == (96, 64)
    assert info.duration_s == pytest.approx(2.7 + 1 / 25, abs=1e-3)
    np.testing.assert_allclose([f.time_s for f in frames], np.array(times_s) - 3.0, atol=1e-4)
    np.testing.assert_allclose([f.rgb[32, 48] for f in frames], COLOURS, atol=4)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("size", [(97, 64), (96, 63), (33, 65)])
def test_odd_sizes_get_one_more_row_or_column(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "odd.mp4"
    write_all(path, [(clips.marked_picture(*size), 0.0)])
    frame = next(iter(read_frames(path)))
    assert frame.rgb.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
    np.testing.assert_allclose(clips.corner_colours(frame.rgb), clips.QUADRANTS, atol=20)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_nothing_is_left_after_an_error(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("the user's earlier file")

    def frames_with_an_error() -> Iterator[tuple[clips.RGB, float]]:
        yield clips.marked_picture(96, 64), 0.0
        raise error

    with pytest.raises(error):
        write_all(path, frames_with_an_error())
    assert path.read_text() == "the user's earlier file"
    assert os.listdir(tmp_path) == ["a.mp4"]


def test_full_disk_is_an_output_error(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file size limits are a POSIX thing")
    noise = np.random.default_rng(1).integers(0, 255, (40, 128, 128, 3), dtype=np.uint8)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # writing beyond fails like a full disk
    try:
        with pytest.raises(OutputError, match="disk is full"):
            write_all(tmp_path / "a.mp4", [(picture, index / 25) for index, picture in enumerate(noise)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(tmp_path) == []


def test_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="does not exist"),
        FrameWriter(tmp_path / "no" / "a.mp4", rate_hz=30),
    ):
        pass


def test_nothing_is_left_when_ffmpeg_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[BinaryIO] = []

    def refuse(file: BinaryIO, *_: object, **__: object) -> None:
        opened.append(file)
        raise MemoryError

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(MemoryError), FrameWriter(tmp_path / "a.mp4", rate_hz=30):
        pass
    assert [file.closed for file in opened] == [True]
    assert os.listdir(tmp_path) == []


def test_misuse() -> None:
    with pytest.raises(ValueError, match="rate_hz is 0"):
        FrameWriter(Path("a.mp4"), rate_hz=0)
    with pytest.raises(ValueError, match="inside the with block"):
        FrameWriter(Path("a.mp4"), rate_hz=30).write(clips.marked_picture(96, 64), 0.0)


def test_times_must_increase(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not after the one before"):
        write_all(tmp_path / "a.mp4", [(clips.marked_picture(96, 64), 0.5)] * 2)


def test_the_size_must_stay(tmp_path: Path) -> None:
    pictures = [clips.marked_picture(96, 64), clips.marked_picture(96, 66)]
    with pytest.raises(ValueError, match="96 x 66 px, expected 96 x 64"):
        write_all(tmp_path / "a.mp4", zip(pictures, (0.0, 0.1), strict=True))
    assert os.listdir(tmp_path) == []


def test_no_frames(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no frame was written"), FrameWriter(tmp_path / "a.mp4", rate_hz=30):
        pass
    assert os.listdir(tmp_path) == []
