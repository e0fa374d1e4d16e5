# SPDX-License-Identifier: GPL-3.0-or-later
"""Screen units, and the projection that Human3.6M's cameras are calibrated with. Tensors.

Intrinsics are nine numbers a camera: focal length (2), principal point (2), radial distortion (3), tangential
distortion (2), the first four in screen units. This is not OpenCV's model: the tangential term lacks a factor
2, and the first tangential coefficient belongs to x.
"""

from __future__ import annotations

import numpy as np
import torch

from ..arrays import Array

__all__ = ["mirror_intrinsics", "pixels_from_screen", "project", "project_linear", "screen_from_pixels"]

INTRINSICS = 9
# Rays further off the axis are held at 45 degrees: the radial polynomial is not valid there.
MAX_RAY = 1.0


def screen_from_pixels(xy: Array, *, width: int, height: int) -> Array:
    """Return px (..., 2) as screen units: x from -1 to 1, y from -height/width to height/width."""
    return xy / width * 2.0 - np.array([1.0, height / width], dtype=xy.dtype)


def pixels_from_screen(xy: Array, *, width: int, height: int) -> Array:
    """Return screen units (..., 2) as px."""
    return (xy + np.array([1.0, height / width], dtype=xy.dtype)) * width / 2.0


def _rays(points: torch.Tensor) -> torch.Tensor:
    return (points[..., :2] / points[..., 2:]).clamp(-MAX_RAY, MAX_RAY)


def project(points: torch.Tensor, intrinsics: torch.Tensor) -> torch.Tensor:
    """Project with distortion.

    Args:
        points: (B, T, J, 3) m, camera axes, in front of it.
        intrinsics: (B, 9).

    Returns:
        (B, T, J, 2) screen units.
    """
    focal, centre, radial, tangential = intrinsics[:, None, None].split([2, 2, 3, 2], dim=-1)
    rays = _rays(points)
    square = (rays**2).sum(-1, keepdim=True)
    powers = torch.cat([square, square**2, square**3], dim=-1)
    scale = 1.0 + (radial * powers).sum(-1, keepdim=True) + (tangential * rays).sum(-1, keepdim=True)
    return focal * (rays * scale + tangential * square) + centre


def project_linear(points: torch.Tensor, intrinsics: torch.Tensor) -> torch.Tensor:
    """Project without distortion; as ``project`` else."""
    focal, centre = intrinsics[:, None, None, :4].split([2, 2], dim=-1)
    return focal * _rays(points) + centre


def mirror_intrinsics(intrinsics: torch.Tensor) -> torch.Tensor:
    """Return the intrinsics (..., 9) behind a mirror: centre and tangential coefficient of x negated."""
    signs = intrinsics.new_ones(INTRINSICS)
    signs[2] = signs[7] = -1.0
    return intrinsics * signs
