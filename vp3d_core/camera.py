# SPDX-License-Identifier: GPL-3.0-or-later
"""A pinhole camera with OpenCV's distortion.

Camera axes are OpenCV's: x right, y down, z forward. The world is Blender's: z up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .arrays import Array, check_finite, check_shape

__all__ = [
    "FULL_FRAME_DIAGONAL_MM",
    "Camera",
    "distort",
    "focal_px_from_fov",
    "focal_px_from_mm",
    "intrinsics_from_focal",
    "undistort",
]

UNDISTORT_ROUNDS = 10
LEAST_DETERMINANT = 0.01  # of the lens model's derivative, which is 1 in the middle and 0 where it folds over
FULL_FRAME_DIAGONAL_MM = 43.267  # of a 36 x 24 mm picture; phones state 35-mm equivalents on the diagonal


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """Intrinsics, lens distortion and place of a camera.

    Attributes:
        intrinsics: (3, 3) px.
        distortion: (5,) OpenCV's k1 k2 p1 p2 k3, or None.
        world_from_camera: (4, 4), or (T, 4, 4) for a moving camera; m.
    """

    intrinsics: Array
    distortion: Array | None = None
    world_from_camera: Array = field(default_factory=lambda: np.eye(4))

    def __post_init__(self) -> None:
        check_shape("intrinsics", self.intrinsics, (3, 3))
        check_finite("intrinsics", self.intrinsics)
        if self.distortion is not None:
            check_shape("distortion", self.distortion, (5,))
            check_finite("distortion", self.distortion)
        moving = self.world_from_camera.ndim == 3
        check_shape("world_from_camera", self.world_from_camera, ("T", 4, 4) if moving else (4, 4))
        check_finite("world_from_camera", self.world_from_camera)
        if not (self.intrinsics[0, 0] > 0 and self.intrinsics[1, 1] > 0):
            raise ValueError("focal lengths must be more than 0")

    def project_camera_points(self, points: Array) -> Array:
        """Project points (..., 3) m in camera axes to (..., 2) px; NaN at or behind the camera."""
        z = points[..., 2:]
        in_front = z > 1e-6
        rays = np.where(in_front, points[..., :2] / np.where(in_front, z, 1.0), np.nan)
        rays = distort(rays, self.distortion)
        return rays @ self.intrinsics[:2, :2].T + self.intrinsics[:2, 2]

    def project_world_points(self, points: Array) -> Array:
        """Project world points (T, ..., 3) m to (T, ..., 2) px; NaN behind the camera."""
        return self.project_camera_points(self.camera_points(points))

    def camera_points(self, points: Array) -> Array:
        """Return world points (T, ..., 3) m in camera axes."""
        rotation, centre = self.world_from_camera[..., :3, :3], self.world_from_camera[..., :3, 3]
        if rotation.ndim == 2:
            return (points - centre) @ rotation
        extra = (1,) * (points.ndim - 2)
        offsets = points - centre.reshape(len(centre), *extra, 3)
        return np.einsum("t...j,tji->t...i", offsets, rotation)

    def rays(self, xy: Array) -> Array:
        """Return undistorted image-plane coordinates (..., 2), x/z and y/z, of pixels (..., 2)."""
        offsets = np.asarray(xy, dtype=np.float64) - self.intrinsics[:2, 2]
        return undistort(offsets @ np.linalg.inv(self.intrinsics[:2, :2]).T, self.distortion)


def distort(rays: Array, distortion: Array | None) -> Array:
    """Apply OpenCV's k1 k2 p1 p2 k3 to image-plane coordinates (..., 2)."""
    if distortion is None:
        return rays
    k1, k2, p1, p2, k3 = distortion
    x, y = rays[..., 0], rays[..., 1]
    r2 = x * x + y * y
    radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ],
        axis=-1,
    )


def undistort(rays: Array, distortion: Array | None) -> Array:
    """Invert ``distort`` by Newton's method (10 rounds).

    Exact to 1e-6 wherever the lens model can be inverted; strong barrel distortion cannot far outside the
    picture, and the result is the nearest that was found there.
    """
    if distortion is None:
        return rays
    result = rays
    for _ in range(UNDISTORT_ROUNDS):
        result = result + _newton_step(result, rays - distort(result, distortion), distortion)
    return result


def _newton_step(rays: Array, missing: Array, distortion: Array) -> Array:
    """Return, to first order, how far to move ``rays`` (..., 2) for ``distort`` to move by ``missing``."""
    k1, k2, p1, p2, k3 = distortion
    x, y = rays[..., 0], rays[..., 1]
    r2 = x * x + y * y
    radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = 2.0 * (k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3))  # of radial, over x and y
    xx = radial + slope * x * x + 2 * p1 * y + 6 * p2 * x
    yy = radial + slope * y * y + 6 * p1 * y + 2 * p2 * x
    xy = slope * x * y + 2 * p1 * x + 2 * p2 * y
    determinant = np.maximum(xx * yy - xy * xy, LEAST_DETERMINANT)
    u, v = missing[..., 0], missing[..., 1]
    return np.stack([yy * u - xy * v, xx * v - xy * u], axis=-1) / determinant[..., None]


def focal_px_from_fov(fov_deg: float, *, width: int) -> float:
    """Return the focal length in px of a horizontal field of view in degrees."""
    return width / 2.0 / float(np.tan(np.radians(fov_deg) / 2.0))


def focal_px_from_mm(focal_mm: float, *, image_size: tuple[int, int]) -> float:
    """Return the focal length in px of a 35-mm equivalent, taken on the diagonal."""
    return focal_mm * float(np.hypot(*image_size)) / FULL_FRAME_DIAGONAL_MM


def intrinsics_from_focal(focal_px: float, *, image_size: tuple[int, int]) -> Array:
    """Return (3, 3) intrinsics with square pixels and the centre of the picture as principal point."""
    width, height = image_size
    return np.array(
        [[focal_px, 0.0, (width - 1) / 2.0], [0.0, focal_px, (height - 1) / 2.0], [0.0, 0.0, 1.0]]
    )
