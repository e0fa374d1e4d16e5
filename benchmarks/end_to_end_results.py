# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of benchmarks/end_to_end.py as values, JSON and tables. No video, no plot."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from vp3d_core.accuracy.pose_errors import PoseErrors
from vp3d_core.accuracy.world_errors import WorldErrors

__all__ = ["METHODS", "ClipResult", "MethodResult", "markdown_table", "mean_of", "save_json", "text_table"]

PLAIN, TOLD, MEDIAPIPE = "VP3D", "VP3D, focal length and height told", "MediaPipe's own 3D"
METHODS = (PLAIN, TOLD, MEDIAPIPE)


@dataclass(frozen=True, slots=True)
class MethodResult:
    """How one method did on one clip.

    Attributes:
        frames: Frames that were compared.
        coverage: Their share of the frames in which the person is seen.
        pose: Root-relative errors.
        world: Errors in the world, or None for a method that has none.
    """

    frames: int
    coverage: float
    pose: PoseErrors
    world: WorldErrors | None


@dataclass(frozen=True, slots=True)
class ClipResult:
    """All methods on one clip.

    Attributes:
        clip: Its name.
        methods: Result by method; None where it found nobody.
        paths: Positions over the floor (x, y) m, frame by frame, of the truth ("true") and by method, for the
            plot; the camera stands at the origin and looks along +y.
    """

    clip: str
    methods: dict[str, MethodResult | None]
    paths: dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table: its head, its format and where its value comes from."""

    head: str
    digits: int
    value: Callable[[MethodResult], float]


def _world(value: Callable[[WorldErrors], float]) -> Callable[[MethodResult], float]:
    return lambda result: math.nan if result.world is None else value(result.world)


COLUMNS = (
    Column("found %", 0, lambda r: 100.0 * r.coverage),
    Column("MPJPE mm", 0, lambda r: 1000.0 * r.pose.mpjpe_m),
    Column("P-MPJPE mm", 0, lambda r: 1000.0 * r.pose.p_mpjpe_m),
    Column("velocity mm/s", 0, lambda r: 1000.0 * r.pose.velocity_m_s),
    Column("jitter ratio", 1, lambda r: r.pose.jitter_ratio),
    Column("limb spread %", 1, lambda r: 100.0 * r.pose.limb_spread),
    Column("limb length %", 0, lambda r: 100.0 * r.pose.limb_length_error),
    Column("path m", 2, _world(lambda w: w.root_m)),
    Column("path, aligned m", 2, _world(lambda w: w.root_aligned_m)),
    Column("slide cm/s", 1, _world(lambda w: 100.0 * w.slide_m_s)),
    Column("true slide cm/s", 1, _world(lambda w: 100.0 * w.true_slide_m_s)),
    Column("foot height mm", 0, _world(lambda w: 1000.0 * w.foot_height_m)),
    Column("in floor mm", 0, _world(lambda w: 1000.0 * w.penetration_m)),
    Column("deepest mm", 0, _world(lambda w: 1000.0 * w.deepest_m)),
    Column("up deg", 1, _world(lambda w: w.up_deg)),
)


def rows_of(results: Sequence[ClipResult], method: str) -> list[list[str]]:
    """Return the cells of a method: a row for each clip and one for the mean over clips."""
    rows = [[one.clip, *_cells(one.methods.get(method))] for one in results]
    means = [mean_of(results, method, column.value) for column in COLUMNS]
    return [*rows, ["mean", *(_cell(mean, column) for mean, column in zip(means, COLUMNS, strict=True))]]


def mean_of(results: Sequence[ClipResult], method: str, value: Callable[[MethodResult], float]) -> float:
    """Return the mean of a value over the clips for which the method has one; NaN when there is none."""
    found = [value(result) for one in results if (result := one.methods.get(method)) is not None]
    known = [number for number in found if math.isfinite(number)]
    return sum(known) / len(known) if known else math.nan


def text_table(results: Sequence[ClipResult], method: str) -> str:
    """Return a method's table for a terminal."""
    table = [["clip", *(column.head for column in COLUMNS)], *rows_of(results, method)]
    columns = [index for index in range(len(table[0])) if any(row[index] != "" for row in table[1:])]
    widths = [max(len(row[index]) for row in table) for index in columns]
    lines = [
        "  ".join(
            row[index].ljust(width) if index == 0 else row[index].rjust(width)
            for index, width in zip(columns, widths, strict=True)
        )
        for row in table
    ]
    return "\n".join(line.rstrip() for line in lines)


def markdown_table(results: Sequence[ClipResult], method: str) -> str:
    """Return a method's table as Markdown."""
    table = [["clip", *(column.head for column in COLUMNS)], *rows_of(results, method)]
    columns = [index for index in range(len(table[0])) if any(row[index] != "" for row in table[1:])]
    lines = ["| " + " | ".join(row[index] for index in columns) + " |" for row in table]
    rule = "| --- |" + " ---: |" * (len(columns) - 1)
    return "\n".join([lines[0], rule, *lines[1:]])


def summary_table(results: Sequence[ClipResult]) -> str:
    """Return the means of all methods as Markdown, a row for each figure."""
    lines = ["| mean over clips | " + " | ".join(METHODS) + " |", "| --- |" + " ---: |" * len(METHODS)]
    for column in COLUMNS:
        cells = [_cell(mean_of(results, method, column.value), column) or "-" for method in METHODS]
        lines.append(f"| {column.head} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def save_json(path: Path, results: Sequence[ClipResult], *, about: dict[str, object]) -> None:
    """Write everything that was measured; figures that do not exist are null."""
    data = {"about": about, "clips": [asdict(one) for one in results]}
    text = json.dumps(_without_nan(data), indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _cells(result: MethodResult | None) -> list[str]:
    if result is None:
        return ["nobody found", *[""] * (len(COLUMNS) - 1)]
    return [_cell(column.value(result), column) for column in COLUMNS]


def _cell(value: float, column: Column) -> str:
    return f"{value:.{column.digits}f}" if math.isfinite(value) else ""


def _without_nan(value: object) -> object:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _without_nan(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(each) for each in value]
    return value
