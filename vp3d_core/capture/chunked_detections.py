# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found in many frames, kept in a few arrays: objects take more memory than what is in them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import overload

import numpy as np

from ..arrays import Array, IntArray
from ..keypoints import Detections2D
from ..skeletons import KeypointSkeleton
from .stage_store import Arrays
from .stage_values import DETECTION_ARRAYS

__all__ = ["ChunkedDetections"]


class ChunkedDetections(Sequence[Detections2D]):
    """The detections of frames that follow each other; each is made when it is asked for.

    Args:
        skeleton: Of all of them.
    """

    def __init__(self, skeleton: KeypointSkeleton) -> None:
        self._skeleton = skeleton
        # Of each chunk: the first row of each frame and the end, (frames + 1,); the rows of all its frames.
        self._chunks: list[tuple[IntArray, dict[str, Array]]] = []
        self._starts = [0]  # frame at which each chunk starts, and the end

    def append(self, arrays: Arrays) -> None:
        """Add the frames of a chunk that ``pack_chunk`` packed."""
        points = len(self._skeleton.points)
        shapes = ((4,), (), (points, 2), (points,))
        bounds = np.concatenate([[0], np.cumsum(arrays["counts"].astype(np.int64))])
        rows = {
            name: arrays[name].reshape(-1, *shape)  # those of nobody are stored without a shape
            for name, shape in zip(DETECTION_ARRAYS, shapes, strict=True)
        }
        self._chunks.append((bounds, rows))
        self._starts.append(len(self) + len(bounds) - 1)

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, index: int) -> Detections2D: ...
    @overload
    def __getitem__(self, index: slice) -> list[Detections2D]: ...
    def __getitem__(self, index: int | slice) -> Detections2D | list[Detections2D]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        frame = range(len(self))[index]
        chunk = bisect_right(self._starts, frame) - 1
        bounds, rows = self._chunks[chunk]
        own = frame - self._starts[chunk]
        found = slice(bounds[own], bounds[own + 1])
        return Detections2D(**{name: rows[name][found] for name in DETECTION_ARRAYS}, skeleton=self._skeleton)
