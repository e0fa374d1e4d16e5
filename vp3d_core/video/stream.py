# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a video file and decoding its pictures with FFmpeg (PyAV), errors told in the user's words."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from ..errors import VideoReadError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["OnWarning", "VideoSource", "check_video_file", "log_warning"]

OnWarning: TypeAlias = Callable[[str, str, "int | None"], None]

MAX_DECODER_THREADS = 4  # more gain little for one stream, and the detector needs the cores
TEXT_FORMATS = frozenset({"tty", "bin", "idf", "xbin", "adf"})  # FFmpeg "plays" text files as terminal art
STILLS_ONLY = frozenset({"webp"})  # codecs of which FFmpeg (8.0) decodes still pictures, but no animations
ATTACHED_PICTURE = 0x400  # AV_DISPOSITION_ATTACHED_PIC
MKVMERGE_TAG = "_STATISTICS_TAGS"  # its DURATION counts from the first picture, FFmpeg's from time zero
FALLBACK_RATE_HZ = 25.0  # for raw streams that state no rate at all: FFmpeg's own choice for them
ANY_VIDEO_HINT = "Choose a video such as MP4, MOV, MKV, WebM or AVI."

logger = logging.getLogger(__name__)


def log_warning(code: str, text: str, frame: int | None) -> None:
    """Log a warning: what ``on_warning=None`` means."""
    logger.warning("%s (%s%s)", text, code, "" if frame is None else f", frame {frame}")


def check_video_file(path: Path) -> None:
    """Raise VideoReadError unless the path is a readable file that is not empty."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise VideoReadError(f"There is no file {path}", hint="Check the path and its spelling.") from None
    except (OSError, ValueError) as error:
        raise VideoReadError(
            f"{path} cannot be read: {error}", hint="Check the path and its permissions."
        ) from error
    if stat.S_ISDIR(status.st_mode):
        raise VideoReadError(f"{path} is a folder, not a video", hint="Choose one file in it.")
    if not stat.S_ISREG(status.st_mode):
        raise VideoReadError(f"{path} is a device or pipe, not a file", hint=ANY_VIDEO_HINT)
    if status.st_size == 0:
        raise VideoReadError(f"{path} is empty (0 bytes)", hint="Copy or download it again.")
    try:
        with open(path, "rb"):
            return
    except OSError as error:
        raise VideoReadError(
            f"{path} may not be read: {error.strerror}", hint="Check its permissions."
        ) from error


class VideoSource:
    """An open video file: a context manager around FFmpeg's container and its main video stream.

    Args:
        path: The file.
        on_warning: Called with (code, text, frame index) for packets that cannot be decoded, or None.

    Raises:
        VideoReadError: There is no such file, or it is empty, no video, or cannot be decoded.
    """

    def __init__(self, path: Path, *, on_warning: OnWarning | None) -> None:
        self._path = Path(path)
        self._warn = on_warning
        self.read_error = ""
        self._decode_error = ""
        check_video_file(self._path)
        self._container = _open_container(self._path)
        try:
            self._stream = _main_stream(self._container, self._path)
            self._stream.thread_type = "AUTO"  # pyright: ignore[reportAttributeAccessIssue] (setter takes names)
            self._stream.codec_context.thread_count = min(MAX_DECODER_THREADS, os.cpu_count() or 1)
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> VideoSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    @property
    def codec_name(self) -> str:
        """Name of the codec."""
        return self._stream.codec_context.codec.canonical_name

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick of the stream's time stamps."""
        return Fraction(self._stream.time_base or Fraction(1, 90000))

    @property
    def nominal_step_s(self) -> float:
        """Seconds per frame at the stated rate."""
        return 1.0 / self._stated_rate_hz()

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a stored pixel over its height; 1 when it is not stated."""
        aspect = self._stream.sample_aspect_ratio
        return Fraction(aspect) if aspect else Fraction(1)

    def decode(self) -> Iterator[VideoFrame]:
        """Yield the pictures in presentation order; damaged packets are skipped with a warning.

        ``read_error`` says afterwards why reading stopped before the end, or is "".
        """
        from av.error import FFmpegError

        packets = self._container.demux(self._stream)
        count = 0
        while True:
            try:
                packet = next(packets, None)
            except (FFmpegError, OSError) as error:
                self.read_error = _reason(error)
                packet = None
            try:
                pictures = packet.decode() if packet is not None else self._drain()
            except (FFmpegError, OSError) as error:
                self._damaged(error, count)
                pictures = []
            count += len(pictures)
            yield from pictures
            if packet is None:
                return

    def seek(self, pts: int) -> None:
        """Go on at the last key picture before a time stamp, as far as the file allows."""
        from av.error import FFmpegError

        try:
            self._container.seek(pts, stream=self._stream)
        except (FFmpegError, OSError) as error:
            logger.debug("cannot seek to %d: %s", pts, error)

    def _drain(self) -> list[VideoFrame]:
        """Return the pictures that the decoder still holds when reading broke off."""
        if not self.read_error:
            return []
        return self._stream.codec_context.decode(None)  # pyright: ignore[reportUnknownMemberType]

    def _damaged(self, error: Exception, index: int) -> None:
        if not self._decode_error and self._warn is not None:
            self._warn("damaged", f"Data near frame {index} is damaged, left out: {_reason(error)}", index)
        self._decode_error = _reason(error)

    def nothing_decoded(self) -> VideoReadError:
        """Return the error for a video of which no picture could be decoded."""
        reason = self.read_error or self._decode_error or "it holds no pictures"
        hint = "The file is probably damaged or incomplete; copy or export it again."
        if self.codec_name in STILLS_ONLY:
            hint = "FFmpeg cannot decode animations of this format; convert it to MP4."
        return VideoReadError(
            f"No picture of {self._path.name} ({self.codec_name}) can be decoded: {reason}", hint=hint
        )

    def stated_duration_s(self) -> float | None:
        """Return the duration of the video stream as the file states it, s; None when it does not."""
        if self._stream.duration:
            duration_s = float(self._stream.duration * self.time_base)
            # FFmpeg makes an AVI's fit the size of the file, but leaves the number of frames.
            is_avi = self._container.format.name == "avi"
            return max(duration_s, self._stream.frames * self.nominal_step_s) if is_avi else duration_s
        metadata = self._stream.metadata
        tag = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", metadata.get("DURATION", ""))
        if tag:
            end_s = int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])
            if MKVMERGE_TAG in metadata:
                return end_s
            return max(0.0, end_s - float((self._stream.start_time or 0) * self.time_base))
        if self._container.duration and len(self._container.streams) == 1:
            return self._container.duration / 1e6  # in FFmpeg's AV_TIME_BASE, microseconds
        return None

    def rate_duration_count(self) -> tuple[float, float, int]:
        """Return frames per second, duration in s and number of frames; packets are counted if need be."""
        rate_hz, duration_s = self._stated_rate_hz(), self.stated_duration_s()
        if duration_s is None:
            count = self._count_packets()
            return rate_hz, count / rate_hz, count
        count = max(1, round(duration_s * rate_hz))
        stored = self._stream.frames
        # MP4's takes in the pictures that an edit list leaves out; those of others are exact.
        is_trimmed = "mp4" in self._container.format.name and stored > count + 1
        return rate_hz, duration_s, count if is_trimmed or not stored else stored

    def _stated_rate_hz(self) -> float:
        rate = self._stream.average_rate or self._stream.guessed_rate or self._stream.base_rate
        return float(rate) if rate else FALLBACK_RATE_HZ

    def _count_packets(self) -> int:
        """Count the packets of the whole file, which is read once more and not decoded."""
        from av.error import FFmpegError

        count = 0
        container = _open_container(self._path)
        try:
            for packet in container.demux(_main_stream(container, self._path)):
                count += packet.size > 0
        except (FFmpegError, OSError) as error:
            logger.debug("counting stopped: %s", error)
        finally:
            container.close()
        return max(1, count)


def _open_container(path: Path) -> InputContainer:
    import av
    from av.error import FFmpegError

    try:
        # An absolute path, as FFmpeg takes what stands before a colon for a protocol; local files only,
        # so that a playlist cannot reach for the network.
        container = av.open(
            os.path.abspath(path), options={"protocol_whitelist": "file,crypto"}, metadata_errors="replace"
        )
    except (FFmpegError, OSError, ValueError) as error:
        raise _not_a_video(path, error) from error
    if container.format.name in TEXT_FORMATS:
        container.close()
        raise VideoReadError(f"{path} is a text file, not a video", hint=ANY_VIDEO_HINT)
    return container


def _not_a_video(path: Path, error: Exception) -> VideoReadError:
    with open(path, "rb") as file:
        head = file.read(12)
    if head[4:8] in (b"ftyp", b"mdat", b"wide", b"moov"):
        return VideoReadError(
            f"{path} is an incomplete MP4/MOV file, its index is missing: {_reason(error)}",
            hint="The recording or copy was cut off. Copy it again, or repair it with a tool like untrunc.",
        )
    return VideoReadError(f"{path} is not a video: {_reason(error)}", hint=ANY_VIDEO_HINT)


def _main_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the video stream that a player would show; cover pictures of music files do not count."""
    streams = [s for s in container.streams.video if not _is_cover(s)]
    if not len(container.streams):
        raise _not_a_video(path, ValueError("it holds no streams"))
    if not streams and container.streams.video:
        raise VideoReadError(f"{path} is no video, its only picture is a cover", hint=ANY_VIDEO_HINT)
    if not streams:
        found = ", ".join(f"{s.type}" for s in container.streams)
        raise VideoReadError(f"{path} has no video stream (streams: {found})", hint=ANY_VIDEO_HINT)
    best = container.streams.best("video")
    stream = next((s for s in streams if best is not None and s.index == best.index), streams[0])
    if getattr(stream, "codec_context", None) is None:
        raise VideoReadError(
            f"{path} is in a codec that this FFmpeg cannot decode", hint="Convert it to H.264, for instance."
        )
    return stream


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & ATTACHED_PICTURE)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or error)
