# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts as SVG text: lines, bands, bars and marks over axes. Only numpy; a chart takes milliseconds.

A chart is data first (what is drawn, in data units) and text at the end, so that its content can be checked.
Long curves are thinned to the lowest and highest value of each column of pixels: a chart's size does not
depend on the length of the video.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TypeAlias

import numpy as np

from ..arrays import Array
from .axis_ticks import tick_text, ticks

__all__ = ["Band", "Bar", "Chart", "Line", "Mark", "Panel", "Picture", "svg_colour"]

Colour: TypeAlias = tuple[float, float, float]
Limits: TypeAlias = tuple[float, float]

WIDTH_PX = 1000
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 66, 14, 12, 46  # around a panel, with room for ticks and labels
LEGEND_PX = 24
PANEL_GAP_PX = 16
TICKS_APART_PX = 95, 34  # at least, along x and y
INK, PALE = "#222", "#ddd"
LETTER_PX = 7.2  # mean width at 13 px
MAX_POINTS = 2 * WIDTH_PX


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A curve (N,) over (N,); NaN in y leaves a gap."""

    x: Array
    y: Array
    colour: Colour
    label: str = ""
    width_px: float = 1.6


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """The area between two curves (N,)."""

    x: Array
    low: Array
    high: Array
    colour: Colour
    opacity: float = 0.18


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; y is in data units, or in shares of the panel from its lower edge."""

    x: Limits
    y: Limits
    colour: Colour
    opacity: float = 1.0
    y_is_share: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A dot ("dot"), an open circle ("start") or a square ("end") at a point; NaN is for the legend only."""

    x: float
    y: float
    shape: str
    colour: Colour
    label: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture left of a panel at the height of y: (width, height) px, and a data address."""

    y: float
    size_px: tuple[float, float]
    source: str


@dataclass(slots=True)
class Panel:
    """Axes with what is drawn in them, first things lowest.

    Attributes:
        size_px: (width, height) of the area inside the axes.
        x_limits: Data at the left and right edge.
        y_limits: Data at the lower and upper edge.
        y_label: Beside the axis.
        rows: Names at 0, 1, 2 … that stand instead of numbers on the y axis; lines split at newlines.
    """

    size_px: tuple[float, float]
    x_limits: Limits
    y_limits: Limits
    y_label: str = ""
    bars: list[Bar] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    rows: list[str] | None = None

    def x_px(self, x: Array | float) -> Array:
        """Return where data lies from the left edge, px."""
        low, high = self.x_limits
        return (np.asarray(x, dtype=np.float64) - low) / (high - low) * self.size_px[0]

    def y_px(self, y: Array | float) -> Array:
        """Return where data lies from the upper edge, px."""
        low, high = self.y_limits
        return (high - np.asarray(y, dtype=np.float64)) / (high - low) * self.size_px[1]


@dataclass(frozen=True, slots=True)
class Chart:
    """Panels one above the other that share the x axis' label; ticks of x stand below the last."""

    panels: list[Panel]
    x_label: str
    description: str
    left_px: float = LEFT_PX
    legend_beside: bool = False

    def svg(self) -> str:
        """Return an ``svg`` element that fills the width of the page."""
        parts: list[str] = []
        top = float(TOP_PX)
        for panel in self.panels:
            legend = _legend(panel, beside=self.legend_beside)
            top += LEGEND_PX if legend and not self.legend_beside else 0
            clip = f"inside-{panel.size_px[0]:.0f}-{panel.size_px[1]:.0f}"  # same size, same outline
            last = self.x_label if panel is self.panels[-1] else None
            inside = _contents(panel)
            parts.append(
                f'<g transform="translate({self.left_px:g},{top:g})">'
                f'<clipPath id="{clip}"><rect x="-2" y="-2" width="{panel.size_px[0] + 4:g}" '
                f'height="{panel.size_px[1] + 4:g}"/></clipPath>'
                f'{_axes(panel, last)}<g clip-path="url(#{clip})">{inside}</g>{legend}</g>'
            )
            top += panel.size_px[1] + PANEL_GAP_PX
        height = top - PANEL_GAP_PX + BOTTOM_PX
        return (
            f'<svg class="figure" role="img" aria-label="{escape(self.description)}" '
            f'viewBox="0 0 {WIDTH_PX} {height:g}" font-size="13" fill="{INK}">{"".join(parts)}</svg>'
        )


def svg_colour(colour: Colour) -> str:
    """Return "#rrggbb" of parts in [0, 1]."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)


def _contents(panel: Panel) -> str:
    parts = [_bar(panel, bar) for bar in panel.bars]
    parts += [_band(panel, band) for band in panel.bands]
    parts += [
        f'<path d="{_path(panel.x_px(line.x), panel.y_px(line.y))}" fill="none" '
        f'stroke="{svg_colour(line.colour)}" stroke-width="{line.width_px:g}" stroke-linejoin="round"/>'
        for line in panel.lines
    ]
    shown = [mark for mark in panel.marks if math.isfinite(mark.x)]
    parts += [_mark(mark, float(panel.x_px(mark.x)), float(panel.y_px(mark.y))) for mark in shown]
    return "".join(parts)


def _bar(panel: Panel, bar: Bar) -> str:
    left, right = (float(panel.x_px(x)) for x in bar.x)
    if bar.y_is_share:
        low, high = ((1.0 - y) * panel.size_px[1] for y in bar.y)
    else:
        low, high = (float(panel.y_px(y)) for y in bar.y)
    top, height = min(low, high), abs(high - low)
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{height:.1f}" '
        f'fill="{svg_colour(bar.colour)}" fill-opacity="{bar.opacity:g}"/>'
    )


def _band(panel: Panel, band: Band) -> str:
    x = panel.x_px(band.x)
    upper, lower = _thinned(x, panel.y_px(band.high)), _thinned(x, panel.y_px(band.low))
    outline = _points(np.concatenate([upper, lower[::-1]]))
    return (
        f'<path d="M{outline}Z" fill="{svg_colour(band.colour)}" fill-opacity="{band.opacity:g}"/>'
        if outline
        else ""
    )


def _mark(mark: Mark, x: float, y: float) -> str:
    colour = svg_colour(mark.colour)
    if mark.shape == "end":
        return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{colour}"/>'
    if mark.shape == "start":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="#fff" stroke="{colour}" stroke-width="2.2"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{colour}"/>'


def _path(x: Array, y: Array) -> str:
    """Return the path through points (N,), interrupted where y is NaN."""
    known = np.isfinite(x) & np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    pieces = zip(edges[::2], edges[1::2], strict=True)
    return "".join(f"M{_points(_thinned(x[first:end], y[first:end]))}" for first, end in pieces)


def _thinned(x: Array, y: Array) -> Array:
    """Return points (M, 2): all of them, or the lowest and highest of each px when x only grows."""
    if len(x) <= MAX_POINTS or (np.diff(x) < 0).any():
        points = np.stack([x, y], axis=1)
        return points[:: -(-len(points) // MAX_POINTS)] if len(points) > MAX_POINTS else points
    columns = np.floor(x).astype(np.int64)
    starts = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1))
    extremes = np.stack([np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)], axis=1)
    return np.stack([np.repeat(x[starts], 2), extremes.ravel()], axis=1)


def _points(points: Array) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points.tolist() if math.isfinite(x) and math.isfinite(y))


def _axes(panel: Panel, x_label: str | None) -> str:
    """Return grid, ticks and labels; ``x_label`` None leaves the labels of x out."""
    width, height = panel.size_px
    parts: list[str] = []
    for x in ticks(panel.x_limits, int(max(2, width // TICKS_APART_PX[0]))):
        at = float(panel.x_px(x))
        parts.append(f'<path d="M{at:.1f},0V{height:g}" stroke="{PALE}"/>')
        if x_label is not None:
            parts.append(_text(at, height + 18, tick_text(x), anchor="middle"))
    if panel.rows is None:
        for y in ticks(panel.y_limits, int(max(2, height // TICKS_APART_PX[1]))):
            at = float(panel.y_px(y))
            parts.append(f'<path d="M0,{at:.1f}H{width:g}" stroke="{PALE}"/>')
            parts.append(_text(-8, at + 4.5, tick_text(y), anchor="end"))
    else:
        parts += _row_names(panel)
    parts.append(f'<path d="M0,0V{height:g}H{width:g}" fill="none" stroke="{INK}"/>')
    if x_label is not None:
        parts.append(_text(width / 2, height + 38, x_label, anchor="middle"))
    middle = f"translate(-50,{height / 2:g}) rotate(-90)"
    parts.append(f'<text transform="{middle}" text-anchor="middle">{escape(panel.y_label)}</text>')
    return "".join(parts)


def _row_names(panel: Panel) -> list[str]:
    parts: list[str] = []
    for row, name in enumerate(panel.rows or []):
        at, lines = float(panel.y_px(row)), name.split("\n")
        for number, line in enumerate(lines):
            y = at + 4.5 + 16 * (number - (len(lines) - 1) / 2)
            parts.append(_text(-58 if panel.pictures else -8, y, line, anchor="end"))
    for picture in panel.pictures:
        width, height = picture.size_px
        x, y = -28 - width / 2, float(panel.y_px(picture.y)) - height / 2
        parts.append(
            f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'href="{picture.source}"/>'
        )
    return parts


def _legend(panel: Panel, *, beside: bool) -> str:
    """Return the named lines and marks, above the panel from its right edge, or in a column right of it."""
    named: Sequence[Line | Mark] = [one for one in [*panel.lines, *panel.marks] if one.label]
    x, y, parts = panel.size_px[0], -10.0, list[str]()
    column_px, first_y = x + 24, panel.size_px[1] / 2 - 11 * len(named)
    for number, one in enumerate(reversed(named)):
        if beside:
            x, y = column_px, first_y + 22 * (len(named) - number)
        else:
            x -= LETTER_PX * len(one.label) + 40
        if isinstance(one, Mark):
            parts.append(_mark(one, x + 11, y - 4.5))
        else:
            parts.append(
                f'<path d="M{x:.1f},{y - 4.5:g}h22" stroke="{svg_colour(one.colour)}" stroke-width="2.5"/>'
            )
        parts.append(_text(x + 29, y, one.label, anchor="start"))
    return "".join(parts)


def _text(x: float, y: float, text: str, *, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
