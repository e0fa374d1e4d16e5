# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the camera is in every frame. numpy only, no bpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vp3d_core.camera import Camera, focal_px_from_mm, intrinsics_from_focal
from vp3d_core.filters import gaussian_smooth
from vp3d_core.rotations import normalize

if TYPE_CHECKING:
    from vp3d_core.arrays import Array

    from .scene import CameraDescription

__all__ = ["camera_track"]

NEAREST_M, FARTHEST_M = 1.5, 40.0
MARGIN = 0.07  # of the picture's width and height stays free around the bodies
SWAY_M, SWAY_RAD = 0.015, np.radians(0.6)  # of a camera in the hand
SWAY_PERIODS_S = ((1.2, 1.0), (0.25, 0.15))  # period and size: breathing, and trembling
FOLLOWING_S = 0.5  # how slowly a hand follows a person


def camera_track(
    camera: CameraDescription,
    points: Array,
    *,
    image_size: tuple[int, int],
    frame_rate_hz: float,
    seed: int,
) -> Camera:
    """Return the camera with one place a frame.

    Args:
        camera: How it is filmed.
        points: (T, N, 3) m, world; what the picture should hold. The first point is followed.
        image_size: (width, height) px.
        frame_rate_hz: Of the video.
        seed: Of the hand's sway.
    """
    intrinsics = intrinsics_from_focal(
        focal_px_from_mm(camera.focal_mm, image_size=image_size), image_size=image_size
    )
    rng = np.random.default_rng(seed)
    sway = _sway(rng, len(points), frame_rate_hz) * camera.handheld
    distances = [camera.distance_m]
    if camera.distance_m is None:
        count = int(np.log(FARTHEST_M / NEAREST_M) / np.log(1.03))
        distances = list(NEAREST_M * 1.03 ** np.arange(count))
    track = None
    for distance in distances:
        places = _places(camera, points, float(distance or 0.0), frame_rate_hz, sway)
        track = Camera(intrinsics, None, places)
        if _holds(track, points, image_size):
            break
    assert track is not None
    return track


def _holds(camera: Camera, points: Array, image_size: tuple[int, int]) -> bool:
    size = np.array(image_size)
    places = camera.project_world_points(points) / size
    return bool(((places > MARGIN) & (places < 1.0 - MARGIN)).all())


def _places(
    camera: CameraDescription, points: Array, distance_m: float, rate_hz: float, sway: Array
) -> Array:
    """Return world_from_camera (T, 4, 4) at a distance from the origin."""
    azimuth = np.radians(camera.azimuth_deg)
    away = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
    right = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    centres = np.tile(away * distance_m + [0.0, 0.0, camera.height_m], (len(points), 1))
    middle = (points.min(axis=(0, 1)) + points.max(axis=(0, 1))) / 2
    targets = np.tile(middle, (len(points), 1))
    if camera.path == "follow":
        targets[:, :2] = _followed(points[:, 0, :2], FOLLOWING_S * rate_hz)
    elif camera.path == "dolly":
        along = np.linspace(-0.5, 0.5, len(points)) * camera.dolly_m
        centres += along[:, None] * right
    directions = normalize(targets - centres)
    if camera.pitch_deg is not None:
        pitch = np.radians(camera.pitch_deg)
        flat = normalize(directions * [1.0, 1.0, 0.0])
        directions = flat * np.cos(pitch) + np.array([0.0, 0.0, np.sin(pitch)])
    places = np.tile(np.eye(4), (len(points), 1, 1))
    places[:, :3, :3] = _looking(directions) @ _small_turns(sway[:, 3:], np.radians(camera.roll_deg))
    places[:, :3, 3] = centres + sway[:, :3]
    return places


def _followed(path: Array, sigma_frames: float) -> Array:
    """Smooth a path (T, 2) that is continued beyond its ends as it came and went."""
    before, after = 2 * path[0] - path[:0:-1], 2 * path[-1] - path[-2::-1]
    return gaussian_smooth(np.concatenate([before, path, after]), sigma_frames)[len(before) :][: len(path)]


def _looking(directions: Array) -> Array:
    """Return world_from_camera rotations (T, 3, 3) of level cameras that look along (T, 3)."""
    x = normalize(np.cross(directions, np.array([0.0, 0.0, 1.0])))
    return np.stack([x, np.cross(directions, x), directions], axis=-1)


def _small_turns(angles: Array, roll_rad: float) -> Array:
    """Return rotations (T, 3, 3) about the camera's axes by (T, 3) rad, with a roll that is the same in all.

    A camera that rolls counter-clockwise shows its picture turned clockwise.
    """
    x, y, z = angles[:, 0], angles[:, 1], angles[:, 2] - roll_rad
    one, zero = np.ones_like(x), np.zeros_like(x)
    about_x = _matrices([[one, zero, zero], [zero, np.cos(x), -np.sin(x)], [zero, np.sin(x), np.cos(x)]])
    about_y = _matrices([[np.cos(y), zero, np.sin(y)], [zero, one, zero], [-np.sin(y), zero, np.cos(y)]])
    about_z = _matrices([[np.cos(z), -np.sin(z), zero], [np.sin(z), np.cos(z), zero], [zero, zero, one]])
    return about_y @ about_x @ about_z


def _matrices(rows: list[list[Array]]) -> Array:
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _sway(rng: np.random.Generator, count: int, rate_hz: float) -> Array:
    """Return (T, 6) of a hand's sway: metres along the world's axes, radians about the camera's."""
    total = np.zeros((count, 6))
    for period_s, size in SWAY_PERIODS_S:
        wide = max(period_s * rate_hz / 4.0, 0.5)
        padding = int(4 * wide) + 1
        noise = gaussian_smooth(rng.standard_normal((count + 2 * padding, 6)), wide)
        total += size * (noise / noise.std(axis=0))[padding : padding + count]
    return total * np.array([SWAY_M] * 3 + [SWAY_RAD] * 3)
