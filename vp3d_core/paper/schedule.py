# SPDX-License-Identifier: GPL-3.0-or-later
"""How learning rate and BatchNorm momentum fall, epoch by epoch. Source: Pavllo et al. 2019, sec. 5."""

from __future__ import annotations

__all__ = ["batchnorm_momentum", "learning_rate"]


def learning_rate(epoch: int, *, initial: float, decay: float) -> float:
    """Return the rate of an epoch, counted from 0."""
    return initial * decay**epoch


def batchnorm_momentum(epoch: int, epochs: int, *, initial: float = 0.1, final: float = 0.001) -> float:
    """Return the momentum after ``epoch`` of ``epochs`` epochs: exponential from initial to final."""
    return initial * (final / initial) ** (epoch / epochs)
