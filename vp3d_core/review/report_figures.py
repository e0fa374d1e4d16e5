# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a report, as Matplotlib figures of their own: no pyplot, no global settings."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..keypoints import Keypoints2D, Track
from ..motion import CONTACT_JOINTS, Motion
from .overlay_drawing import PERSON_HUES
from .report_numbers import intervals, joint_heights, reprojection_errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "MAX_TRACK_ROWS",
    "confidence_figure",
    "feet_figure",
    "path_figure",
    "person_colour",
    "reprojection_figure",
    "tracks_figure",
]

WIDTH_INCH = 10.0
MAX_TRACK_ROWS = 40  # the longest tracks are shown; more would make a picture nobody reads
OTHER_COLOUR = (0.62, 0.62, 0.62)  # of tracks that were not captured
CONTACT_LEVEL = 0.5
THUMBNAIL_ROW_INCH = 0.7
LEGEND = {"fontsize": "small", "frameon": False}
FOOT_COLOURS = {"toe": (0.84, 0.37, 0.0), "heel": (0.0, 0.45, 0.70)}  # told apart by the colour-blind, too


def person_colour(person: int) -> tuple[float, float, float]:
    """Return the colour of the person of that number, from 0: the overlay's hue, dark enough for paper."""
    return colorsys.hsv_to_rgb(PERSON_HUES[person % len(PERSON_HUES)], 0.85, 0.78)


def tracks_figure(
    tracks: Sequence[Track],
    times_s: Array,
    *,
    people: Sequence[int],
    thumbnails: Mapping[int, npt.NDArray[np.uint8]],
) -> Figure:
    """Draw a bar per track over the time of the video; gaps are pale.

    Args:
        tracks: ``frames`` are rows of ``times_s``.
        times_s: (T,) s.
        people: Track id of each captured person.
        thumbnails: (H, W, 3) per track id; may lack some.
    """
    shown = sorted(tracks, key=lambda track: -len(track.frames))[:MAX_TRACK_ROWS]
    shown.sort(key=lambda track: (int(track.frames[0]), track.track_id))
    figure, axes = _figure(THUMBNAIL_ROW_INCH * len(shown) + 1.0)
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0
    for row, track in enumerate(shown):
        mine = [person for person, track_id in enumerate(people) if track_id == track.track_id]
        colour = person_colour(mine[0]) if mine else OTHER_COLOUR
        for found, alpha in ((track.detection_index >= 0, 1.0), (track.detection_index < 0, 0.3)):
            for first, end in intervals(found):
                start_s = float(times_s[track.frames[first]])
                length_s = float(times_s[track.frames[end - 1]]) + step_s - start_s
                axes.barh(row, length_s, left=start_s, height=0.5, color=colour, alpha=alpha, linewidth=0)
        if track.track_id in thumbnails:
            _place_thumbnail(axes, thumbnails[track.track_id], row)
    labels = [_track_label(track, people) for track in shown]
    axes.set_yticks(range(len(shown)), labels=labels)
    axes.tick_params(axis="y", length=0, pad=44 if thumbnails else 4)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(float(times_s[0]), float(times_s[-1]) + step_s)
    axes.set_xlabel("time in the video (s)")
    axes.grid(axis="x", alpha=0.3)
    return figure


def _track_label(track: Track, people: Sequence[int]) -> str:
    persons = [str(person + 1) for person, track_id in enumerate(people) if track_id == track.track_id]
    return f"track {track.track_id}" + (f"\nperson {', '.join(persons)}" if persons else "")


def _place_thumbnail(axes: Axes, picture: npt.NDArray[np.uint8], row: int) -> None:
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    zoom = THUMBNAIL_ROW_INCH * 0.92 * 72 / picture.shape[0]
    image = OffsetImage(picture, zoom=min(zoom, 40 / picture.shape[1]))
    box = AnnotationBbox(
        image, (0, row), xycoords=("axes fraction", "data"), xybox=(-22, 0), boxcoords="offset points",
        frameon=False, pad=0, annotation_clip=False,
    )  # fmt: skip
    axes.add_artist(box)


def confidence_figure(motions: Sequence[Motion]) -> Figure:
    """Draw each person's confidence over time: the mean of all joints, and the range of most of them."""
    figure, axes = _figure(2.8)
    for person, motion in enumerate(motions):
        colour, times_s = person_colour(person), motion.times_s
        low, high = np.percentile(motion.confidence, [10, 90], axis=1)
        axes.fill_between(times_s, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(times_s, motion.confidence.mean(axis=1), color=colour, label=f"person {person + 1}")
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("confidence (0 to 1)")
    _finish_time_axes(axes, len(motions))
    return figure


def reprojection_figure(motions: Sequence[Motion], keypoints: Sequence[Keypoints2D]) -> Figure:
    """Draw the distance of the reprojected limbs from the 2D keypoints, in px and percent of the height."""
    figure, axes_px = _figure(4.4, rows=2)
    axes_percent = figure.axes[1]
    for person, (motion, points) in enumerate(zip(motions, keypoints, strict=True)):
        times_s, errors_px, errors_percent = reprojection_errors(motion, points)
        colour, label = person_colour(person), f"person {person + 1}"
        axes_px.plot(times_s, errors_px, color=colour, linewidth=1.2, label=label)
        axes_percent.plot(times_s, errors_percent, color=colour, linewidth=1.2, label=label)
    axes_px.set_ylabel("mean limb error (px)")
    axes_percent.set_ylabel("of the person's height (%)")
    axes_px.set_ylim(bottom=0)
    axes_percent.set_ylim(bottom=0)
    axes_px.grid(alpha=0.3)
    axes_px.tick_params(labelbottom=False)
    axes_percent.sharex(axes_px)
    _finish_time_axes(axes_percent, 0)
    if len(motions) > 1:
        axes_px.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=min(len(motions), 6), **LEGEND)
    return figure


def path_figure(motions: Sequence[Motion]) -> Figure:
    """Draw the roots' paths on the floor as seen from above, world x to the right and y up, in metres."""
    figure, axes = _figure(5.5)
    for person, motion in enumerate(motions):
        colour, (x, y) = person_colour(person), motion.root_positions[:, :2].T
        label = f"person {person + 1}" if len(motions) > 1 else "path of the hips"
        axes.plot(x, y, color=colour, linewidth=1.8, label=label)
        seconds = np.arange(0, len(x), max(1, round(motion.frame_rate_hz)))
        axes.plot(x[seconds], y[seconds], ".", color=colour, markersize=6)
        axes.plot(
            x[0], y[0], "o", markerfacecolor="white", markeredgecolor=colour, markeredgewidth=2, markersize=10
        )
        axes.plot(x[-1], y[-1], "s", color=colour, markersize=9)
    axes.plot([], [], "o", markerfacecolor="white", markeredgecolor="0.3", markersize=9, label="start")
    axes.plot([], [], "s", color="0.3", markersize=8, label="end")
    axes.plot([], [], ".", color="0.3", label="each second")
    _square_limits(axes, [motion.root_positions[:, :2] for motion in motions])
    axes.set_xlabel("x (m)")
    axes.set_ylabel("y (m)")
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), **LEGEND)
    return figure


def _square_limits(axes: Axes, paths: Sequence[Array]) -> None:
    """Show all paths at equal aspect, and half a metre at least."""
    points = np.concatenate(paths)
    centre, half = (points.min(axis=0) + points.max(axis=0)) / 2, np.ptp(points, axis=0) / 2 * 1.1 + 0.25
    half = np.maximum(half, half.max() * 0.35)
    axes.set_xlim(centre[0] - half[0], centre[0] + half[0])
    axes.set_ylim(centre[1] - half[1], centre[1] + half[1])
    axes.set_aspect("equal", adjustable="box")


def feet_figure(motion: Motion) -> Figure:
    """Draw the heights of toes and heels of one person, with shading while they stand on the floor."""
    figure, _ = _figure(4.4, rows=2)
    heights_cm = 100.0 * joint_heights(motion, CONTACT_JOINTS)
    times_s, half_s = motion.times_s, 0.5 / motion.frame_rate_hz
    for axes, side in zip(figure.axes, ("left", "right"), strict=True):
        for column, name in enumerate(CONTACT_JOINTS):
            if not name.startswith(side):
                continue
            part = name.removeprefix(f"{side}_")
            colour = FOOT_COLOURS[part]
            axes.plot(times_s, heights_cm[:, column], color=colour, linewidth=1.4, label=part)
            shade = {"color": colour, "alpha": 0.16, "linewidth": 0}
            low, high = (0.0, 0.5) if part == "toe" else (0.5, 1.0)
            for first, end in intervals(motion.contacts[:, column] > CONTACT_LEVEL):
                axes.axvspan(times_s[first] - half_s, times_s[end - 1] + half_s, ymin=low, ymax=high, **shade)
        axes.axhline(0.0, color="0.3", linewidth=0.8)
        axes.set_ylim(min(-3.0, float(heights_cm.min()) - 1.0), max(15.0, float(heights_cm.max()) * 1.05))
        axes.set_ylabel(f"{side} foot (cm)")
        _finish_time_axes(axes, 2)
    figure.axes[0].tick_params(labelbottom=False)
    figure.axes[0].set_xlabel("")
    return figure


def _figure(height_inch: float, *, rows: int = 1) -> tuple[Figure, Axes]:
    """Return a figure and its first axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCH, height_inch), layout="constrained")
    axes = [figure.add_subplot(rows, 1, row + 1) for row in range(rows)]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes[0]


def _finish_time_axes(axes: Axes, num_lines: int) -> None:
    axes.set_xlabel("time in the video (s)")
    axes.margins(x=0.01)
    axes.grid(alpha=0.3)
    if num_lines > 1:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=min(num_lines, 6), **LEGEND)
