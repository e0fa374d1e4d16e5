# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures for the panel: fitted into a square with transparent edges, saved as PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..output_file import replaced_when_done

__all__ = ["cut_out", "fitted_square", "save_picture"]


def fitted_square(rgb: npt.NDArray[np.uint8], *, side_px: int) -> npt.NDArray[np.uint8]:
    """Return (side_px, side_px, 4) RGBA with the picture in the middle, as large as fits."""
    import cv2

    height, width = rgb.shape[:2]
    scale = side_px / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square = np.zeros((side_px, side_px, 4), dtype=np.uint8)
    left, top = (side_px - size[0]) // 2, (side_px - size[1]) // 2
    square[top : top + size[1], left : left + size[0], :3] = small
    square[top : top + size[1], left : left + size[0], 3] = 255
    return square


def cut_out(rgb: npt.NDArray[np.uint8], box_xyxy: Array, *, margin: float) -> npt.NDArray[np.uint8]:
    """Return the part of a picture in a box (4,) px, with a margin as a share of the box's sides."""
    limits = np.array([rgb.shape[1], rgb.shape[0]])
    edge = margin * (box_xyxy[2:] - box_xyxy[:2])
    left, top = np.clip(np.floor(box_xyxy[:2] - edge), 0, limits - 1).astype(int)
    right, bottom = np.clip(np.ceil(box_xyxy[2:] + edge), [left + 1, top + 1], limits).astype(int)
    return rgb[top:bottom, left:right]


def save_picture(path: Path, rgba: npt.NDArray[np.uint8]) -> None:
    """Write (H, W, 4) RGBA as PNG.

    Raises:
        OutputError: If it cannot be written.
    """
    import cv2

    encoded = cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))[1]  # imwrite knows no Unicode
    with replaced_when_done(path) as temporary:
        temporary.write_bytes(encoded.tobytes())
