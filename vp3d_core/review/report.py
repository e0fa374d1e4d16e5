# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a capture: one HTML file that needs nothing else, for a person to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from .. import __version__
from ..arrays import Array
from ..keypoints import Keypoints2D, Track
from ..motion import Motion
from ..output_file import replaced_when_done
from ..video import VideoInfo
from .report_figures import (
    MAX_TRACK_ROWS,
    confidence_figure,
    feet_figure,
    path_figure,
    person_colour,
    png_address,
    reprojection_figure,
    tracks_figure,
)
from .report_numbers import PersonNumbers
from .svg_chart import Chart, svg_colour

__all__ = ["write_report"]

STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; color: #222; background: #fff; margin: 0 auto;
  padding: 0 16px 48px; max-width: 1000px; }
h1 { font-size: 1.5em; overflow-wrap: anywhere; } h2 { font-size: 1.15em; margin: 2em 0 .3em; }
p.note { color: #666; margin: .2em 0 .6em; font-size: .9em; }
svg.figure { display: block; width: 100%; height: auto; font-family: inherit; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92em; }
th, td { text-align: left; padding: .25em .9em .25em 0; border-bottom: 1px solid #ddd; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td img { height: 64px; display: block; }
td { overflow-wrap: anywhere; }
span.dot { display: inline-block; width: .8em; height: .8em; border-radius: 50%; margin-right: .4em; }
ul.warnings li { margin: .2em 0; }
"""


def write_report(
    out_path: Path,
    *,
    motions: Sequence[Motion],
    keypoints: Sequence[Keypoints2D],
    numbers: Sequence[PersonNumbers],
    tracks: Sequence[Track],
    times_s: Array,
    video_info: VideoInfo,
    thumbnails: Mapping[int, npt.NDArray[np.uint8]] | None = None,
    warnings: Sequence[str] = (),
) -> None:
    """Write the report; it appears when it is complete.

    Args:
        out_path: The HTML file.
        motions: One per person.
        keypoints: One per person, in the same order.
        numbers: What ``person_numbers`` says of each, in the same order.
        tracks: Everybody who was followed; ``frames`` are rows of ``times_s``.
        times_s: (T,) s, times of the frames that were looked at.
        video_info: Of the footage.
        thumbnails: (H, W, 3) RGB per track id; may lack some.
        warnings: What went not quite right, in the order it was told.

    Raises:
        OutputError: The file cannot be written.
    """
    if len(motions) != len(keypoints):
        raise ValueError(f"{len(motions)} motions but {len(keypoints)} sets of keypoints")
    pictures = thumbnails or {}
    parts = [
        f"<h1>{escape(video_info.path.name)}</h1>",
        _summary(motions, tracks, video_info),
        _warnings(warnings),
        _people(motions, numbers, pictures),
        _tracks(motions, tracks, times_s, pictures),
        *_curves(motions, keypoints),
    ]
    with replaced_when_done(Path(out_path)) as temporary:
        page = _page(video_info.path.name, "\n".join(parts))
        temporary.write_text(page, encoding="utf-8", errors="replace")  # names need not be text on Linux


def _page(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Capture of {escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n"
        f'<p class="note">VP3D {escape(__version__)}</p>\n</body>\n</html>\n'
    )


def _summary(motions: Sequence[Motion], tracks: Sequence[Track], info: VideoInfo) -> str:
    turned = f", turned by {info.rotation_deg}°" if info.rotation_deg else ""
    frames = f", {info.frame_count} frames" if info.frame_count else ""
    rows = {
        "Video": f"{info.width} × {info.height} px, {info.codec}{turned}",
        "Length": f"{info.duration_s:.2f} s at {info.average_rate_hz:.4g} frames per second{frames}",
        "Found": f"{_count(len(tracks), 'track')}, of which {_count(len(motions), 'motion')} captured",
    }
    if motions:
        rows |= _origin(motions[0])
    cells = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items()
    )
    return f"<table>{cells}</table>"


def _origin(motion: Motion) -> dict[str, str]:
    """Return what the motion's meta tells of models, camera and height."""
    rows: dict[str, str] = {}
    models = motion.meta.get("models")
    if isinstance(models, dict):
        named = cast("dict[str, object]", models)
        rows |= {part.capitalize(): str(name) for part, name in named.items()}
    if motion.camera is not None and motion.image_size is not None:
        focal_px = float(motion.camera.intrinsics[0, 0])
        fov_deg = 2 * np.degrees(np.arctan(motion.image_size[0] / 2 / focal_px))
        origin = motion.meta.get("camera_from")
        rows["Camera"] = f"{fov_deg:.0f}° wide, focal length {focal_px:.0f} px" + (
            f" ({origin})" if origin else ""
        )
    settings = motion.meta.get("settings")
    if isinstance(settings, dict):
        given_m = cast("dict[str, object]", settings).get("height_m")
        rows["Scale"] = (
            f"from a height of {given_m} m, which was given"
            if given_m
            else "from a usual height: none was given"
        )
    return rows


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in warnings)
    return f'<h2>Warnings</h2>\n<ul class="warnings">{items}</ul>'


def _people(
    motions: Sequence[Motion],
    numbers: Sequence[PersonNumbers],
    thumbnails: Mapping[int, npt.NDArray[np.uint8]],
) -> str:
    names = ("From", "To", "Frames", "Height", "Path", "Confidence", "Reprojection error")
    head = "".join(f'<th class="number">{name}</th>' for name in names)
    rows = [f"<tr><th>Person</th><th></th><th>Track</th>{head}</tr>"]
    for person, (motion, own) in enumerate(zip(motions, numbers, strict=True)):
        track_id = motion.meta.get("track_id")
        picture = thumbnails.get(track_id) if isinstance(track_id, int) else None
        colour = svg_colour(person_colour(person))
        values = (
            f"{own.start_s:.2f} s",
            f"{own.end_s:.2f} s",
            str(own.num_frames),
            _metres(motion.meta.get("height_m")),
            f"{own.path_m:.2f} m",
            f"{100 * own.mean_confidence:.0f} %",
            "unknown"
            if np.isnan(own.error_px)
            else f"{own.error_px:.1f} px, {own.error_percent:.1f} % of height",
        )
        cells = "".join(f'<td class="number">{value}</td>' for value in values)
        rows.append(
            f'<tr><td><span class="dot" style="background:{colour}"></span>{person + 1}</td>'
            f"<td>{_picture(picture)}</td><td>{escape(str(track_id or ''))}</td>{cells}</tr>"
        )
    note = "Reprojection error: median over time of the mean distance between limb joints and 2D keypoints."
    return (
        f'<h2>People</h2>\n<p class="note">{note}</p><div class="wide"><table>{"".join(rows)}</table></div>'
    )


def _tracks(
    motions: Sequence[Motion],
    tracks: Sequence[Track],
    times_s: Array,
    thumbnails: Mapping[int, npt.NDArray[np.uint8]],
) -> str:
    if not tracks:
        return ""
    ids = [motion.meta.get("track_id") for motion in motions]
    people = [track_id if isinstance(track_id, int) else -1 for track_id in ids]
    note = "Pale where a person was lost for a moment; grey tracks were not captured."
    if len(tracks) > MAX_TRACK_ROWS:
        note += f" The {MAX_TRACK_ROWS} longest of {len(tracks)} tracks are shown."
    figure = tracks_figure(tracks, times_s, people=people, thumbnails=thumbnails)
    return _section("Tracks found over time", note, figure)


def _curves(motions: Sequence[Motion], keypoints: Sequence[Keypoints2D]) -> list[str]:
    if not motions:
        return []
    sections = [
        _section(
            "Confidence over time",
            "Mean of all joints; the band holds 80 % of them.",
            confidence_figure(motions),
        ),
        _section(
            "Reprojection error over time",
            "Distance between the 3D limb joints, seen through the camera, and the 2D keypoints.",
            reprojection_figure(motions, keypoints),
        ),
        _section("Path seen from above", "World axes on the floor.", path_figure(motions)),
    ]
    note = (
        "Height above the floor, or above what the person stands on; shaded while standing (upper half: "
        "heel, lower half: toe)."
    )
    for person, motion in enumerate(motions):
        title = f"Feet of person {person + 1}" if len(motions) > 1 else "Feet"
        sections.append(_section(title, note, feet_figure(motion)))
    return sections


def _section(title: str, note: str, figure: Chart) -> str:
    return f'<h2>{escape(title)}</h2>\n<p class="note">{escape(note)}</p>\n{figure.svg()}'


def _picture(rgb: npt.NDArray[np.uint8] | None) -> str:
    return "" if rgb is None else f'<img alt="" src="{png_address(rgb)}">'


def _metres(value: object) -> str:
    return f"{value:.2f} m" if isinstance(value, int | float) else "unknown"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
