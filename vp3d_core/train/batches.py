# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an optimiser step's windows come from: sequences made on the fly, and a pool of the last ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from ..lift.model import LifterModel
from .dataset import MocapBank, load_bank, make_batch
from .settings import TrainSettings

__all__ = ["WindowPool", "training_batches"]


class _Batches(torch.utils.data.IterableDataset[tuple[torch.Tensor, ...]]):
    """Endless training batches; each process has its own seed."""

    def __init__(
        self, bank_path: Path, settings: TrainSettings, frames: int, edge: int, first_step: int
    ) -> None:
        self.bank_path, self.settings = bank_path, settings
        self.frames, self.edge, self.first_step = frames, edge, first_step

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        torch.set_flush_denormal(True)
        info = torch.utils.data.get_worker_info()
        bank = load_bank(self.bank_path, torch.device("cpu")).subset(held_out=False)
        seed = self.settings.seed + 7919 * (info.id if info else 0) + self.first_step
        yield from _endless(bank, self.settings, self.frames, self.edge, torch.Generator().manual_seed(seed))


def _endless(
    bank: MocapBank, settings: TrainSettings, frames: int, edge: int, generator: torch.Generator
) -> Iterator[tuple[torch.Tensor, ...]]:
    while True:
        batch = make_batch(bank, settings.batch, frames, generator, noise=settings.noise, edge=edge)
        yield batch.features, batch.joints, batch.contacts, batch.up, batch.valid


def training_batches(
    bank_path: Path, settings: TrainSettings, model: LifterModel, device: torch.device, first_step: int
) -> Iterator[tuple[torch.Tensor, ...]]:
    """Return endless batches: features, joints, contacts, up, valid, as in ``dataset.Batch``.

    On a GPU they are made there, on the CPU by another process when the settings have workers.
    """
    frames = settings.outputs + model.window - 1
    edge = max(model.frames_before, model.frames_after) + settings.outputs // 2
    if device.type == "cpu" and settings.workers:
        source = _Batches(bank_path, settings, frames, edge, first_step)
        return iter(
            torch.utils.data.DataLoader(
                source, batch_size=None, num_workers=settings.workers, prefetch_factor=4
            )
        )
    bank = load_bank(bank_path, device).subset(held_out=False)
    generator = torch.Generator(device).manual_seed(settings.seed + first_step)
    return _endless(bank, settings, frames, edge, generator)


class WindowPool:
    """The last sequences made, from which each step draws windows.

    A sequence's windows teach almost the same; drawing few from each of many makes a better step of the same
    work.

    Args:
        size: Sequences kept.
        window, stack, frames_before: Of the model, in frames.
        generator: Random numbers, on the sequences' device.
    """

    def __init__(
        self, size: int, window: int, stack: int, frames_before: int, generator: torch.Generator
    ) -> None:
        self._size, self._window, self._stack, self._before = size, window, stack, frames_before
        self._generator = generator
        self._parts: list[torch.Tensor] = []
        self._next = self._filled = 0

    def add(self, parts: tuple[torch.Tensor, ...]) -> None:
        """Put sequences in place of the oldest: features (B, T, C) and targets (B, T, ...)."""
        if not self._parts:
            self._parts = [part.new_zeros(self._size, *part.shape[1:]) for part in parts]
            self._parts[0] = self._parts[0].to(torch.bfloat16)  # half the memory to gather from
        count = len(parts[0])
        place = (torch.arange(count, device=parts[0].device) + self._next) % self._size
        for whole, part in zip(self._parts, parts, strict=True):
            whole[place] = part.to(whole.dtype)
        self._next = (self._next + count) % self._size
        self._filled = min(self._filled + count, self._size)

    def draw(self, count: int, length: int) -> tuple[torch.Tensor, ...]:
        """Draw windows of neighbouring outputs, each of ``stack`` frames.

        Returns:
            Windows (count * length, window, C) and targets (count, length * stack, ...).
        """
        features = self._parts[0]
        device = features.device
        row = torch.randint(self._filled, (count, 1), generator=self._generator, device=device)
        last = features.shape[1] - self._window - (length - 1) * self._stack + 1
        first = torch.randint(last, (count, 1), generator=self._generator, device=device)
        start = first + self._stack * torch.arange(length, device=device)
        frames = start[..., None] + torch.arange(self._window, device=device)
        windows = features[row[..., None], frames].flatten(0, 1)
        output = first + self._before + torch.arange(length * self._stack, device=device)
        return windows, *(part[row, output] for part in self._parts[1:])
