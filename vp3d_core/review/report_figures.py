# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a report, as charts."""

from __future__ import annotations

import base64
import colorsys
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..keypoints import Keypoints2D, Track
from ..motion import CONTACT_JOINTS, Motion
from .overlay_drawing import PERSON_HUES
from .report_numbers import intervals, joint_heights, reprojection_errors
from .svg_chart import Band, Bar, Chart, Limits, Line, Mark, Panel, Picture

__all__ = [
    "MAX_TRACK_ROWS",
    "confidence_figure",
    "feet_figure",
    "path_figure",
    "person_colour",
    "png_address",
    "reprojection_figure",
    "tracks_figure",
]

PLOT_PX = 920.0  # width inside the axes
MAX_TRACK_ROWS = 40  # the longest tracks are shown; more would make a picture nobody reads
OTHER_COLOUR = (0.62, 0.62, 0.62)  # of tracks that were not captured
GREY = (0.3, 0.3, 0.3)
CONTACT_LEVEL = 0.5
TRACK_ROW_PX = 70.0
TRACK_LEFT_PX = 126.0  # names and thumbnails
THUMBNAIL_PX = (46.0, 62.0)  # at most
PATH_PX = (720.0, 400.0)  # at most; the legend stands beside it
FOOT_COLOURS = {"toe": (0.84, 0.37, 0.0), "heel": (0.0, 0.45, 0.70)}  # told apart by the colour-blind, too
TIME_LABEL = "time in the video (s)"


def person_colour(person: int) -> tuple[float, float, float]:
    """Return the colour of the person of that number, from 0: the overlay's hue, dark enough for paper."""
    return colorsys.hsv_to_rgb(PERSON_HUES[person % len(PERSON_HUES)], 0.85, 0.78)


def png_address(rgb: npt.NDArray[np.uint8]) -> str:
    """Return a picture (H, W, 3) as a data address."""
    import cv2

    done, png = cv2.imencode(".png", np.ascontiguousarray(rgb[..., ::-1]))
    if not done:
        raise ValueError(f"a picture of shape {rgb.shape} cannot be written as PNG")
    return "data:image/png;base64," + base64.b64encode(png.tobytes()).decode("ascii")


def tracks_figure(
    tracks: Sequence[Track],
    times_s: Array,
    *,
    people: Sequence[int],
    thumbnails: Mapping[int, npt.NDArray[np.uint8]],
) -> Chart:
    """Draw a bar per track over the time of the video; gaps are pale.

    Args:
        tracks: ``frames`` are rows of ``times_s``.
        times_s: (T,) s.
        people: Track id of each captured person.
        thumbnails: (H, W, 3) per track id; may lack some.
    """
    shown = sorted(tracks, key=lambda track: -len(track.frames))[:MAX_TRACK_ROWS]
    shown.sort(key=lambda track: (int(track.frames[0]), track.track_id))
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0
    panel = Panel(
        (PLOT_PX + 66 - TRACK_LEFT_PX, TRACK_ROW_PX * len(shown)),
        (float(times_s[0]), float(times_s[-1]) + step_s),
        (len(shown) - 0.5, -0.5),  # the first on top
        rows=[_track_label(track, people) for track in shown],
    )
    for row, track in enumerate(shown):
        mine = [person for person, track_id in enumerate(people) if track_id == track.track_id]
        colour = person_colour(mine[0]) if mine else OTHER_COLOUR
        for found, opacity in ((track.detection_index >= 0, 1.0), (track.detection_index < 0, 0.3)):
            for first, end in intervals(found):
                start_s = float(times_s[track.frames[first]])
                end_s = float(times_s[track.frames[end - 1]]) + step_s
                panel.bars.append(Bar((start_s, end_s), (row - 0.22, row + 0.22), colour, opacity))
        if track.track_id in thumbnails:
            panel.pictures.append(_thumbnail(thumbnails[track.track_id], row))
    return Chart([panel], TIME_LABEL, "a bar for each track", left_px=TRACK_LEFT_PX)


def _track_label(track: Track, people: Sequence[int]) -> str:
    persons = [str(person + 1) for person, track_id in enumerate(people) if track_id == track.track_id]
    return f"track {track.track_id}" + (f"\nperson {', '.join(persons)}" if persons else "")


def _thumbnail(rgb: npt.NDArray[np.uint8], row: int) -> Picture:
    height, width = rgb.shape[:2]
    scale = min(THUMBNAIL_PX[0] / width, THUMBNAIL_PX[1] / height)
    return Picture(row, (width * scale, height * scale), png_address(rgb))


def confidence_figure(motions: Sequence[Motion]) -> Chart:
    """Draw each person's confidence over time: the mean of all joints, and the range of most of them."""
    panel = Panel((PLOT_PX, 220.0), _time_limits([motion.times_s for motion in motions]), (0.0, 1.02))
    panel.y_label = "confidence (0 to 1)"
    for person, motion in enumerate(motions):
        colour, times_s = person_colour(person), motion.times_s
        low, high = np.percentile(motion.confidence, [10, 90], axis=1)
        panel.bands.append(Band(times_s, low, high, colour))
        panel.lines.append(Line(times_s, motion.confidence.mean(axis=1), colour, _name(person, motions)))
    return Chart([panel], TIME_LABEL, "confidence curves")


def reprojection_figure(motions: Sequence[Motion], keypoints: Sequence[Keypoints2D]) -> Chart:
    """Draw the distance of the reprojected limbs from the 2D keypoints, in px and percent of the height."""
    errors = [reprojection_errors(motion, points) for motion, points in zip(motions, keypoints, strict=True)]
    x_limits = _time_limits([times_s for times_s, _, _ in errors])
    panels: list[Panel] = []
    labels = ("mean limb error (px)", "of the person's height (%)")
    for column, label in enumerate(labels, start=1):
        panel = Panel((PLOT_PX, 150.0), x_limits, (0.0, _highest([one[column] for one in errors])), label)
        for person, one in enumerate(errors):
            name = _name(person, motions) if column == 1 else ""
            panel.lines.append(Line(one[0], one[column], person_colour(person), name, width_px=1.3))
        panels.append(panel)
    return Chart(panels, TIME_LABEL, "reprojection error curves")


def path_figure(motions: Sequence[Motion]) -> Chart:
    """Draw the roots' paths on the floor as seen from above, world x to the right and y up, in metres."""
    panel = _square_panel([motion.root_positions[:, :2] for motion in motions])
    panel.y_label = "y (m)"
    for person, motion in enumerate(motions):
        colour, (x, y) = person_colour(person), motion.root_positions[:, :2].T
        label = _name(person, motions) or "path of the hips"
        panel.lines.append(Line(x, y, colour, label, width_px=2.0))
        every = max(1, round(motion.frame_rate_hz) * -(-len(x) // max(1, round(600 * motion.frame_rate_hz))))
        panel.marks += [Mark(float(x[i]), float(y[i]), "dot", colour) for i in range(0, len(x), every)]
        panel.marks.append(Mark(float(x[0]), float(y[0]), "start", colour))
        panel.marks.append(Mark(float(x[-1]), float(y[-1]), "end", colour))
    named = (("start", "start"), ("end", "end"), ("dot", "each second"))
    panel.marks += [Mark(float("nan"), 0.0, shape, GREY, label) for shape, label in named]
    return Chart([panel], "x (m)", "paths from above", legend_beside=True)


def _square_panel(paths: Sequence[Array]) -> Panel:
    """Return a panel that shows all paths at equal aspect, and half a metre at least."""
    points = np.concatenate(paths)
    centre, half = (points.min(axis=0) + points.max(axis=0)) / 2, np.ptp(points, axis=0) / 2 * 1.1 + 0.25
    half = np.maximum(half, half.max() * 0.35)
    px_per_m = min(PATH_PX[0] / (2 * half[0]), PATH_PX[1] / (2 * half[1]))
    low, high = centre - half, centre + half
    size_px = float(2 * half[0] * px_per_m), float(2 * half[1] * px_per_m)
    return Panel(size_px, (float(low[0]), float(high[0])), (float(low[1]), float(high[1])))


def feet_figure(motion: Motion) -> Chart:
    """Draw the heights of toes and heels above what one person stands on, with shading while they stand."""
    standing_m = motion.meta.get("standing_height_m")  # of a box or a step
    level_m = standing_m if isinstance(standing_m, int | float) else 0.0
    heights_cm = 100.0 * (joint_heights(motion, CONTACT_JOINTS) - level_m)
    times_s, half_s = motion.times_s, 0.5 / motion.frame_rate_hz
    y_limits = min(-3.0, float(heights_cm.min()) - 1.0), max(15.0, float(heights_cm.max()) * 1.05)
    panels: list[Panel] = []
    for side in ("left", "right"):
        panel = Panel((PLOT_PX, 150.0), _time_limits([times_s]), y_limits, f"{side} foot (cm)")
        panel.lines.append(Line(np.array(panel.x_limits), np.zeros(2), GREY, width_px=0.8))
        for column, name in enumerate(CONTACT_JOINTS):
            if not name.startswith(side):
                continue
            part = name.removeprefix(f"{side}_")
            colour = FOOT_COLOURS[part]
            panel.lines.append(Line(times_s, heights_cm[:, column], colour, part, width_px=1.5))
            share = (0.0, 0.5) if part == "toe" else (0.5, 1.0)
            for first, end in intervals(motion.contacts[:, column] > CONTACT_LEVEL):
                span = float(times_s[first]) - half_s, float(times_s[end - 1]) + half_s
                panel.bars.append(Bar(span, share, colour, 0.16, y_is_share=True))
        panels.append(panel)
    return Chart(panels, TIME_LABEL, "toe and heel heights")


def _name(person: int, motions: Sequence[Motion]) -> str:
    """Return what a curve is called; nothing where there is one person only."""
    return f"person {person + 1}" if len(motions) > 1 else ""


def _time_limits(times_s: Sequence[Array]) -> Limits:
    """Return the first and last of all times, with a hundredth of room on each side."""
    known = [(float(one[0]), float(one[-1])) for one in times_s if len(one)]
    first, last = min((low for low, _ in known), default=0.0), max((high for _, high in known), default=1.0)
    room = 0.01 * max(last - first, 0.1)
    return first - room, last + room


def _highest(values: Sequence[Array]) -> float:
    """Return an upper limit for values (N,) each, above 0."""
    largest = [float(np.nanmax(one)) for one in values if np.isfinite(one).any()]
    return 1.05 * max([*largest, 1e-3])
