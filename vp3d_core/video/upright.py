# SPDX-License-Identifier: GPL-3.0-or-later
"""Decoded pictures to upright RGB arrays: display matrix, pixel aspect, size.

The display matrix is nine 32-bit numbers a b u c d v x y w in the file: (p, q) is shown at
(a p + c q, b p + d q), p to the right and q down (FFmpeg's libavutil/display.h, ISO/IEC 14496-12, tkhd).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["Upright"]

SQUARE_TOLERANCE = 0.02  # pixel aspects nearer to 1 come from rounding to blocks, not from the camera
# Made smaller as they are stored and turned to RGB after that: half the time. Others are done in one step.
SMALLER_FIRST = {"yuv420p": "yuv420p", "yuvj420p": "yuv420p", "yuv420p10le": "yuv420p", "nv12": "yuv420p"}


class Upright:
    """Turns the stored pictures of one video into upright RGB with square pixels.

    It keeps FFmpeg's scalers between frames: setting it up takes longer than converting one picture.

    Args:
        picture: The first picture, as decoded: all others are brought to its size.
        pixel_aspect: Width of a stored pixel over its height.
        max_side: Longest side in px that is wanted; larger pictures are made smaller, to even sizes.
    """

    def __init__(self, picture: VideoFrame, pixel_aspect: Fraction, *, max_side: int | None = None) -> None:
        from av.video.reformatter import VideoReformatter

        self._scaler, self._converter = VideoReformatter(), VideoReformatter()
        width, height = picture.width, picture.height
        if pixel_aspect > 1 + SQUARE_TOLERANCE:
            width = round(width * pixel_aspect)
        elif pixel_aspect < 1 - SQUARE_TOLERANCE:
            height = round(height / pixel_aspect)
        if max_side is not None and max(width, height) > max_side:
            scale = max_side / max(width, height)
            width, height = (max(2, 2 * round(side * scale / 2)) for side in (width, height))
        self._stored_size = width, height
        self._is_smaller = width * height < picture.width * picture.height
        a, b, c, d = _display_matrix(picture)
        self._transposed = abs(b) + abs(c) > abs(a) + abs(d)
        self._flipped_x, self._flipped_y = (c < 0, b < 0) if self._transposed else (a < 0, d < 0)

    @property
    def image_size(self) -> tuple[int, int]:
        """(width, height) px, upright."""
        width, height = self._stored_size
        return (height, width) if self._transposed else (width, height)

    @property
    def rotation_deg(self) -> int:
        """Clockwise turn that makes stored pictures upright; a mirrored picture is mirrored first."""
        if self._transposed:
            return 270 if self._flipped_y else 90
        return 180 if self._flipped_y else 0

    def rgb(self, picture: VideoFrame) -> npt.NDArray[np.uint8]:
        """Return the upright picture: (height, width, 3), a new array."""
        width, height = self._stored_size
        same_kind = SMALLER_FIRST.get(picture.format.name)
        if self._is_smaller and same_kind is not None:
            picture = self._scaler.reformat(picture, width, height, same_kind)
        converted = self._converter.reformat(picture, width, height, "rgb24")
        pixels = converted.to_ndarray()
        if self._transposed:
            pixels = pixels.transpose(1, 0, 2)
        pixels = pixels[:: -1 if self._flipped_y else 1, :: -1 if self._flipped_x else 1]
        if converted is picture:  # nothing to convert: the pixels are the decoder's own
            return np.array(pixels, dtype=np.uint8, order="C")
        return np.ascontiguousarray(pixels, dtype=np.uint8)


def _display_matrix(picture: VideoFrame) -> tuple[int, int, int, int]:
    """Return a, b, c, d of the display matrix; the identity when there is none."""
    side_data = picture.side_data.get("DISPLAYMATRIX")
    if side_data is None:
        return 1, 0, 0, 1
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(side_data), dtype=np.int32)[:5])
    return a, b, c, d
