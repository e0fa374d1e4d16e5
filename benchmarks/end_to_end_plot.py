# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of benchmarks/end_to_end.py: errors by clip, and every path from above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from benchmarks.end_to_end_results import MEDIAPIPE, METHODS, PLAIN, TOLD, ClipResult

__all__ = ["save_plot"]

COLOURS = {PLAIN: "#2a78d6", TOLD: "#12305a", MEDIAPIPE: "#d98324"}
TRUE_COLOUR = "#6b6b6b"
COLUMNS_OF_PATHS = 8


def save_plot(path: Path, results: Sequence[ClipResult]) -> None:
    """Write the picture as PNG."""
    rows = math.ceil(len(results) / COLUMNS_OF_PATHS)
    figure = plt.figure(figsize=(14, 6.4 + 2.0 * rows), layout="constrained")
    grid = figure.add_gridspec(2 + rows, COLUMNS_OF_PATHS, height_ratios=[2.6, 2.6, *[2.0] * rows])
    for row, (title, pick) in enumerate(
        (
            ("MPJPE, mm", lambda r: 1000 * r.pose.mpjpe_m),
            ("P-MPJPE, mm", lambda r: 1000 * r.pose.p_mpjpe_m),
        )
    ):
        axes = figure.add_subplot(grid[row, :])
        _bars(axes, results, pick)
        axes.set_title(title, loc="left", fontsize=11)
        if row == 0:
            axes.legend(frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1.0, 1.0), fontsize=9)
    for number, result in enumerate(results):
        axes = figure.add_subplot(grid[2 + number // COLUMNS_OF_PATHS, number % COLUMNS_OF_PATHS])
        _paths(axes, result)
    figure.suptitle(
        "Rendered clips, from pixels; below: paths from above, camera at ▲ (grey: the truth)", fontsize=12
    )
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _bars(axes, results, value) -> None:  # noqa: ANN001  matplotlib is untyped
    names = [result.clip for result in results] + ["mean"]
    places = np.arange(len(names), dtype=float)
    places[-1] += 0.4
    for number, method in enumerate(METHODS):
        found = [result.methods.get(method) for result in results]
        values = [math.nan if one is None else value(one) for one in found]
        values.append(float(np.nanmean(values)))
        axes.bar(
            places + (number - 1) * 0.27, values, width=0.25, color=COLOURS[method], label=method, zorder=2
        )
    axes.set_xticks(places, [name.replace("_", "\n", 1) for name in names], fontsize=8)
    axes.grid(axis="y", color="#dddddd", zorder=0)
    axes.margins(x=0.01)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _paths(axes, result: ClipResult) -> None:  # noqa: ANN001
    for name, colour, width in (
        ("true", TRUE_COLOUR, 3.5),
        (PLAIN, COLOURS[PLAIN], 1.4),
        (TOLD, COLOURS[TOLD], 1.4),
    ):
        points = np.array(result.paths.get(name, []))
        if points.size:
            axes.plot(points[:, 0], points[:, 1], color=colour, linewidth=width)
            axes.plot(*points[0], "o", color=colour, markersize=3)
    axes.plot(0.0, 0.0, "^", color="black", markersize=5)
    axes.set_aspect("equal", "datalim")
    axes.set_title(result.clip, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(color="#eeeeee")
