# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lifter is given: keypoints as a virtual camera would see them that looks at the person.

Per frame a virtual camera is turned (not rolled) towards the person's hips, and the picture is scaled to the
person's size; both are smoothed over time. What that removes (the direction of the person, and the log of
the size) is given beside it. So neither the focal length nor the place in the picture changes the input's
distribution. Torch, because training runs it on the GPU.

Source: the virtual camera of PCLs (Yu et al., ICCV 2021) and Ray3D (Zhan et al., CVPR 2022), simplified.
"""

from __future__ import annotations

import torch

from ..skeletons import SLOTS

__all__ = ["FEATURES", "LIFT_RATE_HZ", "mirror_features", "normalise"]

LIFT_RATE_HZ = 30.0
FEATURES = 3 * len(SLOTS.points) + 3
CENTRE_SIGMA_FRAMES = 4.0
SCALE_SIGMA_FRAMES = 10.0
TAIL_SIGMA_FRAMES = 30.0  # bridges gaps of a few seconds
TAIL_WEIGHT = 1e-3
LOG_SCALE_MEAN = -2.3  # of the size in radians, over the training cameras
_CENTRE_WEIGHTS = {
    "left_hip": 2.0,
    "right_hip": 2.0,
    "mid_hip": 2.0,
    "left_shoulder": 1.0,
    "right_shoulder": 1.0,
}
_SIZE_POINTS = tuple(
    f"{side}_{part}"
    for side in ("left", "right")
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)


def _slot_weights(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    centre = torch.full((len(SLOTS.points),), 0.02, device=device)
    for name, weight in _CENTRE_WEIGHTS.items():
        centre[SLOTS.index(name)] = weight
    size = torch.zeros(len(SLOTS.points), device=device)
    size[[SLOTS.index(name) for name in _SIZE_POINTS]] = 1.0
    return centre, size


def _smooth(values: torch.Tensor, sigma: float) -> torch.Tensor:
    """Smooth (B, T, C) over time with a Gaussian and its weak wide tail, zeros outside."""
    radius = min(int(3 * TAIL_SIGMA_FRAMES), values.shape[1])
    offsets = torch.arange(-radius, radius + 1, device=values.device, dtype=values.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel + TAIL_WEIGHT * torch.exp(-0.5 * (offsets / TAIL_SIGMA_FRAMES) ** 2)
    channels = values.shape[-1]
    weight = kernel.expand(channels, 1, -1)
    padded = torch.nn.functional.conv1d(values.transpose(1, 2), weight, padding=radius, groups=channels)
    return padded.transpose(1, 2)


def _weighted_mean(values: torch.Tensor, weights: torch.Tensor, sigma: float) -> torch.Tensor:
    """Smooth the per-frame sums (B, T, C) and (B, T, 1) and divide; the clip's mean where both vanish."""
    whole = values.sum(1, keepdim=True) / weights.sum(1, keepdim=True).clamp_min(1e-9)
    smooth_values, smooth_weights = _smooth(values, sigma), _smooth(weights, sigma)
    return (smooth_values + 1e-6 * whole) / (smooth_weights + 1e-6)


def normalise(rays: torch.Tensor, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn rays into the lifter's features.

    Args:
        rays: (B, T, 28, 2) image-plane coordinates x/z, y/z at ``LIFT_RATE_HZ``; anything where missing.
        scores: (B, T, 28) in [0, 1]; 0 where missing.

    Returns:
        features (B, T, FEATURES) and virtual_from_camera rotations (B, T, 3, 3).
    """
    centre_weights, size_weights = _slot_weights(rays.device)
    present = (scores > 0).to(rays.dtype)
    rays = torch.where(present[..., None] > 0, rays, 0.0).clamp(-10, 10)
    weights = present * scores.clamp(0.05, 1.0) * centre_weights
    centre = _weighted_mean(
        (weights[..., None] * rays).sum(-2), weights.sum(-1, keepdim=True), CENTRE_SIGMA_FRAMES
    )
    rotation = _look_at(centre)
    directions = torch.cat([rays, torch.ones_like(rays[..., :1])], dim=-1)
    turned = torch.einsum("btij,btkj->btki", rotation, directions)
    seen = turned[..., :2] / turned[..., 2:].clamp_min(0.05)
    weights = present * scores.clamp(0.05, 1.0) * size_weights
    size = _weighted_mean(
        (weights * (seen**2).sum(-1)).sum(-1, keepdim=True), weights.sum(-1, keepdim=True), SCALE_SIGMA_FRAMES
    )
    scale = size.clamp_min(1e-8).sqrt().clamp(1e-3, 3.0)
    seen = torch.where(present[..., None] > 0, (seen / scale[..., None]).clamp(-8, 8), 0.0)
    slots = torch.cat([seen, (present * scores)[..., None]], dim=-1).flatten(-2)
    return torch.cat([slots, centre, scale.log() - LOG_SCALE_MEAN], dim=-1), rotation


def _look_at(centre: torch.Tensor) -> torch.Tensor:
    """Rotations (B, T, 3, 3) that turn the direction (x, y, 1) onto z, first about y, then about x."""
    x, y = centre[..., 0], centre[..., 1]
    yaw, pitch = torch.atan2(x, torch.ones_like(x)), torch.atan2(y, torch.sqrt(1 + x * x))
    cos_y, sin_y, cos_p, sin_p = yaw.cos(), yaw.sin(), pitch.cos(), pitch.sin()
    zero = torch.zeros_like(x)
    rows = (
        torch.stack([cos_y, zero, -sin_y], dim=-1),
        torch.stack([-sin_p * sin_y, cos_p, -sin_p * cos_y], dim=-1),
        torch.stack([cos_p * sin_y, sin_p, cos_p * cos_y], dim=-1),
    )
    return torch.stack(rows, dim=-2)


def mirror_features(features: torch.Tensor) -> torch.Tensor:
    """Return the features (..., FEATURES) of the mirrored picture, left and right exchanged."""
    count = len(SLOTS.points)
    slots = features[..., : 3 * count].unflatten(-1, (count, 3))[..., list(SLOTS.mirror), :]
    flip = features.new_tensor([-1.0, 1.0, 1.0])
    return torch.cat([(slots * flip).flatten(-2), features[..., 3 * count :] * flip], dim=-1)
