# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of a captured motion in the world: its path, its feet on the floor, which way is up.

The true world and the captured one have the floor at z = 0 in common, nothing else. For the absolute path
both are set so that the camera of the first frame stands above the origin and looks along +y: a path that is
too far away, or turned by a wrong idea of where is up, counts as wrong. The aligned path is moved and turned
about the vertical until body and place agree in the first frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..ground import CONTACT_HEIGHTS_M
from ..motion import CONTACT_JOINTS
from ..skeletons import JOINTS
from .ground_truth import GroundTruth

__all__ = ["WorldErrors", "world_errors"]

FEET = [JOINTS.index(joint) for joint in CONTACT_JOINTS]
STANDING = 0.5  # contact from which a foot stands


@dataclass(frozen=True, slots=True)
class WorldErrors:
    """How a motion's place in the world differs from the true one.

    Attributes:
        root_m: Mean distance of the pelvis, seen from the camera's footing, m.
        root_aligned_m: The same, aligned at the first frame in position and heading, m.
        path_m: Length of the true path over the floor, m.
        slide_m_s: Mean horizontal speed of heels and toes while they truly stand, m/s; NaN if they never do.
        true_slide_m_s: The same of the true heels and toes.
        foot_height_m: Mean error of the height of heels and toes while they truly stand, m; both are counted
            from where the point is in a standing foot, which in truth lies higher by the sole of the shoe.
        penetration_m: Mean depth of the lowest heel or toe below where it is when it stands, m.
        deepest_m: The largest such depth, m.
        up_deg: Mean angle between the vertical and the true one, in the camera's eyes, degrees.
    """

    root_m: float
    root_aligned_m: float
    path_m: float
    slide_m_s: float
    true_slide_m_s: float
    foot_height_m: float
    penetration_m: float
    deepest_m: float
    up_deg: float


def world_errors(joints_world: Array, world_from_camera: Array, truth: GroundTruth) -> WorldErrors:
    """Compare a motion with the truth of the same frames.

    Args:
        joints_world: (T, 25, 3) m, captured, floor at 0.
        world_from_camera: (T, 4, 4) of the captured world.
        truth: Of the same T frames.
    """
    ours = from_camera_footing(joints_world, world_from_camera[0])
    true = from_camera_footing(truth.joints_world, truth.camera.world_from_camera[0])
    aligned = aligned_at_first_frame(ours, true)
    steps = np.linalg.norm(np.diff(true[:, 0, :2], axis=0), axis=-1)
    depths = np.maximum((CONTACT_HEIGHTS_M - joints_world[:, FEET, 2]).max(axis=1), 0.0)
    return WorldErrors(
        root_m=_mean(np.linalg.norm(ours[:, 0] - true[:, 0], axis=-1)),
        root_aligned_m=_mean(np.linalg.norm(aligned[:, 0] - true[:, 0], axis=-1)),
        path_m=float(steps.sum()),
        slide_m_s=_slide(joints_world, truth),
        true_slide_m_s=_slide(truth.joints_world, truth),
        foot_height_m=_foot_height_error(joints_world, truth),
        penetration_m=_mean(depths),
        deepest_m=float(depths.max()),
        up_deg=up_error_deg(world_from_camera, truth.camera.world_from_camera),
    )


def from_camera_footing(points: Array, world_from_camera: Array) -> Array:
    """Return points (T, J, 3) with the camera (4, 4) above the origin, looking along +y over the floor."""
    x, y = (world_from_camera[:2, 2] / max(float(np.linalg.norm(world_from_camera[:2, 2])), 1e-9)).tolist()
    turn: Array = np.array([[y, -x, 0.0], [x, y, 0.0], [0.0, 0.0, 1.0]])
    foot: Array = np.array([world_from_camera[0, 3], world_from_camera[1, 3], 0.0])
    return (points - foot) @ turn.T


def aligned_at_first_frame(joints: Array, target: Array) -> Array:
    """Return joints (T, J, 3), moved and turned about the vertical to fit the target's first frame.

    The first pelvis falls on the target's, height included; the heading is that which brings the whole body
    of the first frame closest.
    """
    ours, true = joints[0] - joints[0, 0], target[0] - target[0, 0]
    cosine = float((ours[:, :2] * true[:, :2]).sum())
    sine = float((ours[:, 0] * true[:, 1] - ours[:, 1] * true[:, 0]).sum())
    length = max(float(np.hypot(cosine, sine)), 1e-12)
    c, s = cosine / length, sine / length
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return (joints - joints[0, 0]) @ turn.T + target[0, 0]


def up_error_deg(world_from_camera: Array, true_world_from_camera: Array) -> float:
    """Return the mean angle between the verticals that two cameras (T, 4, 4) see, degrees."""
    cosines = (world_from_camera[:, 2, :3] * true_world_from_camera[:, 2, :3]).sum(axis=-1)
    return _mean(np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0))))


def _slide(joints_world: Array, truth: GroundTruth) -> float:
    """Return the mean horizontal speed of feet between frames in both of which they truly stand, m/s."""
    standing = truth.contacts >= STANDING
    steps = np.linalg.norm(np.diff(joints_world[:, FEET, :2], axis=0), axis=-1)
    return _mean(steps[standing[1:] & standing[:-1]]) * truth.frame_rate_hz


def _foot_height_error(joints_world: Array, truth: GroundTruth) -> float:
    errors: list[Array] = []
    for foot, stands_at_m, contact in zip(FEET, CONTACT_HEIGHTS_M, truth.contacts.T, strict=True):
        standing = contact >= STANDING
        true = truth.joints_world[standing, foot, 2]
        if true.size:
            errors.append(np.abs(joints_world[standing, foot, 2] - stands_at_m - true + np.median(true)))
    return _mean(np.concatenate(errors)) if errors else float("nan")


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else float("nan")
