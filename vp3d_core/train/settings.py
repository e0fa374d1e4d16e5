# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a training run of the lifter."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

__all__ = ["TrainSettings"]


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
    workers: int = 1

    def on_gpu(self) -> TrainSettings:
        """Return the settings with batches that keep a GPU busy, and what suits a wide network on them."""
        return dataclasses.replace(
            self, batch=1024, every=8, outputs=80, pool=16_384, pairs=1024, singles=2048,
            dropout=0.1, average=0.9995,
        )  # fmt: skip
