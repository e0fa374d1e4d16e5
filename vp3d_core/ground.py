# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way is up and where the floor is. numpy only.

World: z up, floor at 0, the camera looks along +y, the origin lies below the first person's first pelvis.

Convention for feet: the joints toe and heel are points inside the foot. On a foot that stands flat they lie
``CONTACT_HEIGHTS_M`` above the floor, here and wherever feet are put on the floor.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arrays import Array
from .motion import CONTACT_JOINTS
from .pose import Pose3D, Trajectory
from .rotations import normalize
from .skeletons import JOINTS

__all__ = [
    "CONTACT_HEIGHTS_M",
    "FEET",
    "estimate_world",
    "floor_height",
    "heights_along",
    "lowest_body",
    "standing_contacts",
    "sure_contacts",
]

CONTACT_HEIGHTS_M = np.array([0.02, 0.025, 0.02, 0.025])  # of CONTACT_JOINTS, as in the training data
FEET = [JOINTS.index(joint) for joint in CONTACT_JOINTS]
BODY = [j for j, joint in enumerate(JOINTS.points) if not joint.endswith(("_toe", "_heel", "_ankle"))]

UP_PRIOR_SD = np.radians(3.0)  # of the lifter's mean up direction
CONTACT_HEIGHT_SD_M = 0.04  # of one standing foot, after the path's depth error
BETWEEN_PEOPLE_SD_M = 0.3  # of one person's floor against another's: a box, a step, heights taken as equal
CONTACT_CORRELATION_S = 0.5  # contacts closer in time than this share their error
UPRIGHT_LIMIT = np.cos(np.radians(45.0))  # torso axes beyond this from the picture's up say nothing
SURE_CONTACT = 0.5  # probability
LEAST_CONTACT_S = 0.2  # of standing; with less the lowest joints tell where the floor is
LOWEST_PERCENTILE = 5.0
BELOW_FLOOR_M = 0.10  # no more than 2 % of the foot points, or bodies, that are seen may lie deeper than this
UNSEEN_RATIO = 1.5  # joints outside the picture have more than this times their usual standard error
RAISED_FOOT_M = 0.1  # above the lowest of the body: of a handstand, or of somebody who lies


def estimate_world(poses: Sequence[Pose3D], trajectories: Sequence[Trajectory]) -> Array:
    """Find the camera's height and tilt from bodies and standing feet.

    Args:
        poses: One for each person; ``up`` may be zero where nothing is known, ``contacts`` too.
        trajectories: The roots of the same people.

    Returns:
        world_from_camera (4, 4), m; all people share it.

    Raises:
        ValueError: when there is nobody.
    """
    if not poses or len(poses) != len(trajectories):
        raise ValueError(f"{len(poses)} poses and {len(trajectories)} trajectories, expected as many of both")
    prior = _up_prior(poses)
    points, weights, middles = _standing_points(poses, trajectories)
    up = _fit_up(prior, points, weights, middles)
    height = floor_height(up, poses, trajectories)
    rotation = _rotation_with_up(up)
    first = rotation @ trajectories[0].root[0].astype(np.float64)
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = rotation
    world_from_camera[:3, 3] = -first[0], -first[1], -height
    return world_from_camera


def sure_contacts(contacts: Array) -> Array:
    """Return weights in [0, 1]: nothing below ``SURE_CONTACT``."""
    return np.clip((contacts.astype(np.float64) - SURE_CONTACT) / (1.0 - SURE_CONTACT), 0.0, 1.0)


def heights_along(up: Array, pose: Pose3D, trajectory: Trajectory) -> Array:
    """Return the heights (T, 25) m of all joints along ``up`` (3,) from the camera's centre."""
    return pose.joints @ up.astype(pose.joints.dtype) + (trajectory.root @ up)[:, None]


def lowest_body(heights: Array, sigma: Array) -> Array:
    """Return (T,) the height in m of the lowest joint that is seen, feet left out; infinite where none is.

    Args:
        heights: (T, 25) m.
        sigma: (T, 25) m, the lifter's own standard error.
    """
    seen = sigma[:, BODY] <= UNSEEN_RATIO * np.median(sigma[:, BODY], axis=0)
    return np.where(seen, heights[:, BODY], np.inf).min(axis=1)


def standing_contacts(up: Array, pose: Pose3D) -> Array:
    """Return the contacts (T, 4) of a pose without those of feet that are above the body."""
    heights = pose.joints @ up.astype(pose.joints.dtype)
    raised = heights[:, FEET] > lowest_body(heights, pose.sigma)[:, None] + RAISED_FOOT_M
    return np.where(raised, 0.0, pose.contacts)


def floor_height(up: Array, poses: Sequence[Pose3D], trajectories: Sequence[Trajectory]) -> float:
    """Return the height in m along ``up`` (3,) of the floor under people, from the camera's centre.

    It is negative when the floor lies below the camera. Feet that stand set it, and nobody who is seen is
    much below it. Where none stand it is at the lowest joints.
    """
    heights: list[Array] = []
    weights: list[Array] = []
    bodies: list[Array] = []
    for pose, trajectory in zip(poses, trajectories, strict=True):
        feet, durations = _feet(pose, trajectory)
        heights.append(feet @ up - CONTACT_HEIGHTS_M)
        weights.append(sure_contacts(standing_contacts(up, pose)) * durations[:, None])
        bodies.append(lowest_body(heights_along(up, pose, trajectory), pose.sigma))
    height, weight = np.concatenate(heights), np.concatenate(weights)
    sigma = np.concatenate([pose.sigma[:, FEET] for pose in poses]).mean(axis=1)
    height, weight = (values[sigma <= UNSEEN_RATIO * np.median(sigma)] for values in (height, weight))
    body = np.concatenate(bodies)
    body = body[np.isfinite(body)]
    if weight.sum() < LEAST_CONTACT_S:
        return min(float(np.percentile(each, LOWEST_PERCENTILE)) for each in (height.min(axis=1), body))
    floor = _weighted_median(height.reshape(-1), weight.reshape(-1))
    return min(floor, *(float(np.percentile(each, 2.0)) + BELOW_FLOOR_M for each in (height, body)))


def _feet(pose: Pose3D, trajectory: Trajectory) -> tuple[Array, Array]:
    """Return a person's foot points (T, 4, 3) m in camera axes, and how long (T,) s each frame lasts."""
    feet = (pose.joints[:, FEET] + trajectory.root[:, None]).astype(np.float64)
    return feet, np.gradient(pose.times_s) if len(feet) > 1 else np.zeros(1)


def _up_prior(poses: Sequence[Pose3D]) -> Array:
    """Return the robust mean (3,) of the lifter's ups, else of upright torsos, else the picture's up."""
    ups = np.concatenate([pose.up for pose in poses]).astype(np.float64)
    known = np.linalg.norm(ups, axis=-1) > 0.5
    if known.any():
        return _spherical_median(normalize(ups[known]))
    picture_up = np.array([0.0, -1.0, 0.0])
    thorax = JOINTS.index("thorax")
    torsos = normalize(np.concatenate([pose.joints[:, thorax] - pose.joints[:, 0] for pose in poses]))
    upright = torsos @ picture_up > UPRIGHT_LIMIT
    return _spherical_median(torsos[upright].astype(np.float64)) if upright.any() else picture_up


def _spherical_median(directions: Array) -> Array:
    """Return the unit vector with the least sum of distances to (N, 3) unit vectors (Weiszfeld)."""
    middle = normalize(directions.mean(axis=0))
    for _ in range(20):
        weights = 1.0 / np.maximum(np.linalg.norm(directions - middle, axis=-1), 1e-3)
        middle = normalize((directions * weights[:, None]).sum(axis=0))
    return middle


def _standing_points(
    poses: Sequence[Pose3D], trajectories: Sequence[Trajectory]
) -> tuple[Array, Array, Array]:
    """Return standing foot points (N, 3) m in camera axes, their weights (N,), and where people stand (P, 3).

    Each of a person's four points is taken from its own mean: only its way over the floor tells the tilt,
    not the shape of a foot that the lifter may have wrong. The people's own places come apart from them.
    """
    points: list[Array] = []
    weights: list[Array] = []
    middles: list[Array] = []
    for pose, trajectory in zip(poses, trajectories, strict=True):
        feet, durations = _feet(pose, trajectory)
        share = sure_contacts(pose.contacts) * np.minimum(durations / CONTACT_CORRELATION_S, 1.0)[:, None]
        mean = (feet * share[..., None]).sum(axis=0) / np.maximum(share.sum(axis=0), 1e-9)[:, None]
        points.append((feet - mean).reshape(-1, 3))
        weights.append(share.reshape(-1))
        if share.sum() * CONTACT_CORRELATION_S > LEAST_CONTACT_S:
            middles.append((feet * share[..., None]).sum(axis=(0, 1)) / share.sum())
    places = np.array(middles).reshape(-1, 3)
    return np.concatenate(points), np.concatenate(weights), places


def _fit_up(prior: Array, points: Array, weights: Array, middles: Array) -> Array:
    """Fit a plane's normal (3,) to points (N, 3), with a prior and Huber weights.

    The normal is the smallest eigenvector of Σ w p p' / sd² - n0 n0' / prior_sd²; the spread of the points
    about the plane widens their sd, so that a moving camera leaves the prior to decide. Several people are
    taken to stand on about the same level, unless the prior has one of them far above the others.
    """
    up = prior
    if weights.sum() <= 0:
        return up
    apart = middles - middles[:1] if len(middles) > 1 else np.zeros((1, 3))
    for _ in range(8):
        distances = np.abs(points @ up)
        sd = max(CONTACT_HEIGHT_SD_M, 1.5 * _weighted_median(distances, weights))
        robust = 1.0 / np.maximum(distances / (1.5 * sd), 1.0)
        scatter = np.einsum("n,ni,nj->ij", weights * robust, points, points) / sd**2
        same_level = 1.0 / (1.0 + (apart @ up / BETWEEN_PEOPLE_SD_M) ** 2) ** 2
        level = np.einsum("n,ni,nj->ij", same_level, apart, apart) / BETWEEN_PEOPLE_SD_M**2
        _, vectors = np.linalg.eigh(scatter + level - np.outer(prior, prior) / UP_PRIOR_SD**2)
        up = vectors[:, 0] * (1.0 if vectors[:, 0] @ prior > 0 else -1.0)
    return up


def _weighted_median(values: Array, weights: Array) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2.0)])


def _rotation_with_up(up: Array) -> Array:
    """Return world_from_camera (3, 3): ``up`` becomes z, the camera's heading y."""
    forward = np.array([0.0, 0.0, 1.0])
    heading = forward - up * (forward @ up)
    if np.linalg.norm(heading) < 0.05:  # looks straight down or up: the picture's up is the heading
        picture_up = np.array([0.0, -1.0, 0.0])
        heading = picture_up - up * (picture_up @ up)
    heading = normalize(heading)
    return np.stack([np.cross(heading, up), heading, up])
