# SPDX-License-Identifier: GPL-3.0-or-later
"""Random cameras for training, as phones, webcams and film cameras are held.

Source of the ranges: the training cameras of WHAM (Shin et al. 2024), GVHMR (Shen et al. 2024) and PoseDA
(Chai et al. 2023): pitch N(7, 18) deg, 35-mm equivalents of 13 to 120 mm, a person of 17 to 105 % of the
picture's height, 70 % static.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..camera import FULL_FRAME_DIAGONAL_MM

__all__ = ["MIN_DEPTH_M", "CameraView", "random_views", "smooth_noise", "world_to_camera"]

_FOCAL_MM = (24.0, 26.0, 26.0, 28.0, 30.0, 35.0, 40.0, 50.0, 60.0, 70.0, 14.0, 110.0)
_ASPECTS = (4 / 3, 3 / 4, 16 / 9, 16 / 9, 9 / 16, 1.0)
MIN_DEPTH_M = 0.35
BELOW_FLOOR_SHARE = 0.7  # of cameras that look up from below the floor and stay there, as before a stage


@dataclass(frozen=True, slots=True, eq=False)
class CameraView:
    """A batch of cameras.

    Attributes:
        camera_from_world: (B, T, 3, 3) rotations.
        translation: (B, T, 3) m, camera axes: X_camera = R X_world + t.
        half_size: (B, 2) half of the picture's width and height over the focal length.
    """

    camera_from_world: torch.Tensor
    translation: torch.Tensor
    half_size: torch.Tensor

    def points(self, world: torch.Tensor) -> torch.Tensor:
        """World points (B, T, K, 3) in camera axes."""
        turned = torch.einsum("btij,btkj->btki", self.camera_from_world, world)
        return turned + self.translation[:, :, None]


def _uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator, device=generator.device)


def _choice(values: tuple[float, ...], count: int, generator: torch.Generator) -> torch.Tensor:
    index = torch.randint(len(values), (count,), generator=generator, device=generator.device)
    return torch.tensor(values, device=generator.device)[index]


def _axis_rotation(angle: torch.Tensor, axis: int) -> torch.Tensor:
    cos, sin = angle.cos(), angle.sin()
    one, zero = torch.ones_like(angle), torch.zeros_like(angle)
    rows = {
        0: (one, zero, zero, zero, cos, -sin, zero, sin, cos),
        1: (cos, zero, sin, zero, one, zero, -sin, zero, cos),
        2: (cos, -sin, zero, sin, cos, zero, zero, zero, one),
    }[axis]
    return torch.stack(rows, dim=-1).reshape(*angle.shape, 3, 3)


def smooth_noise(
    batch: int, frames: int, channels: int, step: int, generator: torch.Generator
) -> torch.Tensor:
    """Unit noise (B, T, C) with a new value every ``step`` frames, linear in between."""
    keys = torch.randn(batch, channels, frames // step + 3, generator=generator, device=generator.device)
    start = torch.rand(batch, 1, generator=generator, device=generator.device)
    position = torch.arange(frames, device=generator.device)[None] / step + start
    low = position.long()
    part = (position - low)[:, None]
    a = keys.gather(2, low[:, None].expand(-1, channels, -1))
    b = keys.gather(2, (low + 1)[:, None].expand(-1, channels, -1))
    return (a * (1 - part) + b * part).transpose(1, 2)


def random_views(joints: torch.Tensor, generator: torch.Generator) -> CameraView:
    """Draw a camera for each clip of joints (B, T, 25, 3) m, world z up."""
    batch, frames = joints.shape[:2]
    diagonal = torch.full((batch,), FULL_FRAME_DIAGONAL_MM, device=joints.device)
    aspect = _choice(_ASPECTS, batch, generator)
    height_mm = diagonal / (1 + aspect**2).sqrt()
    focal = _choice(_FOCAL_MM, batch, generator) * _uniform((batch,), 0.92, 1.08, generator)
    half = torch.stack([height_mm * aspect, height_mm], dim=-1) / 2 / focal[:, None]
    fraction = torch.exp(_uniform((batch,), -1.75, 0.05, generator))  # 17 % to 105 % of the picture's height
    distance = (1.75 / (2 * half[:, 1] * fraction)).clamp(1.3, 30.0)
    spread = ((joints[:, :, 0] - joints[:, :, 0].mean(1, keepdim=True)).norm(dim=-1)).amax(1)
    distance = torch.maximum(distance, 0.6 * spread + 1.5)
    rotation, pitch = _orientation(batch, generator)
    across = _uniform((batch,), -0.7, 0.7, generator) * half[:, 0]
    down = _uniform((batch,), -1.0, 1.0, generator) * (half[:, 1] * (1.02 - fraction).clamp(0.08, 0.7))
    middle = joints[:, :, 0].mean(1)
    place = torch.stack([across, down, torch.ones_like(across)], dim=-1) * distance[:, None]
    # Few cameras are below the floor that people stand on: let the others look down instead.
    height = middle[:, 2] - torch.einsum("bji,bj->bi", rotation, place)[:, 2]
    stage = torch.rand(batch, generator=generator, device=generator.device) < BELOW_FLOOR_SHARE
    below = (height < 0.1) & ~stage
    rotation = torch.where(below[:, None, None], _from_angles(rotation, pitch), rotation)
    rotation = rotation[:, None] @ torch.eye(3, device=joints.device)
    rotation = _shake(rotation, frames, generator) @ rotation
    translation = place[:, None] - torch.einsum("btij,bj->bti", rotation, middle)
    nearest = (torch.einsum("btij,btkj->btki", rotation, joints) + translation[:, :, None])[..., 2].amin(
        (1, 2)
    )
    push = (MIN_DEPTH_M - nearest).clamp_min(0.0)
    translation = translation + push[:, None, None] * torch.tensor([0.0, 0.0, 1.0], device=joints.device)
    return CameraView(rotation, translation, half)


def _orientation(batch: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Camera-from-world rotations (B, 3, 3), and the pitch drawn (positive looks down)."""
    device = generator.device
    pitch = (7.0 + 18.0 * torch.randn(batch, generator=generator, device=device)).clamp(-35, 70)
    draw = torch.rand(batch, generator=generator, device=device)
    pitch = torch.where(draw < 0.05, _uniform((batch,), 40, 85, generator), pitch)
    pitch = torch.where(draw > 0.90, _uniform((batch,), -50, -5, generator), pitch)
    wide = torch.rand(batch, generator=generator, device=device) < 0.25
    roll = torch.randn(batch, generator=generator, device=device) * torch.where(wide, 14.0, 3.0)
    yaw = _uniform((batch,), -180, 180, generator)
    return world_to_camera(yaw, pitch, roll), torch.stack([yaw, pitch, roll], dim=-1)


def world_to_camera(yaw_deg: torch.Tensor, pitch_deg: torch.Tensor, roll_deg: torch.Tensor) -> torch.Tensor:
    """Return camera-from-world rotations (B, 3, 3) for a world with z up; positive pitch looks down."""
    radians = torch.pi / 180
    # World z up to camera y down, looking along world y.
    base = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], device=yaw_deg.device)
    turn = _axis_rotation(yaw_deg * radians, 2)
    return _axis_rotation(roll_deg * radians, 2) @ _axis_rotation(pitch_deg * radians, 0) @ base @ turn


def _from_angles(rotation: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    return world_to_camera(angles[:, 0], angles[:, 1].abs() + 3.0, angles[:, 2]).to(rotation.dtype)


def _shake(rotation: torch.Tensor, frames: int, generator: torch.Generator) -> torch.Tensor:
    """Small rotations (B, T, 3, 3) of a camera held by hand; most stand still."""
    batch = len(rotation)
    moving = torch.rand(batch, 1, 1, generator=generator, device=generator.device) < 0.3
    degrees = torch.where(moving, 1.5, 0.0) * smooth_noise(batch, frames, 3, 25, generator)
    angles = degrees * torch.pi / 180
    return (
        _axis_rotation(angles[..., 0], 0)
        @ _axis_rotation(angles[..., 1], 1)
        @ _axis_rotation(angles[..., 2], 2)
    )
