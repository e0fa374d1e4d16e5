# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of an experiment, one object for command line, training and the files' headers."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Experiment"]


@dataclass(frozen=True, slots=True)
class Experiment:
    """Settings of a training run; the defaults are the paper's for Human3.6M.

    Attributes:
        filter_widths: Odd widths; their product is the receptive field in frames.
        channels: Width of the hidden layers.
        dropout: Probability.
        causal: Whether an output sees only its own and earlier frames.
        dense: Undilated kernels of the same receptive field.
        strided: Train single output frames with strides in place of dilations (same weights, less work).
        epochs: Passes over the labelled chunks.
        batch: Output frames a step.
        stride: Output frames of a chunk.
        learning_rate, decay: First rate, and its factor an epoch.
        momentum, final_momentum: Of BatchNorm, first and last epoch.
        mirror: Whether training sees mirrored copies.
        seed: Of weights, dropout and order.
        trajectory: Train the trajectory model too. Semi-supervised training does in any case.
        warmup: Epochs with labels only, before the unlabelled data come in.
        reprojection: Compare unlabelled projections with their 2D.
        bone_lengths: Compare bone lengths of labelled and unlabelled people.
        linear_projection: Leave lens distortion out.
    """

    filter_widths: tuple[int, ...] = (3, 3, 3, 3, 3)
    channels: int = 1024
    dropout: float = 0.25
    causal: bool = False
    dense: bool = False
    strided: bool = True
    epochs: int = 60
    batch: int = 1024
    stride: int = 1
    learning_rate: float = 1e-3
    decay: float = 0.95
    momentum: float = 0.1
    final_momentum: float = 0.001
    mirror: bool = True
    seed: int = 1234
    trajectory: bool = False
    warmup: int = 1
    reprojection: bool = True
    bone_lengths: bool = True
    linear_projection: bool = False

    def __post_init__(self) -> None:
        if not self.filter_widths or any(width < 1 or width % 2 == 0 for width in self.filter_widths):
            raise ValueError(f"filter widths must be odd and positive, got {self.filter_widths}")
        if min(self.epochs, self.batch, self.stride, self.channels) < 1 or self.warmup < 0:
            raise ValueError("epochs, batch, stride and channels must be positive")
        if self.stride > self.batch:
            raise ValueError(f"a batch of {self.batch} frames has no room for chunks of {self.stride}")
