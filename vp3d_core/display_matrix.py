# SPDX-License-Identifier: GPL-3.0-or-later
"""How an MP4 or QuickTime file wants its pictures turned, read with the standard library alone.

Source: ISO/IEC 14496-12, 8.3.2 (tkhd). The worker reads the same from FFmpeg.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["display_rotation_deg"]

_CONTAINERS = (b"moov", b"trak", b"mdia")
_FULL_BOX_64 = 1  # version of a tkhd with 64-bit times


def display_rotation_deg(video: Path) -> int:
    """Return the clockwise turn that makes the stored pictures upright: 0, 90, 180 or 270.

    Files of other kinds, or that cannot be read, give 0.
    """
    try:
        with video.open("rb") as stream:
            return _first_video_rotation(stream, video.stat().st_size)
    except (OSError, struct.error):
        return 0


def _first_video_rotation(stream: BinaryIO, size: int) -> int:
    rotation = 0
    for kind, start, end in _boxes(stream, 0, size):
        if kind == b"tkhd":
            rotation = _rotation(_read(stream, start, end))
        elif kind == b"hdlr" and _read(stream, start, end)[8:12] == b"vide":
            return rotation
    return 0


def _boxes(stream: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the boxes within a part of the file, containers opened."""
    while start + 8 <= end:
        stream.seek(start)
        length, kind = struct.unpack(">I4s", stream.read(8))
        head = 8
        if length == 1:
            length, head = struct.unpack(">Q", stream.read(8))[0], 16
        stop = end if length == 0 else start + length
        if stop < start + head or stop > end:
            return
        if kind in _CONTAINERS:
            yield from _boxes(stream, start + head, stop)
        else:
            yield kind, start + head, stop
        start = stop


def _read(stream: BinaryIO, start: int, end: int) -> bytes:
    stream.seek(start)
    return stream.read(min(end - start, 256))


def _rotation(track_header: bytes) -> int:
    at = 52 if track_header[:1] == bytes([_FULL_BOX_64]) else 40
    a, b, _, c, d = struct.unpack_from(">5i", track_header, at)
    if abs(b) + abs(c) > abs(a) + abs(d):
        return 270 if b < 0 else 90
    return 180 if d < 0 else 0
