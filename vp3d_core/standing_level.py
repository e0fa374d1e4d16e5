# SPDX-License-Identifier: GPL-3.0-or-later
"""At which height over the floor of ``ground.py`` people stand, and people set on it. numpy only."""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .filters import frame_step, gaussian_smooth
from .ground import CONTACT_HEIGHTS_M, FEET, floor_height, heights_along, lowest_body, sure_contacts
from .pose import Pose3D, Trajectory
from .time_blocks import time_blocks

__all__ = ["body_scales", "floor_drift", "follow_drift", "own_level", "standing_level", "to_world"]

MOVING_DRIFT_M = 0.15  # a floor that drifts by more belongs to a camera that moves
SMALLEST_SHARE = 0.45  # a small child's of a tall adult's height; who differs by more is on another level
LEAST_DEPTH_M = 0.3  # of feet below the camera; with less the tilt's error decides who seems tall
BODY_BELOW_M = 0.05  # below the floor: errors of the pose; who lies deeper for long is lifted
OTHER_LEVEL_M = 0.35  # who stands this much above or below the floor stands on something else
DRIFT_SD_S = 0.7  # of the kernel that follows a drift of the standing feet's height
GAP_SHARES = ((1.0, 1.0), (6.0, 1e-3), (60.0, 1e-6))  # width, weight: wide where narrow are silent
LAST_SHARE = 1e-8  # of the clip's mean, where even they are


def to_world(pose: Pose3D, trajectory: Trajectory, world_from_camera: Array) -> Array:
    """Return a person's joints in the world, a slow drift of the level under the feet taken out.

    A body that would then lie below the floor is lifted: of somebody who lies down feet say little.

    Args:
        pose: Root-relative joints (T, 25, 3) m, camera axes.
        trajectory: Root (T, 3) m, camera axes.
        world_from_camera: (4, 4).

    Returns:
        (T, 25, 3) m.
    """
    joints_world = np.empty_like(pose.joints)
    for block in time_blocks(len(joints_world), margin=0):
        joints_world[block.kept] = _placed(
            pose.joints[block.kept], trajectory.root[block.kept], world_from_camera
        )
    drift = floor_drift(joints_world, contacts=pose.contacts, times_s=pose.times_s)
    lowest = lowest_body(joints_world[..., 2], pose.sigma)
    joints_world[..., 2] -= _descent(drift, lowest=lowest, times_s=pose.times_s)[:, None]
    return joints_world


def body_scales(depths_m: Array, *, camera_height_m: float) -> tuple[Array, float]:
    """Return the factors on people's sizes and distances that put them on one floor, and its depth.

    Everybody is first taken to be of one height. Who is taller or shorter is then too near or too far along
    the camera's rays; the picture stays the same when size and distance grow together. On one floor sizes are
    as 1 / depth, and their mean is to stay 1.

    The floor is that of the most people whose sizes can be those of adults and children, of the lower ones if
    that is undecided. All others stand on something else and keep the factor 1. Somebody on a box of up to
    half the camera's height looks like an adult among children, and is taken for one: families are filmed
    more often than boxes.

    Args:
        depths_m: (N,) how far below the camera each person's feet stand.
        camera_height_m: What is returned where the camera is too near the floor to tell sizes.

    Returns:
        Factors (N,), and the height in m of the camera above the floor.
    """
    told = depths_m >= LEAST_DEPTH_M
    if not told.any():
        return np.ones(len(depths_m)), camera_height_m
    groups = [told & (depths_m <= deepest) & (depths_m >= SMALLEST_SHARE * deepest) for deepest in depths_m]
    shared = max(groups, key=lambda group: (group.sum(), depths_m[group].sum()))
    height_m = 1.0 / float((1.0 / depths_m[shared]).mean())
    return np.where(shared, height_m / depths_m, 1.0), height_m


def standing_level(pose: Pose3D, trajectory: Trajectory, world_from_camera: Array) -> float:
    """Return the median height in m over the floor at which a person's feet stand, or else are lowest."""
    if not sure_contacts(pose.contacts).any():
        return floor_height(world_from_camera[2, :3], [pose], [trajectory]) + float(world_from_camera[2, 3])
    return float(np.median(_drift(pose, trajectory, world_from_camera)))


def own_level(drift: Array) -> float:
    """Return the height in m of what a person stands on: 0 for the floor, else the drift's median."""
    level = float(np.median(drift))
    return level if abs(level) > OTHER_LEVEL_M else 0.0


def follow_drift(pose: Pose3D, trajectory: Trajectory, world_from_camera: Array) -> Array:
    """Return the camera's place, made to follow where the picture itself moved.

    ``to_world`` takes a slow drift of the floor out of the body. When it is large the camera moved (a crop
    that follows the person, say); the same drift is then taken out of the camera, so that body and
    picture stay together.

    Args:
        pose: Root-relative joints (T, 25, 3) m, camera axes.
        trajectory: Root (T, 3) m, camera axes.
        world_from_camera: (4, 4).

    Returns:
        (T, 4, 4) when the drift is larger than ``MOVING_DRIFT_M``, else ``world_from_camera``.
    """
    drift = _drift(pose, trajectory, world_from_camera)
    heights = heights_along(world_from_camera[2, :3], pose, trajectory) + world_from_camera[2, 3]
    descent = _descent(drift, lowest=lowest_body(heights, pose.sigma), times_s=pose.times_s)
    if np.ptp(descent) <= MOVING_DRIFT_M:
        return world_from_camera
    moving = np.tile(world_from_camera, (len(drift), 1, 1))
    moving[:, 2, 3] -= descent
    return moving


def _descent(drift: Array, *, lowest: Array, times_s: Array) -> Array:
    """Return (T,) m by which a person is let down: the drift about the own level, none below the floor."""
    level = own_level(drift)
    descent = drift - level
    sunk = np.maximum(min(level, 0.0) - BODY_BELOW_M - (lowest - descent), 0.0)
    if not sunk.any() or len(times_s) < 2:
        return descent
    return descent - gaussian_smooth(sunk, DRIFT_SD_S / frame_step(times_s))


def floor_drift(joints_world: Array, *, contacts: Array, times_s: Array) -> Array:
    """Return (T,) the height in m by which standing feet slowly leave the floor.

    A moving camera, a wrong focal length or body height make it. Feet in the air have no part in it, so that
    jumps stay jumps; where nothing stands the value is carried over from the nearest contacts.

    Args:
        joints_world: (T, 25, 3) m.
        contacts: (T, 4) probabilities.
        times_s: (T,) s.
    """
    return _feet_drift(joints_world[:, FEET], contacts=contacts, times_s=times_s)


def _feet_drift(feet: Array, *, contacts: Array, times_s: Array) -> Array:
    """Do what ``floor_drift`` does, for feet (T, 4, 3) m."""
    weights = sure_contacts(contacts)
    mass = weights.sum(axis=1)
    if not mass.any() or len(times_s) < 2:
        return np.zeros(len(times_s))
    heights = feet[..., 2] - CONTACT_HEIGHTS_M
    mean = (weights * heights).sum(axis=1) / np.maximum(mass, 1e-9)
    rate_hz = 1.0 / frame_step(times_s)
    both = np.stack([mass * mean, mass], axis=-1)
    total = LAST_SHARE * both.mean(axis=0, keepdims=True)
    for width, share in GAP_SHARES:
        total = total + share * gaussian_smooth(both, width * DRIFT_SD_S * rate_hz)
    return total[:, 0] / total[:, 1]


def _drift(pose: Pose3D, trajectory: Trajectory, world_from_camera: Array) -> Array:
    """Return ``floor_drift`` of a person who is placed in the world."""
    feet = _placed(pose.joints[:, FEET], trajectory.root, world_from_camera)
    return _feet_drift(feet, contacts=pose.contacts, times_s=pose.times_s)


def _placed(points: Array, root: Array, world_from_camera: Array) -> Array:
    """Return points (T, N, 3) m relative to a root (T, 3) m, camera axes, in the world."""
    placed = (points + root[:, None]).astype(np.float64, copy=False)
    return placed @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
