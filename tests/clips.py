# SPDX-License-Identifier: GPL-3.0-or-later
"""Small clips that tests make themselves, so that every codec, rotation and fault is at hand."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RGB = npt.NDArray[np.uint8]

TICKS_PER_S = 60_000
# Quadrants of the marked picture: top left, top right, bottom left, bottom right.
QUADRANTS = ((200, 30, 30), (30, 180, 30), (30, 30, 200), (210, 210, 60))
SIZE = (96, 64)
GREY_STEP = 20  # the grey of the centre tells the frame's index: far enough apart to survive compression


def marked_picture(width: int, height: int, index: int = 0) -> RGB:
    """Return an upright picture with a different colour in each corner and its index as a grey centre."""
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    x, y = width // 2, height // 2
    picture[:y, :x], picture[:y, x:], picture[y:, :x], picture[y:, x:] = QUADRANTS
    picture[y - height // 6 : y + height // 6, x - width // 6 : x + width // 6] = 20 + GREY_STEP * index
    return picture


def marked_pictures(count: int = 6, *, size: tuple[int, int] = SIZE) -> list[RGB]:
    """Return marked pictures with the indices 0 to count - 1 (at most 12)."""
    return [marked_picture(*size, index) for index in range(count)]


class Warnings(list[tuple[str, str, "int | None"]]):
    """An ``on_warning`` that keeps what it is told."""

    def __call__(self, code: str, text: str, frame: int | None) -> None:
        """Keep one warning."""
        self.append((code, text, frame))

    @property
    def codes(self) -> list[str]:
        """The codes in order."""
        return [code for code, _, _ in self]


def corner_colours(picture: RGB) -> RGB:
    """Return the colours (4, 3) near the corners: top left, top right, bottom left, bottom right."""
    height, width = picture.shape[:2]
    x, y = width // 8, height // 8
    return np.array([picture[y, x], picture[y, -x], picture[-y, x], picture[-y, -x]])


def marked_index(picture: RGB) -> int:
    """Return the index that the centre of a marked picture tells."""
    height, width = picture.shape[:2]
    centre = picture[height // 2 - 2 : height // 2 + 2, width // 2 - 2 : width // 2 + 2]
    return round((float(centre.mean()) - 20) / GREY_STEP)


def write_clip(
    path: Path,
    pictures: Sequence[RGB],
    *,
    times_s: Sequence[float] | None = None,
    rate_hz: int = 25,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    container: str | None = None,
    container_options: dict[str, str] | None = None,
    pixel_aspect: Fraction | None = None,
) -> Path:
    """Encode pictures of one size; ``times_s`` may be anything that increases, else ``rate_hz`` sets it."""
    tick_s = Fraction(1, rate_hz if times_s is None else TICKS_PER_S)
    ticks = range(len(pictures)) if times_s is None else [round(time_s / tick_s) for time_s in times_s]
    with av.open(str(path), "w", format=container, options=container_options or {}) as output:
        stream = output.add_stream(codec, rate=rate_hz, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = tick_s
        stream.codec_context.thread_count = 1
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        for picture, tick in zip(pictures, ticks, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = tick, tick_s
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def write_tone(path: Path) -> Path:
    """Write a file with sound only."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=44100)
        samples = np.sin(np.arange(4096, dtype=np.float32) / 20)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = 44100
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def set_display_matrix(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Write a, b, c, d of the display matrix into an MP4's track header, as telephones do.

    Source: ISO/IEC 14496-12, 8.3.2: nine numbers a b u c d v x y w, of which x and y shift the picture
    back into view and no player needs them.
    """
    data = bytearray(path.read_bytes())
    tag = data.index(b"tkhd")
    assert data[tag + 4] == 0, "expected version 0 of the track header"
    a, b, c, d = (value * 0x10000 for value in matrix)
    struct.pack_into(">9i", data, tag + 4 + 40, a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(data)
