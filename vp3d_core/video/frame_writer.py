# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing RGB frames with their times to an H.264 MP4 file."""

from __future__ import annotations

import logging
import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from ..output_file import output_error, temporary_path

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["FrameWriter"]

# Exact for 24, 25, 30, 50, 60, 120 Hz and their 1000/1001 kin, and below the 65535 that MPEG-4 allows.
TICKS_PER_S = 60_000
# Best first; a build of FFmpeg may lack the H.264 ones for reasons of licence.
ENCODERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("libx264", {"preset": "ultrafast", "crf": "26"}),  # a review copy: speed over size
    ("libopenh264", {"b": "6000000"}),
    ("mpeg4", {"qscale": "4"}),
)
ENCODER_THREADS = 2
BT601 = 6  # AVCOL_SPC_SMPTE170M, AVCOL_PRI_SMPTE170M and AVCOL_TRC_SMPTE170M: OpenCV converts to this
LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG

logger = logging.getLogger(__name__)


class FrameWriter:
    """Write frames to an MP4 file that appears under its name only once it is complete.

    A context manager; when its block ends with an error, nothing is left behind. The first frame fixes
    the size and stands at time 0, so that later times keep their distance from it; odd sizes get one
    more row or column, a copy of the last.

    Args:
        path: The file; an existing one is replaced.
        rate_hz: Nominal frames per second: how long the last frame is shown.
    """

    def __init__(self, path: Path, *, rate_hz: float) -> None:
        if not rate_hz > 0:
            raise ValueError(f"rate_hz is {rate_hz}, expected more than 0")
        self._path = Path(path)
        self._temporary = temporary_path(self._path)
        self._rate_hz = rate_hz
        self._file: BinaryIO | None = None
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._picture: VideoFrame | None = None
        self._first_s = 0.0
        self._last_tick = -1

    def __enter__(self) -> FrameWriter:
        import av

        try:
            self._file = open(self._temporary, "wb")  # noqa: SIM115 (closed in __exit__)
        except OSError as error:
            raise output_error(self._path, error) from error
        try:
            self._container = av.open(self._file, "w", format="mp4")
        except BaseException:
            self._abandon()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._abandon()

    def write(self, rgb: npt.NDArray[np.uint8], time_s: float) -> None:
        """Append one frame.

        Args:
            rgb: (H, W, 3), of the size of the first.
            time_s: Presentation time, s; more than that of the frame before.

        Raises:
            OutputError: The disk is full, for instance.
            ValueError: The time does not increase, or the size has changed.
        """
        height, width = rgb.shape[:2]
        if self._container is None:
            raise ValueError("write() belongs inside the with block")
        size = width + width % 2, height + height % 2
        if self._stream is None or self._picture is None:
            self._stream = _add_stream(self._container, size, self._rate_hz)
            self._picture = _new_picture(size)
            self._first_s = time_s
        if size != (self._picture.width, self._picture.height):
            raise ValueError(
                f"a frame is {width} x {height} px, expected {self._picture.width} x {self._picture.height}"
            )
        tick = round((time_s - self._first_s) * TICKS_PER_S)
        if tick <= self._last_tick:
            raise ValueError(f"the time of a frame, {time_s} s, is not after the one before")
        self._last_tick = tick
        if width % 2 or height % 2:
            rgb = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        _fill(self._picture, rgb)
        self._picture.pts = tick
        try:
            self._encode(self._container, self._stream, self._picture)
        except OSError as error:
            raise output_error(self._path, error) from error

    def _encode(self, container: OutputContainer, stream: VideoStream, picture: VideoFrame | None) -> None:
        """Encode a picture, or what the encoder still holds, and write the packets that come out."""
        packets: list[Packet[VideoStream]] = stream.encode(picture)  # pyright: ignore
        for packet in packets:
            # MP4 derives all durations from the times but the last, for which it takes this one.
            packet.duration = round(TICKS_PER_S / self._rate_hz)
            container.mux(packet)  # pyright: ignore[reportUnknownMemberType]

    def _finish(self) -> None:
        if self._stream is None or self._container is None or self._file is None:
            raise ValueError("no frame was written")
        try:
            self._encode(self._container, self._stream, None)
            self._container.close()
            self._container = None
            self._file.close()
            os.replace(self._temporary, self._path)
        except OSError as error:
            raise output_error(self._path, error) from error

    def _abandon(self) -> None:
        """Release what is still open and remove the temporary file, if it is still there."""
        from av.error import FFmpegError

        for resource in (self._container, self._file):
            try:
                if resource is not None:
                    resource.close()
            except (FFmpegError, OSError) as error:
                logger.debug("closing an unfinished %s: %s", self._path, error)
        self._temporary.unlink(missing_ok=True)


def _add_stream(container: OutputContainer, size: tuple[int, int], rate_hz: float) -> VideoStream:
    name, options = _best_encoder()
    rate = Fraction(rate_hz).limit_denominator(1001)
    stream: VideoStream = container.add_stream(name, rate=rate, options=dict(options))  # pyright: ignore
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, TICKS_PER_S)
    context.thread_count = ENCODER_THREADS
    context.colorspace = context.color_primaries = context.color_trc = BT601
    context.color_range = LIMITED_RANGE
    return stream


def _new_picture(size: tuple[int, int]) -> VideoFrame:
    import av

    picture = av.VideoFrame(*size, "yuv420p")
    picture.colorspace, picture.color_range = BT601, LIMITED_RANGE
    picture.time_base = Fraction(1, TICKS_PER_S)
    return picture


def _fill(picture: VideoFrame, rgb: npt.NDArray[np.uint8]) -> None:
    """Put RGB pixels into a picture; one picture for all frames, as new memory costs more than the copy."""
    import cv2

    picture.make_writable()  # another one in its place where the encoder still holds it
    planes = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8).reshape(-1)
    start = 0
    for plane in picture.planes:
        own = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(plane.height, plane.line_size)
        stop = start + plane.height * plane.width
        own[:, : plane.width] = planes[start:stop].reshape(plane.height, plane.width)
        start = stop


def _best_encoder() -> tuple[str, dict[str, str]]:
    import av

    for name, options in ENCODERS:
        if name in av.codecs_available:
            try:
                av.Codec(name, "w")
            except ValueError:
                continue
            return name, options
    raise RuntimeError("this build of FFmpeg has none of the encoders " + ", ".join(n for n, _ in ENCODERS))
