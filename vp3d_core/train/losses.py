# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses of the lifter; tensors as in ``dataset.Batch``, cut to the network's output frames."""

from __future__ import annotations

import torch

from ..skeletons import JOINTS

__all__ = ["lifter_loss"]

VELOCITY_WEIGHT = 2.0
SIGMA_WEIGHT = 0.02
CONTACT_WEIGHT = 0.02
UP_WEIGHT = 0.05
BONE_WEIGHT = 0.3
_EDGES = JOINTS.edge_indices


def _mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of (B, T, ...) over the frames of a mask (B, T)."""
    weights = mask.reshape(*mask.shape, *(1,) * (values.ndim - 2)).to(values.dtype).expand_as(values)
    return (values * weights).sum() / weights.sum().clamp_min(1.0)


def lifter_loss(
    output: dict[str, torch.Tensor],
    joints: torch.Tensor,
    contacts: torch.Tensor,
    up: torch.Tensor,
    valid: torch.Tensor,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return the loss and its parts, detached; positions in mm.

    The position term is MPJPE (Pavllo et al. 2019, eq. 1's first half); velocity follows MotionBERT; the
    standard error learns |e| by a Laplace likelihood that does not pull at the joints.

    Args:
        output: Of ``LifterModel``.
        joints: (B, T, 25, 3) m.
        contacts: (B, T, 4), NaN where unknown.
        up: (B, T, 3).
        valid: (B, T).
    """
    predicted = output["joints"]
    error = (predicted - joints).norm(dim=-1)
    position = _mean(error, valid)
    pairs = valid[:, 1:] & valid[:, :-1]
    moves = predicted[:, 1:] - predicted[:, :-1]
    velocity = _mean((moves - (joints[:, 1:] - joints[:, :-1])).norm(dim=-1), pairs)
    log_sigma = output["log_sigma"].clamp(-7, 2)
    sigma = _mean(log_sigma + error.detach() / log_sigma.exp(), valid)
    known = ~contacts.isnan()
    labels = torch.where(known, contacts, 0.0)
    bce = torch.nn.functional.binary_cross_entropy_with_logits(
        output["contact_logits"], labels, reduction="none"
    )
    contact = _mean(bce * known, valid)
    direction = torch.nn.functional.normalize(output["up"], dim=-1)
    upright = _mean((direction - up).norm(dim=-1), valid)
    first, second = [a for a, _ in _EDGES], [b for _, b in _EDGES]
    lengths = (predicted[:, :, first] - predicted[:, :, second]).norm(dim=-1)
    true_lengths = (joints[:, :, first] - joints[:, :, second]).norm(dim=-1)
    bones = _mean((lengths - true_lengths).abs(), valid)
    total = (
        position
        + VELOCITY_WEIGHT * velocity
        + SIGMA_WEIGHT * sigma
        + CONTACT_WEIGHT * contact
        + UP_WEIGHT * upright
        + BONE_WEIGHT * bones
    )
    parts = {
        "mpjpe_mm": 1000 * position,
        "velocity": velocity,
        "sigma": sigma,
        "contact": contact,
        "up": upright,
        "bones": bones,
    }
    return total, {name: value.detach() for name, value in parts.items()}
