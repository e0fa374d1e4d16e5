# SPDX-License-Identifier: GPL-3.0-or-later
"""Stick figures of some frames of every mocap file, to see by eye whether its joints are well placed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..arrays import Array
from ..skeletons import JOINTS
from .mocap import MocapClip

__all__ = ["draw_contact_sheet"]

POSES = 4
CELL_IN = 1.6
AXIS_LENGTH_M = 0.15
_AXIS_JOINTS = (0, 8, 9, 6, 3)  # where the five segments' axes are drawn


def draw_contact_sheet(path: Path, clips: list[MocapClip]) -> None:
    """Draw each clip as a row: front and side view of four frames, segment axes in green and magenta.

    Args:
        path: PNG to write.
        clips: One row each.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2 * POSES * CELL_IN, len(clips) * CELL_IN * 1.15), dpi=60)
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(clips), 2 * POSES, squeeze=False)
    for row, clip in zip(axes, clips, strict=True):
        row[0].set_title(clip.name[-60:], fontsize=6, loc="left")
        for column, axis in enumerate(row):
            t = int((column // 2 + 0.5) / POSES * len(clip.joints))
            _draw(axis, clip.joints[t], clip.segments[t], side=bool(column % 2))
    figure.tight_layout(pad=0.2)
    figure.savefig(path)


def _draw(axis: object, joints: Array, segments: Array, *, side: bool) -> None:
    forward = segments[0][:, 0] * [1.0, 1.0, 0.0]
    forward = forward / max(float(np.linalg.norm(forward)), 1e-6)
    across = forward if side else np.array([forward[1], -forward[0], 0.0])
    origin = joints[0] * [1.0, 1.0, 0.0]

    def flat(points: Array) -> Array:
        return np.stack([(points - origin) @ across, points[..., 2]], axis=-1)

    for a, b in JOINTS.edge_indices:
        names = JOINTS.points[a] + JOINTS.points[b]
        color = "tab:red" if "right" in names else "tab:blue" if "left" in names else "black"
        axis.plot(*flat(joints[[a, b]]).T, color=color, linewidth=1.2)  # type: ignore[attr-defined]
    for segment, joint in zip(segments, _AXIS_JOINTS, strict=True):
        for column, color in ((0, "tab:green"), (2, "magenta")):
            tip = joints[joint] + AXIS_LENGTH_M * segment[:, column]
            axis.plot(*flat(np.stack([joints[joint], tip])).T, color=color, linewidth=0.8)  # type: ignore[attr-defined]
    axis.axhline(0.0, color="gray", linewidth=0.5)  # type: ignore[attr-defined]
    axis.set(xlim=(-1.0, 1.0), ylim=(-0.2, 2.0), aspect="equal")  # type: ignore[attr-defined]
    axis.axis("off")  # type: ignore[attr-defined]
