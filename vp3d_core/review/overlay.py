# SPDX-License-Identifier: GPL-3.0-or-later
"""The footage with 2D keypoints and the reprojected 3D skeletons drawn over it, to judge a capture by eye."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..keypoints import Frame, Keypoints2D
from ..motion import Motion
from ..video import probe, read_ahead, read_frames
from ..video.frame_writer import FrameWriter
from ..video.reader import OnWarning
from .overlay_drawing import bone_colours, draw_caption, draw_keypoints, draw_label, draw_skeleton
from .projected_motion import ProjectedMotion

__all__ = ["OVERLAY_SIDE_PX", "write_overlay"]

OVERLAY_SIDE_PX = 960  # longest side: enough to judge, quick to encode
CAPTION = (
    "%.2f s   dots: 2D keypoints, red = unsure, green = sure   lines: 3D skeleton, left lighter, right darker"
)


def write_overlay(
    video: Path,
    out_path: Path,
    motions: Sequence[Motion],
    keypoints: Sequence[Keypoints2D],
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
    on_frame: Callable[[Frame], None] | None = None,
    on_warning: OnWarning | None = None,
) -> None:
    """Write the overlay as an MP4 file with the times of the footage.

    Args:
        video: The footage.
        out_path: The file to write; it appears when it is complete.
        motions: One per person, with their cameras; without a camera only keypoints are drawn.
        keypoints: One per person, in px of the upright footage.
        start_s: Where to start, s since the first picture.
        end_s: Where to stop, s.
        on_progress: Called with the number of frames done and expected.
        on_frame: Sees each frame, at the overlay's size, before it is drawn on, so that others need not
            decode it once more; it is called in a thread of its own.
        on_warning: As for ``read_frames``; it, too, is called in a thread of its own.

    Raises:
        VideoReadError: The footage cannot be read.
        OutputError: The overlay cannot be written.
    """
    info = probe(video)
    total = info.frames_between(start_s, end_s)
    stop = threading.Event()
    frames = read_ahead(
        read_frames(
            video,
            start_s=start_s,
            end_s=end_s,
            max_side=OVERLAY_SIDE_PX,
            on_warning=on_warning,
            stopped=stop.is_set,
        ),
        stop=stop,
    )
    # Three threads: one decodes, one draws, and this one encodes.
    drawn = read_ahead(_drawn(frames, info.width, motions, keypoints, on_frame), depth=2, stop=stop)
    with closing(drawn), FrameWriter(out_path, rate_hz=info.average_rate_hz) as writer:
        for done, frame in enumerate(drawn, start=1):
            writer.write(frame.rgb, frame.time_s)
            if on_progress is not None:
                on_progress(done, total)


def _drawn(
    frames: Generator[Frame, None, None],
    width: int,
    motions: Sequence[Motion],
    keypoints: Sequence[Keypoints2D],
    on_frame: Callable[[Frame], None] | None,
) -> Generator[Frame, None, None]:
    """Draw on frames of footage that is ``width`` px wide; they are new arrays, so they may be drawn on."""
    projected = [ProjectedMotion.of(motion) for motion in motions]
    timed = [(points, _usual_step_s(points.times_s)) for points in keypoints]
    with closing(frames):
        for frame in frames:
            if on_frame is not None:
                on_frame(frame)
            _draw_people(frame.rgb, frame.time_s, frame.rgb.shape[1] / width, projected, timed)
            draw_caption(frame.rgb, CAPTION % frame.time_s)
            yield frame


def _draw_people(
    picture: npt.NDArray[np.uint8],
    time_s: float,
    scale: float,
    projected: Sequence[ProjectedMotion | None],
    timed: Sequence[tuple[Keypoints2D, float]],
) -> None:
    """Draw each person's skeleton, then the keypoints, given with the usual time between their frames."""
    for person, motion in enumerate(projected):
        if motion is None:
            continue
        xy, depths_m, covered = motion.at(np.array([time_s]))
        if not covered[0]:
            continue
        joints_xy, colours = _scaled_xy(xy[0], scale), bone_colours(person)
        draw_skeleton(picture, motion.motion.skeleton, joints_xy, depths_m[0], colours=colours)
        draw_label(picture, _label(person, motion.motion), joints_xy, colour=colours.left)
    for points, step_s in timed:
        row = _row_at(points.times_s, time_s, step_s)
        if row is not None:
            draw_keypoints(picture, _scaled_xy(points.xy[row], scale), points.scores[row])


def _label(person: int, motion: Motion) -> str:
    track_id = motion.meta.get("track_id")  # what --person takes
    return f"Person {person + 1}" + ("" if track_id is None else f" (track {track_id})")


def _usual_step_s(times_s: Array) -> float:
    return float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0


def _row_at(times_s: Array, time_s: float, step_s: float) -> int | None:
    """Return the row whose time is nearest, or None when it is more than half a step away."""
    if len(times_s) == 0:
        return None
    after = int(np.searchsorted(times_s, time_s))
    row = min(
        (r for r in (after - 1, after) if 0 <= r < len(times_s)), key=lambda r: abs(times_s[r] - time_s)
    )
    return row if abs(times_s[row] - time_s) <= step_s / 2 + 1e-6 else None


def _scaled_xy(xy: Array, scale: float) -> Array:
    """Scale positions about the picture's corner, which lies half a pixel before the first centre."""
    return (xy + 0.5) * scale - 0.5
