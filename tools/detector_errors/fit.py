# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit the network of ``vp3d_core.train.detector_errors`` to measured errors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from vp3d_core.train.detector_errors import BlazePoseErrors

from .measured import Measured, both_ways

__all__ = ["explained", "fit", "joined"]

EPOCHS, BATCH = 40, 512
RATE, WEIGHT_DECAY, DROPOUT = 2e-3, 1e-2, 0.2
POSE_NOISE = 0.1  # of the inputs, in their standard deviations: there are few different poses
SCALE = 40.0  # brings errors to about 1
LEAST_SPREAD = 1e-3


def joined(clips: Sequence[Measured]) -> Measured:
    """Return the frames of all clips."""
    return Measured(torch.cat([one.poses for one in clips]), torch.cat([one.errors for one in clips]))


def fit(clips: Sequence[Measured], *, seed: int = 0) -> BlazePoseErrors:
    """Fit to clips, each seen both ways."""
    torch.manual_seed(seed)
    data = both_ways(joined(clips))
    network = BlazePoseErrors(dropout=DROPOUT)
    network.mean.copy_(data.poses.mean(0))
    network.spread.copy_(data.poses.std(0) + LEAST_SPREAD)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY)
    steps = EPOCHS * len(data.poses) // BATCH
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.5 * RATE * (1.0 + math.cos(math.pi * step / steps))
        rows = torch.randint(len(data.poses), (BATCH,))
        poses = data.poses[rows]
        poses = poses + POSE_NOISE * network.spread * torch.randn_like(poses)
        loss = torch.nn.functional.smooth_l1_loss(SCALE * network(poses), SCALE * data.errors[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval().requires_grad_(False)


def explained(network: BlazePoseErrors, measured: Measured) -> float:
    """Return the share of the squared errors that the network explains."""
    left = measured.errors - network(measured.poses)
    return float(1.0 - left.square().sum() / measured.errors.square().sum())
