# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the lifter on mocap seen by virtual cameras.

Runs on a GPU where there is one (batches are made there too), else on the CPU, where one process makes
batches while another learns. A run is resumed from its checkpoint; the seed and all settings go into the
weights' header.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch

from ..errors import InputError
from ..lift.model import LifterModel
from ..lift.normalise import FEATURES
from ..lift.weights import load_lifter_model, save_lifter_model
from ..skeletons import JOINTS
from .dataset import MocapBank, load_bank, make_batch
from .losses import lifter_loss

__all__ = ["TrainSettings", "train_lifter"]

PROGRESS_STEPS = 50
CHECKPOINT_STEPS = 1000


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Settings of a training run.

    Attributes:
        filter_widths: Odd widths; their product is the receptive field in steps.
        channels: Width of the hidden layers.
        stack: Frames at 30 Hz of one step.
        causal: Whether the network sees the past only.
        dropout: Probability.
        steps: Optimiser steps.
        minutes: Wall time after which the learning rate has reached its end, whatever the step; 0 for none.
        batch: Sequences made at a time.
        every: Optimiser steps for which they are made.
        outputs: Output frames of a sequence.
        pool: Sequences kept; each step draws from all of them, so that a batch holds many cameras and bodies.
        pairs: Pairs of neighbouring outputs an optimiser step, from which velocity is learnt.
        singles: Single outputs besides; each teaches positions as well as a pair, at half the cost.
        learning_rate: Highest, after the warm-up; cosine to zero.
        weight_decay: Of AdamW.
        average: Decay of the running average of the weights that is kept.
        noise: Level of the detector's errors.
        seed: Of everything random.
        frozen_norms: Whether BatchNorm keeps the statistics it starts with: a lifter that was trained with
            large batches goes on with small ones.
        workers: Processes that make batches (0 on a GPU).
    """

    filter_widths: tuple[int, ...] = (3, 3, 3, 3)
    channels: int = 384
    stack: int = 1
    causal: bool = False
    dropout: float = 0.0
    steps: int = 30_000
    minutes: float = 0.0
    batch: int = 24
    every: int = 1
    outputs: int = 40
    pool: int = 4096
    pairs: int = 96
    singles: int = 320
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    average: float = 0.999
    noise: float = 1.0
    seed: int = 0
    frozen_norms: bool = False
    workers: int = 1

    def on_gpu(self) -> TrainSettings:
        """Return the settings with the larger batches that keep a GPU busy."""
        return dataclasses.replace(self, batch=1024, every=4, pool=16_384, pairs=1024, singles=2048)


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


def _batches(
    bank_path: Path, settings: TrainSettings, model: LifterModel, device: torch.device, first_step: int
) -> Iterator[tuple[torch.Tensor, ...]]:
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


class _Pool:
    """The last sequences made, from which each step draws windows.

    A sequence's windows teach almost the same; drawing few from each of many makes a better step of the same
    work.
    """

    def __init__(
        self, size: int, window: int, stack: int, frames_before: int, generator: torch.Generator
    ) -> None:
        self._size, self._window, self._stack, self._before = size, window, stack, frames_before
        self._generator = generator
        self._parts: list[torch.Tensor] = []
        self._next = self._filled = 0

    def add(self, parts: tuple[torch.Tensor, ...]) -> None:
        """Put sequences in place of the oldest."""
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


def train_lifter(
    bank_path: Path,
    out: Path,
    settings: TrainSettings,
    *,
    device: torch.device,
    start: str | Path | None = None,
    on_progress: Callable[[int, int, dict[str, float]], None] | None = None,
) -> Path:
    """Train a lifter and write its weights.

    Args:
        bank_path: Clips written by ``dataset.save_bank``.
        out: Folder for ``checkpoint.pt`` (from which a run resumes) and ``lifter.safetensors``.
        settings: See TrainSettings.
        device: Where to train.
        start: A lifter of the same architecture to start from: its name or path; None starts from nothing.
        on_progress: Called every ``PROGRESS_STEPS`` with step, steps and the mean of the loss's parts since
            the last call.

    Returns:
        Path of the weights.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    torch.set_flush_denormal(True)
    model = LifterModel(
        FEATURES, len(JOINTS.points), settings.filter_widths,
        causal=settings.causal, dropout=settings.dropout, channels=settings.channels, stack=settings.stack,
    ).to(device)  # fmt: skip
    if start is not None:
        _start_from(start, model, device)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(settings.average), use_buffers=True
    )
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    checkpoint = out / "checkpoint.pt"
    step, spent_s = _resume(checkpoint, model, average, optimizer, device)
    batches = _batches(bank_path, settings, model, device, step)
    generator = torch.Generator(device).manual_seed(settings.seed + step)
    pool = _Pool(settings.pool, model.window, model.stack, model.frames_before, generator)
    for _ in range(max(1, settings.pool // settings.batch // 8)):
        pool.add(tuple(part.to(device) for part in next(batches)))
    started, since = time.monotonic() - spent_s, 0
    sums: dict[str, torch.Tensor] = {}
    while (done := _fraction_done(settings, step, time.monotonic() - started)) < 1.0:
        _schedule(model, optimizer, settings, done, step)
        if step % settings.every == 0:
            pool.add(tuple(part.to(device) for part in next(batches)))
        for name, value in _step(model, optimizer, pool, settings).items():
            sums[name] = sums[name] + value if name in sums else value
        average.update_parameters(model)
        step, since = step + 1, since + 1
        if step % PROGRESS_STEPS == 0 and on_progress is not None:
            means = {name: float(value) / since for name, value in sums.items()}
            on_progress(step, settings.steps, means | {"done": done})
            sums, since = {}, 0
        if step % CHECKPOINT_STEPS == 0:
            _save_checkpoint(checkpoint, model, average, optimizer, step, time.monotonic() - started)
            _write(out, average.module, settings, step)
    _save_checkpoint(checkpoint, model, average, optimizer, step, time.monotonic() - started)
    torch.set_flush_denormal(False)
    return _write(out, average.module, settings, step)


def _start_from(start: str | Path, model: LifterModel, device: torch.device) -> None:
    """Take over the weights of a trained lifter.

    Raises:
        InputError: when its architecture is another.
    """
    trained, header = load_lifter_model(start, device)
    try:
        model.load_state_dict(trained.state_dict())
    except RuntimeError as error:
        found = cast(dict[str, object], header["architecture"])
        raise InputError(
            f"{start} has widths {found['filter_widths']}, {found['channels']} channels and "
            f"{found.get('stack', 1)} frames a step, not as asked",
            hint="Give --widths, --channels and --stack of the lifter to start from.",
        ) from error


def _write(out: Path, model: torch.nn.Module, settings: TrainSettings, step: int) -> Path:
    path = out / "lifter.safetensors"
    save_lifter_model(
        path, cast(LifterModel, model), training=dataclasses.asdict(settings) | {"steps_done": step}
    )
    return path


def _step(
    model: LifterModel, optimizer: torch.optim.Optimizer, pool: _Pool, settings: TrainSettings
) -> dict[str, torch.Tensor]:
    windows, *targets = pool.draw(settings.pairs, 2)
    more, *more_targets = pool.draw(settings.singles, 1)
    windows = torch.cat([windows, more])
    model.train()
    if settings.frozen_norms:
        model.freeze_batchnorm()
    half = _has_bf16(windows.device)
    with torch.autocast(windows.device.type, dtype=torch.bfloat16, enabled=half):
        output = model.forward_windows(windows if half else windows.float())
    output = {name: _as_pairs(value.float(), settings.pairs) for name, value in output.items()}
    # A single output fills a pair with itself, which does not count: its second half is not valid.
    joined = [torch.cat([a, torch.cat([b, b], dim=1)]) for a, b in zip(targets, more_targets, strict=True)]
    joined[-1][settings.pairs :, model.stack :] = False
    loss, values = lifter_loss(output, *joined)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return values


def _as_pairs(values: torch.Tensor, pairs: int) -> torch.Tensor:
    """Bring (2 * pairs + singles, stack, ...) to (pairs + singles, 2 * stack, ...), singles repeated."""
    singles = values[2 * pairs :]
    neighbours = values[: 2 * pairs].unflatten(0, (pairs, 2)).flatten(1, 2)
    return torch.cat([neighbours, torch.cat([singles, singles], dim=1)])


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()  # pyright: ignore[reportPrivateUsage]


def _fraction_done(settings: TrainSettings, step: int, elapsed_s: float) -> float:
    by_time = elapsed_s / 60.0 / settings.minutes if settings.minutes > 0 else 0.0
    return max(step / settings.steps, by_time)


def _schedule(
    model: LifterModel, optimizer: torch.optim.Optimizer, settings: TrainSettings, done: float, step: int
) -> None:
    """Set the cosine learning rate, after a warm-up, and BatchNorm's momentum, from 0.1 to 0.001.

    Source: Pavllo et al. 2019, sec. 5.
    """
    warm = min(1.0, (step + 1) / 300)
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    model.set_batchnorm_momentum(0.1 * math.exp(-done * math.log(0.1 / 0.001)))


def _save_checkpoint(
    path: Path,
    model: LifterModel,
    average: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    spent_s: float,
) -> None:
    temporary = path.with_suffix(".tmp")
    state = {
        "model": model.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(state | {"step": step, "spent_s": spent_s}, temporary)
    temporary.replace(path)


def _resume(
    path: Path,
    model: LifterModel,
    average: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    device: torch.device,
) -> tuple[int, float]:
    if not path.is_file():
        return 0, 0.0
    state = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(state["model"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"]), float(state["spent_s"])
