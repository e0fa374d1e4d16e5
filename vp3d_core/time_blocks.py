# SPDX-License-Identifier: GPL-3.0-or-later
"""Long clips worked on part by part: the memory of intermediate values does not grow with their length.

What is local in time is computed on a block with some frames more on both sides, of which nothing is kept.
Clips of up to a block's length are one block, and come out as if there were none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["BLOCK_FRAMES", "TimeBlock", "time_blocks"]

BLOCK_FRAMES = 2048  # a minute at 30 Hz


@dataclass(frozen=True, slots=True)
class TimeBlock:
    """One part of T frames.

    Attributes:
        read: Frames that are looked at.
        kept: Frames whose results are kept; those of all blocks follow each other.
        inside: Where the kept ones are among those that are looked at.
    """

    read: slice
    kept: slice

    @property
    def inside(self) -> slice:
        """See the class."""
        return slice(self.kept.start - self.read.start, self.kept.stop - self.read.start)


def time_blocks(num_frames: int, *, margin: int, length: int = BLOCK_FRAMES) -> Iterator[TimeBlock]:
    """Yield the blocks of T frames.

    Args:
        num_frames: T; one empty block comes of 0.
        margin: Frames more to look at on both sides, as far as there are any.
        length: Frames to keep of each block; the last one keeps up to half as many more.
    """
    start = 0
    while True:
        stop = num_frames if num_frames - start < length + length // 2 else start + length
        yield TimeBlock(slice(max(0, start - margin), min(num_frames, stop + margin)), slice(start, stop))
        if stop == num_frames:
            return
        start = stop
