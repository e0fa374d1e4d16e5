# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of benchmarks/lifter_robustness.py: a plot for each thing that varies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

if TYPE_CHECKING:
    from benchmarks.lifter_robustness import SweepResult

__all__ = ["save_plot"]

COLOURS = {"MPJPE": "#2a78d6", "P-MPJPE": "#d98324"}
LIMIT_COLOUR = "#b03030"


def save_plot(path: Path, results: Sequence[SweepResult], *, limit: float) -> None:
    """Write a plot for each sweep, with the growth that is asked for as a dashed line."""
    figure, axes = plt.subplots(2, 3, figsize=(14, 7.5), layout="constrained")
    for panel, result in zip(axes.flat, results, strict=True):
        _draw(panel, result, limit)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, loc="outside lower center", ncols=4, fontsize=11)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _draw(axes, result: SweepResult, limit: float) -> None:  # noqa: ANN001  matplotlib is untyped
    sweep = result.sweep
    named = any(isinstance(value, str) for value in sweep.values)
    places = np.arange(len(sweep.values)) if named else np.array(sweep.values, dtype=float)
    for (name, colour), errors in zip(COLOURS.items(), (result.mpjpe_mm, result.p_mpjpe_mm), strict=True):
        if named:
            shift = -0.2 if name == "MPJPE" else 0.2
            axes.bar(places + shift, errors, width=0.38, color=colour, label=name, zorder=2)
        else:
            axes.plot(places, errors, "o-", color=colour, label=name, markersize=4, zorder=2)
        usual = errors[sweep.usual]
        axes.axhline(usual, color=colour, linewidth=0.8, alpha=0.6, zorder=1)
        axes.axhline(usual * (1 + limit), color=colour, linewidth=1.0, linestyle="--", zorder=3)
    axes.plot([], [], color=COLOURS["MPJPE"], linewidth=0.8, alpha=0.6, label="at the usual value")
    axes.plot([], [], color=COLOURS["MPJPE"], linestyle="--", label=f"{limit:.0%} above it")
    labels = [str(value).replace(" ", "\n") for value in sweep.values]
    close = np.diff(places, prepend=-np.inf) < 0.04 * np.ptp(places)
    labels = ["\n" + label if low else label for label, low in zip(labels, close, strict=True)]
    axes.set_xticks(places, labels, fontsize=8)
    axes.set_xlabel(sweep.unit, fontsize=9)
    axes.set_ylabel("error, mm", fontsize=9)
    axes.set_ylim(bottom=0.0)
    axes.set_title(sweep.name, loc="left", fontsize=11)
    axes.grid(axis="y", color="#dddddd", zorder=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
