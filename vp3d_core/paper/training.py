# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains the paper's networks, supervised or with unlabelled views beside the labelled ones.

A run goes on from its checkpoint. The strided twin is the same network with its switch set, so that weights
need not be copied.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from ..errors import InputError
from ..output_file import replaced_when_done
from .chunks import Batch, ChunkLoader
from .datasets import PaperData, View
from .losses import bone_length_loss, mpjpe, weighted_mpjpe
from .models import Architecture, PaperModels, save_models
from .projection import project, project_linear
from .reprojection import ReprojectionMap, reprojection_map
from .schedule import batchnorm_momentum, learning_rate
from .settings import Experiment

__all__ = ["EpochReport", "train_experiment"]

SAVE_AFTER_S = 10.0  # epochs of small sets are short
UNLABELLED_SEED = 3087  # added to the seed: unlabelled chunks come in an order of their own


@dataclass(frozen=True, slots=True)
class EpochReport:
    """How an epoch ended: its number from 1, s, and the loss's parts in m or screen units."""

    epoch: int
    seconds: float
    rate: float
    parts: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Unlabelled:
    """What the semi-supervised part of the loss needs."""

    batches: Iterator[Batch]
    bones: tuple[tuple[int, int], ...]
    reprojection: ReprojectionMap


def train_experiment(
    data: PaperData,
    labelled: Sequence[View],
    settings: Experiment,
    out: Path,
    *,
    device: torch.device,
    unlabelled: Sequence[View] = (),
    on_epoch: Callable[[EpochReport, PaperModels], None] | None = None,
) -> PaperModels:
    """Train, and write ``model.safetensors`` and ``checkpoint.pt`` now and then and at the end.

    Args:
        data: For the layouts.
        labelled: Views to learn from; their labels are used.
        settings: See Experiment.
        out: Folder; a checkpoint in it is gone on from.
        device: Where to train.
        unlabelled: Views whose 2D and cameras are used and whose labels are not.
        on_epoch: Called after each epoch, with the networks in evaluation mode.

    Returns:
        The networks in evaluation mode.

    Raises:
        InputError: Unlabelled views have no intrinsics, or the checkpoint is of another experiment.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    models = _new_models(
        data, labelled, settings, trajectory=settings.trajectory or bool(unlabelled), device=device
    )
    parameters = [value for network in models.networks for value in network.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=settings.learning_rate, amsgrad=True)
    run = _Run(settings, models, optimizer, out, _frames(labelled), _frames(unlabelled))
    first = run.resume(device)
    loader = _loader(data, labelled, settings, models, seed=settings.seed + first, device=device)
    extra = _unlabelled_part(data, unlabelled, settings, models, device=device) if unlabelled else None
    for epoch in range(first, settings.epochs):
        started = time.monotonic()
        rate = learning_rate(epoch, initial=settings.learning_rate, decay=settings.decay)
        for group in optimizer.param_groups:
            group["lr"] = rate
        _set_mode(models, settings, training=True, epoch=epoch)
        parts = _epoch(models, loader, optimizer, settings, extra if epoch >= settings.warmup else None)
        _set_mode(models, settings, training=False, epoch=epoch)
        run.save(epoch + 1)
        if on_epoch is not None:
            on_epoch(EpochReport(epoch + 1, time.monotonic() - started, rate, parts), models)
    _set_mode(models, settings, training=False, epoch=settings.epochs)
    return models


def _frames(views: Sequence[View]) -> int:
    return sum(len(view.keypoints) for view in views)


@dataclass(slots=True, eq=False)
class _Run:
    """A run's files. Saves no more often than every ``SAVE_AFTER_S``, and at the end."""

    settings: Experiment
    models: PaperModels
    optimizer: torch.optim.Optimizer
    out: Path
    labelled_frames: int
    unlabelled_frames: int
    saved_at: float = field(default_factory=time.monotonic)

    @property
    def identity(self) -> dict[str, object]:
        """What must be the same for a run to go on; more epochs may be asked for."""
        values: dict[str, object] = asdict(self.settings)
        values.pop("epochs")
        frames: dict[str, object] = {
            "labelled_frames": self.labelled_frames,
            "unlabelled_frames": self.unlabelled_frames,
        }
        return values | frames

    def save(self, epochs: int) -> None:
        """Write weights and checkpoint if it is time."""
        if epochs < self.settings.epochs and time.monotonic() - self.saved_at < SAVE_AFTER_S:
            return
        training = asdict(self.settings) | self.identity | {"epochs_done": epochs}
        save_models(self.out / "model.safetensors", self.models, training=training)
        state = {
            "networks": [network.state_dict() for network in self.models.networks],
            "optimizer": self.optimizer.state_dict(),
            "epochs": epochs,
            "identity": self.identity,
        }
        with replaced_when_done(self.out / "checkpoint.pt") as temporary:
            torch.save(state, temporary)
        self.saved_at = time.monotonic()

    def resume(self, device: torch.device) -> int:
        """Fill networks and optimiser from the checkpoint, if there is one; return the epochs done."""
        path = self.out / "checkpoint.pt"
        if not path.is_file():
            return 0
        state = torch.load(path, map_location=device, weights_only=True)
        mine = self.identity
        other = [name for name, value in state["identity"].items() if mine.get(name) != value]
        if other:
            raise InputError(
                f"{path} is of another experiment; it differs in {', '.join(other)}",
                hint="Give another folder with -o, or the same options.",
            )
        for network, values in zip(self.models.networks, state["networks"], strict=True):
            network.load_state_dict(values)
        self.optimizer.load_state_dict(state["optimizer"])
        return int(state["epochs"])


def _new_models(
    data: PaperData, views: Sequence[View], settings: Experiment, *, trajectory: bool, device: torch.device
) -> PaperModels:
    _, joints_in, features = views[0].keypoints.shape
    architecture = Architecture(
        joints_in, features, len(data.joints.parents), settings.filter_widths,
        causal=settings.causal, channels=settings.channels, dense=settings.dense,
    )  # fmt: skip
    pose = architecture.build(dropout=settings.dropout).to(device)
    path = architecture.build(num_joints_out=1, dropout=settings.dropout).to(device) if trajectory else None
    return PaperModels(architecture, pose, path)


def _loader(
    data: PaperData,
    views: Sequence[View],
    settings: Experiment,
    models: PaperModels,
    *,
    seed: int,
    device: torch.device,
) -> ChunkLoader:
    return ChunkLoader(
        views,
        chunks=settings.batch // settings.stride,
        length=settings.stride,
        before=models.pose.frames_before,
        after=models.pose.frames_after,
        keypoint_mirror=data.keypoints.mirror if settings.mirror else None,
        joint_mirror=data.joints.mirror if settings.mirror else None,
        seed=seed,
        device=device,
    )


def _unlabelled_part(
    data: PaperData, views: Sequence[View], settings: Experiment, models: PaperModels, *, device: torch.device
) -> _Unlabelled:
    if settings.reprojection and any(view.intrinsics is None for view in views):
        raise InputError(
            "Unlabelled views have cameras without focal length",
            hint="Semi-supervised training projects poses: give calibrated cameras, or --no-projection.",
        )
    loader = _loader(data, views, settings, models, seed=settings.seed + UNLABELLED_SEED, device=device)
    return _Unlabelled(loader.endless(), data.joints.bones, reprojection_map(data.joints, data.keypoints))


def _set_mode(models: PaperModels, settings: Experiment, *, training: bool, epoch: int) -> None:
    strided = training and settings.strided and settings.stride == 1 and not settings.dense
    momentum = batchnorm_momentum(
        epoch, settings.epochs, initial=settings.momentum, final=settings.final_momentum
    )
    for network in models.networks:
        network.train(training)
        network.strided = strided
        network.set_batchnorm_momentum(momentum)


def _epoch(
    models: PaperModels,
    loader: ChunkLoader,
    optimizer: torch.optim.Optimizer,
    settings: Experiment,
    extra: _Unlabelled | None,
) -> dict[str, float]:
    sums: dict[str, float] = {}
    frames = 0
    for batch in loader.epoch():
        more = next(extra.batches) if extra is not None else None
        parts = _losses(models, batch, more, extra, settings)
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        optimizer.step()
        frames += len(batch.keypoints)
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach()) * len(batch.keypoints)
    return {name: value / frames for name, value in sums.items()}


def _losses(
    models: PaperModels, batch: Batch, more: Batch | None, extra: _Unlabelled | None, settings: Experiment
) -> dict[str, torch.Tensor]:
    """Return the parts of the loss, each with weight 1.

    Labelled and unlabelled chunks go through the networks in one batch, so that BatchNorm sees both.
    """
    if batch.positions is None:
        raise ValueError("labelled views have no labels")
    count = len(batch.keypoints)
    keypoints = batch.keypoints if more is None else torch.cat([batch.keypoints, more.keypoints])
    poses = models.pose(keypoints)
    root, target = batch.positions[:, :, :1], batch.positions.clone()
    target[:, :, 0] = 0.0
    parts = {"pose": mpjpe(poses[:count], target)}
    if models.trajectory is None:
        return parts
    paths = models.trajectory(keypoints)
    parts["trajectory"] = weighted_mpjpe(paths[:count], root, 1.0 / root[..., 2])
    if more is None or extra is None:
        return parts
    if settings.reprojection:
        parts["reprojection"] = _reprojection_loss(
            poses[count:] + paths[count:], more, extra.reprojection, models.pose.frames_before, settings
        )
    if settings.bone_lengths:
        parts["bones"] = bone_length_loss(poses[:count], poses[count:], extra.bones)
    return parts


def _reprojection_loss(
    poses: torch.Tensor, batch: Batch, matched: ReprojectionMap, frames_before: int, settings: Experiment
) -> torch.Tensor:
    """Compare projected poses (B, L, J, 3) with the 2D of the same frames.

    An output frame's own input frame lies ``frames_before`` into the window: in the middle of it, or at its
    end when causal.
    """
    if batch.intrinsics is None:
        raise ValueError("unlabelled views have no intrinsics")
    own = batch.keypoints[:, frames_before : frames_before + poses.shape[1]]
    projection = project_linear if settings.linear_projection else project
    return mpjpe(projection(poses[:, :, list(matched.joints)], batch.intrinsics), matched.targets(own))
