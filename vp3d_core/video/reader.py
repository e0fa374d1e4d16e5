# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of a video with their true presentation times, upright and with square pixels.

Times are seconds since the first picture, taken from the stream and never computed as index / rate.
Decoding always starts at the beginning, because seeking is off by some frames in many files: index and
time of a frame do not depend on ``start_s``. Two frames are held at a time, as a time stamp is judged by
the next.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import VideoReadError
from ..keypoints import Frame
from .presentation_clock import PresentationClock
from .stream import OnWarning, VideoSource, log_warning
from .upright import Upright

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["TIME_TOLERANCE_S", "OnWarning", "VideoInfo", "nothing_between", "probe", "read_frames"]

TIME_TOLERANCE_S = 1e-6  # so that a time that was printed and typed again still names its frame
TRUNCATION_TOLERANCE_S = 0.25  # containers round durations; half a second missing is what a person notices


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known about a video before it is decoded.

    Attributes:
        path: The file.
        width: px, upright, square pixels.
        height: px, upright, square pixels.
        average_rate_hz: Frames per second; of a variable rate, the mean.
        duration_s: From the first picture to the end of the last.
        frame_count: As the file states or implies it; None when it does neither.
        codec: Name of the codec, such as "hevc".
        pixel_format: FFmpeg's name of the stored pixels, such as "yuv420p10le".
        rotation_deg: Clockwise turn, 0, 90, 180 or 270, that makes the stored pictures upright.
    """

    path: Path
    width: int
    height: int
    average_rate_hz: float
    duration_s: float
    frame_count: int | None
    codec: str
    pixel_format: str
    rotation_deg: int

    @property
    def image_size(self) -> tuple[int, int]:
        """(width, height) px."""
        return self.width, self.height

    def frames_between(self, start_s: float | None, end_s: float | None) -> int | None:
        """Return about how many frames lie between two times, as far as the file tells."""
        if self.frame_count is None or (start_s is None and end_s is None):
            return self.frame_count
        if not self.duration_s:
            return None
        first = min(start_s or 0.0, self.duration_s)
        last = self.duration_s if end_s is None else min(end_s, self.duration_s)
        return max(1, round(self.frame_count * (last - first) / self.duration_s))


def probe(path: Path) -> VideoInfo:
    """Read a video's properties; its first picture is decoded.

    Raises:
        VideoReadError: There is no such file, or it is empty, no video, or cannot be decoded.
    """
    with VideoSource(path, on_warning=None) as source:
        first = next(source.decode(), None)
        if first is None:
            raise source.nothing_decoded()
        upright = Upright(first, source.pixel_aspect)
        rate_hz, duration_s, frame_count = source.rate_duration_count()
        return VideoInfo(
            path=Path(path),
            width=upright.image_size[0],
            height=upright.image_size[1],
            average_rate_hz=rate_hz,
            duration_s=duration_s,
            frame_count=frame_count,
            codec=source.codec_name,
            pixel_format=first.format.name,
            rotation_deg=upright.rotation_deg,
        )


def read_frames(
    path: Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    every: int = 1,
    max_side: int | None = None,
    on_warning: OnWarning | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Generator[Frame, None, None]:
    """Decode frames one after the other.

    Args:
        path: The file.
        start_s: First time to yield, s since the first picture; None starts there.
        end_s: Time before which to stop, s; None reads to the end.
        every: Yield each n-th of the frames from ``start_s`` on; 1 or more.
        max_side: Longest side in px; larger pictures come smaller, with even sides. None keeps the size.
        on_warning: Called with (code, text, frame index or None) for damage that was worked around
            ("truncated", "damaged", "times_repaired", "size_changed"); None logs it.
        stopped: Asked after each picture, those before ``start_s`` too; when it says yes, nothing more comes.

    Yields:
        Frames in presentation order; ``index`` counts all frames of the stream, ``time_s`` increases
        strictly.

    Raises:
        VideoReadError: As for ``probe``, or no frame lies between ``start_s`` and ``end_s``.
    """
    if every < 1:
        raise ValueError(f"every is {every}, expected 1 or more")
    warn = log_warning if on_warning is None else on_warning
    start = (start_s or 0.0) - TIME_TOLERANCE_S
    upright: Upright | None = None
    wanted = 0
    last_s = 0.0
    with VideoSource(path, on_warning=warn) as source:
        for index, time_s, picture in _timed_pictures(source, end_s, warn):
            if stopped is not None and stopped():
                return
            upright = upright or Upright(picture, source.pixel_aspect, max_side=max_side)
            last_s = time_s
            if time_s < start:
                continue
            if wanted % every == 0:
                yield Frame(index, time_s, upright.rgb(picture))
            wanted += 1
    if wanted == 0:
        raise nothing_between(path, start_s, end_s, last_s=last_s)


def nothing_between(
    path: Path, start_s: float | None, end_s: float | None, *, last_s: float
) -> VideoReadError:
    """Return the error of a video without a picture between two times, the last of which is at ``last_s``."""
    until = "its end" if end_s is None else f"{end_s:g} s"
    return VideoReadError(
        f"{Path(path).name} has no picture between {start_s or 0.0:g} s and {until}; the last that was "
        f"read is at {last_s:.2f} s",
        hint="Choose a start and an end inside the video.",
    )


def _timed_pictures(
    source: VideoSource, end_s: float | None, warn: OnWarning
) -> Iterator[tuple[int, float, VideoFrame]]:
    """Yield index, time in s and picture of all frames before ``end_s``; warn of a truncated file."""
    clock = PresentationClock(source.time_base, source.nominal_step_s, warn)
    last: tuple[float, VideoFrame] | None = None
    size: tuple[int, int] | None = None
    for index, (picture, following) in enumerate(_with_following(source.decode())):
        if size not in (None, (picture.width, picture.height)):
            warn(
                "size_changed", f"From frame {index} on pictures are {picture.width}x{picture.height}", index
            )
        size = picture.width, picture.height
        next_stamps = (None, None) if following is None else (following.pts, following.dts)
        time_s = clock.tick((picture.pts, picture.dts), next_stamps, index)
        if end_s is not None and time_s >= end_s - TIME_TOLERANCE_S:
            return
        last = time_s, picture
        yield index, time_s, picture
    if last is None:
        raise source.nothing_decoded()
    _warn_if_truncated(source, *last, warn)


def _with_following(pictures: Iterator[VideoFrame]) -> Iterator[tuple[VideoFrame, VideoFrame | None]]:
    """Yield each picture with the one after it, None after the last."""
    picture = next(pictures, None)
    while picture is not None:
        following = next(pictures, None)
        yield picture, following
        picture = following


def _warn_if_truncated(source: VideoSource, time_s: float, picture: VideoFrame, warn: OnWarning) -> None:
    stated_s = source.stated_duration_s()
    end_s = time_s + max(float((picture.duration or 0) * source.time_base), source.nominal_step_s)
    if not source.read_error and (stated_s is None or end_s >= stated_s - TRUNCATION_TOLERANCE_S):
        return
    stated = "more was expected" if stated_s is None else f"its header promises {stated_s:.2f} s"
    reason = f" ({source.read_error})" if source.read_error else ""
    warn("truncated", f"The video ends after {end_s:.2f} s, but {stated}{reason}", None)
