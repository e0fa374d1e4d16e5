# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts: where things are drawn, and that long curves stay small."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from vp3d_core.review.svg_chart import Bar, Chart, Line, Mark, Panel, svg_colour

BLUE = (0.0, 0.0, 1.0)
SVG = "{http://www.w3.org/2000/svg}"


def panel() -> Panel:
    return Panel((900.0, 200.0), (0.0, 9.0), (0.0, 2.0), "height (m)")


def drawn(chart: Chart) -> ET.Element:
    return ET.fromstring(chart.svg().replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def curves(chart: Chart) -> list[np.ndarray]:
    """The points of each stroke of each curve in colour."""
    paths = [one.get("d", "") for one in drawn(chart).iter(f"{SVG}path") if one.get("stroke") == "#0000ff"]
    strokes = [stroke for path in paths for stroke in path.split("M")[1:]]
    return [np.array([point.split(",") for point in stroke.split()], float) for stroke in strokes]


def test_data_is_where_the_axes_say() -> None:
    axes = panel()
    axes.lines.append(Line(np.array([0.0, 4.5, 9.0]), np.array([0.0, 2.0, 1.0]), BLUE))
    axes.bars.append(Bar((3.0, 6.0), (0.5, 1.0), BLUE, 0.3, y_is_share=True))
    chart = Chart([axes], "time (s)", "curves")
    (curve,) = curves(chart)
    np.testing.assert_allclose(curve, [[0, 200], [450, 0], [900, 100]])
    (bar,) = [one for one in drawn(chart).iter(f"{SVG}rect") if one.get("fill") == "#0000ff"]
    assert [float(bar.get(name, "")) for name in ("x", "y", "width", "height")] == [300, 0, 300, 100]
    texts = ["".join(one.itertext()) for one in drawn(chart).iter(f"{SVG}text")]
    assert set("0123456789") <= set(texts)
    assert {"time (s)", "height (m)", "0.5", "2"} <= set(texts)


def test_gaps_interrupt_a_curve() -> None:
    axes = panel()
    axes.lines.append(Line(np.arange(6.0), np.array([1, 1, np.nan, 1, 1, np.nan]), BLUE))
    assert [len(stroke) for stroke in curves(Chart([axes], "x", "curves"))] == [2, 2]


def test_a_long_curve_keeps_its_peaks_and_not_its_length() -> None:
    axes, x = panel(), np.linspace(0, 9, 100_000)
    y = np.ones_like(x)
    y[43_210], y[76_543] = 2.0, 0.0
    axes.lines.append(Line(x, y, BLUE))
    (curve,) = curves(Chart([axes], "x", "curves"))
    assert len(curve) <= 2 * 901
    assert (curve[:, 1].min(), curve[:, 1].max()) == (0, 200)
    assert curve[curve[:, 1].argmin(), 0] == pytest.approx(900 * 0.4321, abs=1.0)


def test_names_of_curves_and_marks_make_the_legend_and_are_escaped() -> None:
    axes = panel()
    axes.lines.append(Line(np.arange(2.0), np.ones(2), BLUE, "a < b"))
    axes.marks.append(Mark(float("nan"), 0.0, "end", BLUE, "end & rest"))
    for beside in (False, True):
        text = Chart([axes], "x", 'a "chart"', legend_beside=beside).svg()
        assert "a &lt; b" in text
        assert "end &amp; rest" in text
        assert not re.search("nan", text)


def test_odd_limits_still_have_ticks() -> None:
    for limits in ((-3e-7, 2e-7), (1e6, 1.5e6), (-0.2, 0.1)):
        axes = Panel((900.0, 200.0), limits, limits)
        labels = [one for one in drawn(Chart([axes], "", "")).iter(f"{SVG}text") if one.text]
        assert len(labels) >= 4


def test_colours() -> None:
    assert svg_colour((1.0, 0.5, 0.0)) == "#ff8000"
