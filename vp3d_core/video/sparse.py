# SPDX-License-Identifier: GPL-3.0-or-later
"""A few frames spread over a video, for a quick look: long videos are not decoded whole.

Seeking lands on some frame near the wanted time, and which one differs between files; a frame's time is its
own, so that nothing shown is off. For measurements use ``read_frames``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from ..keypoints import Frame
from .reader import probe, read_frames
from .stream import VideoSource
from .upright import Upright

__all__ = ["read_sparse"]

SEQUENTIAL_FRAMES = 1500  # decoding so many takes a few seconds; seeking in a short video takes longer


def read_sparse(
    path: Path,
    count: int,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    max_side: int | None = None,
) -> Iterator[Frame]:
    """Yield about ``count`` frames, evenly spread, in order of time.

    Args:
        path: The video file.
        count: How many, 1 or more; fewer come of a video that has fewer.
        start_s: First time, s since the first picture, or None.
        end_s: Time before which to stop, s, or None.
        max_side: Longest side in px, or None for the video's own size.

    Raises:
        VideoReadError: As for ``read_frames``.
    """
    info = probe(path)
    frames = info.frames_between(start_s, end_s) or SEQUENTIAL_FRAMES
    if (info.frame_count or 0) <= SEQUENTIAL_FRAMES:
        every = max(1, math.ceil(frames / count))
        yield from read_frames(path, start_s=start_s, end_s=end_s, every=every, max_side=max_side)
        return
    first_s = start_s or 0.0
    last_s = info.duration_s if end_s is None else min(end_s, info.duration_s)
    step_s = max(last_s - first_s, 0.0) / count
    times_s = [first_s + index * step_s for index in range(count)]
    yield from _seek_frames(path, times_s, tolerance_s=step_s / 2.0, max_side=max_side)


def _seek_frames(
    path: Path, times_s: list[float], *, tolerance_s: float, max_side: int | None
) -> Iterator[Frame]:
    with VideoSource(path, on_warning=None) as source:
        first = next(source.decode(), None)
        if first is None:
            raise source.nothing_decoded()
        upright = Upright(first, source.pixel_aspect, max_side=max_side)
        origin = first.pts or 0
        shown = -1.0
        for wanted_s in times_s:
            source.seek(origin + round(wanted_s / source.time_base))
            for picture in source.decode():
                time_s = float(((picture.pts or 0) - origin) * source.time_base)
                if picture.pts is not None and time_s > shown and time_s >= wanted_s - tolerance_s:
                    shown = time_s
                    yield Frame(round(time_s / source.nominal_step_s), time_s, upright.rgb(picture))
                    break
