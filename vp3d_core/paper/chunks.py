# SPDX-License-Identifier: GPL-3.0-or-later
"""Cuts views into chunks of output frames with the input frames around them, and makes batches of them.

All views lie one after another in one array each, so that a batch is one gather.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..arrays import IntArray
from .datasets import View
from .projection import mirror_intrinsics

__all__ = ["Batch", "ChunkLoader", "chunk_table", "mirror_points"]


def chunk_table(num_frames: int, length: int) -> IntArray:
    """Return (n, 2) first and one-past-last output frames of the chunks that cover a sequence.

    All have the same length; what is too much lies half before the first frame and half after the last one,
    where frames are repetitions of these.
    """
    count = -(-num_frames // length)
    offset = (count * length - num_frames) // 2
    starts = np.arange(count) * length - offset
    return np.stack([starts, starts + length], axis=1)


def mirror_points(points: torch.Tensor, mirror: Sequence[int]) -> torch.Tensor:
    """Mirror points (..., P, 2 or 3) left to right: x negated, counterparts swapped."""
    signs = points.new_ones(points.shape[-1])
    signs[0] = -1.0
    return points[..., list(mirror), :] * signs


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Chunks.

    Attributes:
        keypoints: (B, L + receptive field - 1, K, F) screen units.
        positions: (B, L, J, 3) m as in ``View``, or None.
        intrinsics: (B, 9), or None.
    """

    keypoints: torch.Tensor
    positions: torch.Tensor | None
    intrinsics: torch.Tensor | None


class ChunkLoader:
    """Makes batches of shuffled chunks.

    Args:
        views: At least one; all with labels or none, all with intrinsics or none that are given out.
        chunks: Per batch.
        length: L, output frames of a chunk.
        before, after: Input frames on either side of a chunk.
        keypoint_mirror, joint_mirror: Counterparts; None for no mirrored copies.
        seed: Of the order.
        device: Where everything lies.
    """

    def __init__(
        self,
        views: Sequence[View],
        *,
        chunks: int,
        length: int,
        before: int,
        after: int,
        keypoint_mirror: Sequence[int] | None,
        joint_mirror: Sequence[int] | None,
        seed: int,
        device: torch.device,
    ) -> None:
        if not views or chunks < 1 or length < 1:
            raise ValueError("no views, or chunks without frames")
        self._chunks, self._length, self._before, self._after = chunks, length, before, after
        self._keypoint_mirror, self._joint_mirror = keypoint_mirror, joint_mirror
        self._random = np.random.default_rng(seed)
        self._device = device
        self._keypoints = torch.from_numpy(np.concatenate([view.keypoints for view in views])).to(device)
        self._positions = _stack([view.positions for view in views], device, join=np.concatenate)
        self._intrinsics = _stack([view.intrinsics for view in views], device, join=np.stack)
        lengths = np.array([len(view.keypoints) for view in views])
        self._lengths = torch.from_numpy(lengths).to(device)
        self._starts = torch.from_numpy(np.cumsum(lengths) - lengths).to(device)
        self.num_frames = int(lengths.sum())
        self._table = self._make_table(lengths, copies=1 if keypoint_mirror is None else 2)

    def _make_table(self, lengths: IntArray, *, copies: int) -> IntArray:
        """Return (n, 3): view, first output frame, whether mirrored."""
        parts: list[IntArray] = []
        for index, num_frames in enumerate(lengths):
            starts = chunk_table(int(num_frames), self._length)[:, 0]
            for mirrored in range(copies):
                parts.append(
                    np.stack([np.full_like(starts, index), starts, np.full_like(starts, mirrored)], axis=1)
                )
        return np.concatenate(parts)

    def epoch(self) -> Iterator[Batch]:
        """Give every chunk once, in a new order."""
        order = self._random.permutation(len(self._table))
        for first in range(0, len(order), self._chunks):
            yield self._gather(torch.from_numpy(self._table[order[first : first + self._chunks]]))

    def endless(self) -> Iterator[Batch]:
        """Give epoch after epoch."""
        while True:
            yield from self.epoch()

    def _gather(self, rows: torch.Tensor) -> Batch:
        view, start, mirrored = rows.to(self._device).unbind(1)
        window = torch.arange(-self._before, self._length + self._after, device=self._device)
        keypoints = self._keypoints[self._frames(view, start, window)]
        flip = mirrored.bool()
        if self._keypoint_mirror is not None:
            keypoints = _where(flip, mirror_points(keypoints, self._keypoint_mirror), keypoints)
        positions = intrinsics = None
        if self._positions is not None:
            positions = self._positions[
                self._frames(view, start, torch.arange(self._length, device=self._device))
            ]
            if self._joint_mirror is not None:
                positions = _where(flip, mirror_points(positions, self._joint_mirror), positions)
        if self._intrinsics is not None:
            intrinsics = self._intrinsics[view]
            intrinsics = _where(flip, mirror_intrinsics(intrinsics), intrinsics)
        return Batch(keypoints, positions, intrinsics)

    def _frames(self, view: torch.Tensor, start: torch.Tensor, window: torch.Tensor) -> torch.Tensor:
        """Return rows (B, len(window)) of the joined arrays; outside a view its first or last frame."""
        frames = start[:, None] + window
        last = self._lengths[view][:, None] - 1
        return torch.minimum(frames.clamp_min(0), last) + self._starts[view][:, None]


def _stack(arrays: Sequence[object], device: torch.device, *, join: object) -> torch.Tensor | None:
    if any(array is None for array in arrays):
        return None
    return torch.from_numpy(join(arrays)).to(device)  # type: ignore[operator]


def _where(flip: torch.Tensor, mirrored: torch.Tensor, plain: torch.Tensor) -> torch.Tensor:
    return torch.where(flip.reshape(-1, *(1,) * (plain.ndim - 1)), mirrored, plain)
