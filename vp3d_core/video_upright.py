# SPDX-License-Identifier: GPL-3.0-or-later
"""Decoded pictures to upright RGB arrays: display matrix, pixel aspect, size.

The display matrix is nine 32-bit numbers a b u c d v x y w in the file: (p, q) is shown at
(a p + c q, b p + d q), p to the right and q down (FFmpeg's libavutil/display.h, ISO/IEC 14496-12, tkhd).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["Upright"]

SQUARE_TOLERANCE = 0.02  # pixel aspects nearer to 1 come from rounding to blocks, not from the camera


@dataclass(frozen=True, slots=True)
class Upright:
    """How the stored pictures of one video become upright RGB.

    Attributes:
        stored_size: (width, height) px to which stored pictures are scaled, before turning.
        transposed: Whether rows and columns are exchanged.
        flipped_x: Whether the picture is then mirrored left to right.
        flipped_y: Whether the picture is then mirrored top to bottom.
    """

    stored_size: tuple[int, int]
    transposed: bool
    flipped_x: bool
    flipped_y: bool

    @classmethod
    def of_frame(cls, picture: VideoFrame, pixel_aspect: Fraction) -> Upright:
        """Read the display matrix and sizes of a video's first picture.

        Args:
            picture: As decoded.
            pixel_aspect: Width of a stored pixel over its height.
        """
        width, height = picture.width, picture.height
        if abs(pixel_aspect - 1) > SQUARE_TOLERANCE:
            if pixel_aspect > 1:
                width = round(width * pixel_aspect)
            else:
                height = round(height / pixel_aspect)
        a, b, c, d = _display_matrix(picture)
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls((width, height), True, c < 0, b < 0)
        return cls((width, height), False, a < 0, d < 0)

    @property
    def width(self) -> int:
        """Px, upright."""
        return self.stored_size[1] if self.transposed else self.stored_size[0]

    @property
    def height(self) -> int:
        """Px, upright."""
        return self.stored_size[0] if self.transposed else self.stored_size[1]

    @property
    def rotation_deg(self) -> int:
        """Clockwise turn that makes stored pictures upright; a mirrored picture is mirrored first."""
        if self.transposed:
            return 270 if self.flipped_y else 90
        return 180 if self.flipped_y else 0

    def rgb(self, picture: VideoFrame) -> npt.NDArray[np.uint8]:
        """Return the upright picture (height, width, 3); another size than the first's is scaled to that."""
        width, height = self.stored_size
        pixels = picture.to_ndarray(format="rgb24", width=width, height=height)
        if self.transposed:
            pixels = pixels.transpose(1, 0, 2)
        pixels = pixels[:: -1 if self.flipped_y else 1, :: -1 if self.flipped_x else 1]
        return np.ascontiguousarray(pixels, dtype=np.uint8)


def _display_matrix(picture: VideoFrame) -> tuple[int, int, int, int]:
    """Return a, b, c, d of the display matrix; the identity when there is none."""
    side_data = picture.side_data.get("DISPLAYMATRIX")
    if side_data is None:
        return 1, 0, 0, 1
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(side_data), dtype=np.int32)[:5])
    return a, b, c, d
