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
from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch

from ..errors import InputError
from ..lift.lifter import has_bfloat16
from ..lift.model import LifterModel
from ..lift.normalise import FEATURES
from ..lift.weights import load_lifter_model, save_lifter_model
from ..output_file import replaced_when_done
from ..skeletons import JOINTS
from .batches import WindowPool, training_batches
from .dataset import load_bank, make_batch
from .losses import lifter_loss
from .narrow import narrowed
from .settings import TrainSettings

__all__ = ["train_lifter"]

PROGRESS_STEPS = 50
CHECKPOINT_STEPS = 1000
NARROWING_CLIPS = 32  # from which is seen which channels matter


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
        start: A lifter to start from, its name or path: of the same architecture or with more channels, of
            which the least are taken away. Its BatchNorm statistics stay as they are, since a batch here may
            be far smaller than those it learnt from. None starts from nothing.
        on_progress: Called every ``PROGRESS_STEPS`` with step, steps and the mean of the loss's parts since
            the last call.

    Returns:
        Path of the weights.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    checkpoint = out / "checkpoint.pt"
    model = _first_model(None if checkpoint.is_file() else start, bank_path, settings, device)
    if start is not None:
        model.freeze_batchnorm()
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(settings.average), use_buffers=True
    )
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    step, spent_s = _resume(checkpoint, model, average, optimizer, device)
    batches = training_batches(bank_path, settings, model, device, step)
    generator = torch.Generator(device).manual_seed(settings.seed + step + 1)  # others than the batches'
    pool = WindowPool(settings.pool, model.window, model.stack, model.frames_before, generator)
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
    return _write(out, average.module, settings, step)


def _first_model(
    start: str | Path | None, bank_path: Path, settings: TrainSettings, device: torch.device
) -> LifterModel:
    """Return the model that training begins with, with random weights or those of a trained lifter."""
    model = LifterModel(
        FEATURES, len(JOINTS.points), settings.filter_widths,
        causal=settings.causal, dropout=settings.dropout, channels=settings.channels, stack=settings.stack,
    ).to(device).train()  # fmt: skip
    if start is not None:
        _take_over(start, model, bank_path, settings)
    return model


def _take_over(start: str | Path, model: LifterModel, bank_path: Path, settings: TrainSettings) -> None:
    """Give a model the weights of a trained lifter.

    Raises:
        InputError: when it has fewer channels, or its architecture is another.
    """
    device = model.shrink.weight.device
    trained, _ = load_lifter_model(start, device)
    same = (trained.filter_widths, trained.stack, trained.causal) == (
        model.filter_widths, model.stack, model.causal,
    )  # fmt: skip
    if not same or trained.channels < model.channels:
        raise InputError(
            f"{start} has widths {list(trained.filter_widths)}, {trained.channels} channels and "
            f"{trained.stack} frames a step{', causal' if trained.causal else ''}, not as asked",
            hint="Give --widths, --stack and --causal of the lifter to start from, and no more --channels.",
        )
    if trained.channels > model.channels:
        bank = load_bank(bank_path, device).subset(held_out=False)
        generator = torch.Generator(device).manual_seed(settings.seed)
        usual = make_batch(bank, NARROWING_CLIPS, 2 * trained.window, generator, noise=settings.noise)
        trained = narrowed(trained, model.channels, usual.features)
    model.load_state_dict(trained.state_dict())


def _write(out: Path, model: torch.nn.Module, settings: TrainSettings, step: int) -> Path:
    path = out / "lifter.safetensors"
    save_lifter_model(
        path, cast(LifterModel, model), training=dataclasses.asdict(settings) | {"steps_done": step}
    )
    return path


def _step(
    model: LifterModel, optimizer: torch.optim.Optimizer, pool: WindowPool, settings: TrainSettings
) -> dict[str, torch.Tensor]:
    windows, *targets = pool.draw(settings.pairs, 2)
    more, *more_targets = pool.draw(settings.singles, 1)
    windows = torch.cat([windows, more])
    half = has_bfloat16(windows.device)
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
    state = {
        "model": model.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    with replaced_when_done(path) as temporary:
        torch.save(state | {"step": step, "spent_s": spent_s}, temporary)


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
    try:
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"{path} is of a run with other --widths, --stack or --channels",
            hint="Give the same options to go on with it, or another folder with -o.",
        ) from error
    return int(state["step"]), float(state["spent_s"])
