# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to look in a picture for people, and where it has changed."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .mediapipe_graphs import Region

__all__ = ["View", "change_in", "views_of"]

View: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom, px
GRID = 24  # points along a region's side at which frames are compared


def views_of(*, image_size: tuple[int, int]) -> list[View]:
    """Return the parts of the picture to look at in turn: all of it, then overlapping squares.

    The finder sees 224 px whatever it is given, so people who are small in a wide picture are only found in
    a part of it.
    """
    width, height = image_size
    side = min(width, height)
    views = [(0, 0, width, height)]
    steps = -(-2 * (max(width, height) - side) // side)  # squares overlap by half or more
    for step in range(steps + 1 if steps else 0):
        offset = (max(width, height) - side) * step // steps
        left, top = (offset, 0) if width > height else (0, offset)
        views.append((left, top, left + side, top + side))
    return views


def change_in(before: npt.NDArray[np.uint8] | None, after: npt.NDArray[np.uint8], region: Region) -> float:
    """Return how much a region's pixels differ between two frames, mean over a coarse grid, 0 to 255."""
    if before is None or before.shape != after.shape:
        return 255.0
    height, width = after.shape[:2]
    offsets = (np.arange(GRID) + 0.5) / GRID - 0.5
    columns = np.clip(region.x + offsets * region.size, 0, width - 1).astype(int)
    rows = np.clip(region.y + offsets * region.size, 0, height - 1).astype(int)
    grid = np.ix_(rows, columns)
    return float(np.abs(before[grid].astype(np.int16) - after[grid]).mean())
