# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses of the paper. Tensors (B, L, J, 3) in metres.

Source: Pavllo et al. 2019, sec. 4 (semi-supervised) and eq. 1 (weighted MPJPE).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

__all__ = ["bone_length_loss", "mpjpe", "weighted_mpjpe"]


def mpjpe(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean distance of points (..., 2 or 3)."""
    return (predicted - target).norm(dim=-1).mean()


def weighted_mpjpe(predicted: torch.Tensor, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mean of weights (...) times the distance; for trajectories the weight is 1 / depth.

    Far away a person is seen less exactly, and an error of the path matters less.
    """
    return (weights * (predicted - target).norm(dim=-1)).mean()


def bone_length_loss(
    labelled: torch.Tensor, unlabelled: torch.Tensor, bones: Sequence[tuple[int, int]]
) -> torch.Tensor:
    """Mean, over bones, of the difference between both batches' mean lengths."""
    joints, parents = [joint for joint, _ in bones], [parent for _, parent in bones]

    def mean_lengths(poses: torch.Tensor) -> torch.Tensor:
        return (poses[..., joints, :] - poses[..., parents, :]).norm(dim=-1).flatten(0, -2).mean(0)

    return (mean_lengths(labelled) - mean_lengths(unlabelled)).abs().mean()
