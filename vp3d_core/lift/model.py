# SPDX-License-Identifier: GPL-3.0-or-later
"""The dilated temporal convolutional network, and the lifter built on it. Only nn.Module; no files.

Source: Pavllo et al., CVPR 2019, sec. 3 and fig. 2. Widths w_0 … w_n (odd); every convolution is "valid", so
that T frames in give T - receptive_field + 1 frames out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

__all__ = ["LifterModel", "TemporalConvolutions", "TemporalModel", "count_parameters", "receptive_field"]


def receptive_field(filter_widths: Sequence[int]) -> int:
    """Return the number of input frames behind one output frame: the product of the widths."""
    return math.prod(filter_widths)


def count_parameters(model: nn.Module) -> int:
    """Return the number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters())


class TemporalConvolutions(nn.Module):
    """Everything up to the last layer: (B, in_channels, T) to (B, channels, T').

    ``strided`` gives the twin for training on single frames: the same parameters, strides in place of
    dilations; it needs inputs of exactly the receptive field. ``dense`` fills the dilated kernels (the
    paper's ablation); it has more parameters.

    Args:
        in_channels: Values a frame.
        filter_widths: Odd widths, the first for the expanding layer, one a residual block after it.
        causal: Whether an output sees only its own and earlier frames.
        dropout: Probability.
        channels: Width of all hidden layers.
        dense: Undilated kernels of the same receptive field.
        strided: The training twin.
    """

    def __init__(
        self,
        in_channels: int,
        filter_widths: Sequence[int],
        *,
        causal: bool = False,
        dropout: float = 0.25,
        channels: int = 1024,
        dense: bool = False,
        strided: bool = False,
    ) -> None:
        super().__init__()
        if not filter_widths or any(width % 2 == 0 or width < 1 for width in filter_widths):
            raise ValueError(f"filter widths must be odd and positive, got {list(filter_widths)}")
        if dense and strided:
            raise ValueError("a dense model has no strided twin")
        self.filter_widths = tuple(filter_widths)
        self.causal = causal
        self.strided = strided
        self.drop = nn.Dropout(dropout)
        self.relu = nn.ReLU(inplace=True)
        first = filter_widths[0]
        self.expand_conv = nn.Conv1d(in_channels, channels, first, bias=False)
        self.expand_bn: nn.Module = nn.BatchNorm1d(channels, momentum=0.1)
        convolutions: list[nn.Module] = []
        norms: list[nn.Module] = []
        dilation = first
        for width in filter_widths[1:]:
            pad = (width - 1) * dilation // 2
            if dense:
                temporal = nn.Conv1d(channels, channels, 2 * pad + 1, bias=False)
            else:
                temporal = nn.Conv1d(channels, channels, width, dilation=dilation, bias=False)
            convolutions += [temporal, nn.Conv1d(channels, channels, 1, bias=False)]
            norms += [nn.BatchNorm1d(channels, momentum=0.1), nn.BatchNorm1d(channels, momentum=0.1)]
            dilation *= width
        self.layers_conv = nn.ModuleList(convolutions)
        self.layers_bn = nn.ModuleList(norms)
        self.receptive_field = receptive_field(filter_widths)
        if dilation != self.receptive_field:
            raise AssertionError("receptive field and dilations disagree")

    @property
    def frames_before(self) -> int:
        """Frames of context an output needs before its own."""
        return self.receptive_field - 1 if self.causal else (self.receptive_field - 1) // 2

    @property
    def frames_after(self) -> int:
        """Frames of context an output needs after its own."""
        return 0 if self.causal else (self.receptive_field - 1) // 2

    def set_batchnorm_momentum(self, momentum: float) -> None:
        """Set the momentum of all BatchNorm layers (the schedule of the paper, sec. 5)."""
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.momentum = momentum

    def freeze_batchnorm(self) -> None:
        """Let all BatchNorm layers use the statistics they have, also in training; ``train`` undoes it."""
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.eval()

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Run all hidden layers on (B, in_channels, T)."""
        if x.shape[-1] < self.receptive_field:
            raise ValueError(f"{x.shape[-1]} steps given, the receptive field is {self.receptive_field}")
        if self.strided:
            return self.strided_features(x.transpose(1, 2))[:, :, None]
        x = self.drop(self.relu(self.expand_bn(self.expand_conv(x))))
        dilation = self.filter_widths[0]
        for block, width in enumerate(self.filter_widths[1:]):
            residual = self._residual(x, width, dilation)
            x = self._layer(x, 2 * block)
            x = residual + self._layer(x, 2 * block + 1)
            dilation *= width
        return x

    def strided_features(self, x: torch.Tensor) -> torch.Tensor:
        """Run all hidden layers on single windows (B, receptive_field, in_channels): (B, channels).

        The same numbers as ``features`` for one output frame, without the frames in between. Written as
        matrix products on folded frames, because strided convolutions are slow on the CPU.
        """
        if x.shape[1] != self.receptive_field:
            raise ValueError(
                f"the strided twin takes exactly {self.receptive_field} frames, got {x.shape[1]}"
            )
        x = self._folded(x, self.expand_conv, self.expand_bn)
        for block, width in enumerate(self.filter_widths[1:]):
            residual = x[:, (width - 1 if self.causal else width // 2) :: width]
            x = self._folded(x, self._convolution(2 * block), self.layers_bn[2 * block])
            x = residual + self._folded(x, self._convolution(2 * block + 1), self.layers_bn[2 * block + 1])
        return x[:, 0]

    def _folded(self, x: torch.Tensor, convolution: nn.Conv1d, norm: nn.Module) -> torch.Tensor:
        """Apply a convolution whose stride is its width to (B, T, C), with norm, ReLU and dropout."""
        out_channels, _, width = convolution.weight.shape
        weight = convolution.weight.transpose(1, 2).reshape(out_channels, -1)
        frames = x.shape[1] // width
        y = nn.functional.linear(x.reshape(len(x) * frames, -1), weight)
        return self.drop(self.relu(norm(y))).reshape(len(x), frames, out_channels)

    def _convolution(self, index: int) -> nn.Conv1d:
        return cast(nn.Conv1d, self.layers_conv[index])

    def _layer(self, x: torch.Tensor, index: int) -> torch.Tensor:
        return self.drop(self.relu(self.layers_bn[index](self.layers_conv[index](x))))

    def _residual(self, x: torch.Tensor, width: int, dilation: int) -> torch.Tensor:
        """Cut the tap that a block's output lies on: the middle one, or the last when causal."""
        pad = (width - 1) * dilation // 2
        shift = (width // 2) * dilation if self.causal else 0
        return x[:, :, pad + shift : x.shape[-1] - pad + shift]


class TemporalModel(TemporalConvolutions):
    """The network of the paper: (B, T, J_in, F) to (B, T', J_out, 3).

    Args:
        num_joints_in: Keypoints a frame.
        in_features: Values a keypoint: 2, or 3 with a score.
        num_joints_out: Joints a frame; 1 for the trajectory model.
        filter_widths, causal, dropout, channels, dense, strided: See TemporalConvolutions.
    """

    def __init__(
        self,
        num_joints_in: int,
        in_features: int,
        num_joints_out: int,
        filter_widths: Sequence[int],
        *,
        causal: bool = False,
        dropout: float = 0.25,
        channels: int = 1024,
        dense: bool = False,
        strided: bool = False,
    ) -> None:
        super().__init__(
            num_joints_in * in_features,
            filter_widths,
            causal=causal,
            dropout=dropout,
            channels=channels,
            dense=dense,
            strided=strided,
        )
        self.num_joints_in = num_joints_in
        self.in_features = in_features
        self.num_joints_out = num_joints_out
        self.shrink = nn.Conv1d(channels, 3 * num_joints_out, 1)

    def forward(self, keypoints: torch.Tensor) -> torch.Tensor:
        """Lift (B, T, J_in, F) to (B, T', J_out, 3)."""
        batch, frames, joints, values = keypoints.shape
        if (joints, values) != (self.num_joints_in, self.in_features):
            raise ValueError(
                f"got {joints} x {values} values, expected {self.num_joints_in} x {self.in_features}"
            )
        x = self.features(keypoints.reshape(batch, frames, -1).transpose(1, 2))
        return self.shrink(x).transpose(1, 2).reshape(batch, -1, self.num_joints_out, 3)


class LifterModel(TemporalConvolutions):
    """VP3D's lifter: the same network on the features of ``normalise.py``, with four heads.

    A step of the network may hold several neighbouring frames, stacked into one input and all lifted by its
    output: the same work then buys a wider network that sees a longer time. One frame a step is the paper's.

    Args:
        in_channels: Values a frame (``normalise.FEATURES``).
        num_joints_out: J.
        filter_widths, causal, dropout, channels: See TemporalConvolutions; widths count steps.
        stack: Frames a step.
    """

    def __init__(
        self,
        in_channels: int,
        num_joints_out: int,
        filter_widths: Sequence[int],
        *,
        causal: bool = False,
        dropout: float = 0.1,
        channels: int = 384,
        stack: int = 1,
    ) -> None:
        super().__init__(
            stack * in_channels, filter_widths, causal=causal, dropout=dropout, channels=channels
        )
        self.in_channels = in_channels
        self.channels = channels
        self.num_joints_out = num_joints_out
        self.stack = stack
        # For each frame: joints (3 J), log of the standard error (J), contact logits (4), up (3).
        self.shrink = nn.Conv1d(channels, stack * (4 * num_joints_out + 7), 1)

    @property
    def window(self) -> int:
        """Frames behind the outputs of one step."""
        return self.stack * self.receptive_field

    @property
    def frames_before(self) -> int:
        """Frames of context a step needs before its first frame."""
        return self.stack * super().frames_before

    @property
    def frames_after(self) -> int:
        """Frames of context a step needs after its last frame."""
        return self.stack * super().frames_after

    def forward(self, features: torch.Tensor) -> dict[str, torch.Tensor]:
        """Lift (B, T, in_channels) features; T is a multiple of ``stack``.

        Returns:
            joints (B, T', J, 3) m, virtual camera axes; log_sigma (B, T', J); contact_logits (B, T', 4);
            up (B, T', 3), not normalised. T' = T - window + stack.
        """
        return self._heads(self.shrink(self.features(self._steps(features).transpose(1, 2))).transpose(1, 2))

    def forward_windows(self, windows: torch.Tensor) -> dict[str, torch.Tensor]:
        """Lift single windows (B, window, in_channels), for training: as ``forward`` with T' = stack."""
        y = self.shrink(self.strided_features(self._steps(windows))[:, :, None])
        return self._heads(y.transpose(1, 2))

    def _steps(self, features: torch.Tensor) -> torch.Tensor:
        """Stack frames: (B, T, C) to (B, T / stack, stack * C)."""
        batch, frames, channels = features.shape
        if frames % self.stack:
            raise ValueError(f"{frames} frames given, expected a multiple of {self.stack}")
        return features.reshape(batch, frames // self.stack, self.stack * channels)

    def _heads(self, y: torch.Tensor) -> dict[str, torch.Tensor]:
        y = y.reshape(y.shape[0], y.shape[1] * self.stack, -1)
        joints, log_sigma, contact_logits, up = y.split(
            [3 * self.num_joints_out, self.num_joints_out, 4, 3], dim=-1
        )
        return {
            "joints": joints.reshape(*joints.shape[:2], self.num_joints_out, 3),
            "log_sigma": log_sigma,
            "contact_logits": contact_logits,
            "up": up,
        }
