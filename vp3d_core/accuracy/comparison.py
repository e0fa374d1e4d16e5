# SPDX-License-Identifier: GPL-3.0-or-later
"""A captured motion against the truth of its clip, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Array, BoolArray, IntArray
from ..camera import Camera
from ..filters import interpolate_linear
from ..kinematics import camera_at
from ..motion import Motion
from ..skeletons import JOINTS
from .ground_truth import GroundTruth
from .pose_errors import COMMON_JOINTS, PoseErrors, pose_errors
from .world_errors import WorldErrors, world_errors

__all__ = ["Accuracy", "compare_motion", "joints_at"]

COMMON = [JOINTS.index(joint) for joint in COMMON_JOINTS]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How good a capture is.

    Attributes:
        frames: How many frames were compared.
        coverage: They are this share of the frames in which the person is seen.
        pose: Root-relative errors of ``COMMON_JOINTS``.
        world: Errors in the world.
    """

    frames: int
    coverage: float
    pose: PoseErrors
    world: WorldErrors


def compare_motion(motion: Motion, truth: GroundTruth, *, least_in_picture: float = 0.5) -> Accuracy:
    """Compare a motion with the truth.

    Args:
        motion: A capture, with its camera.
        truth: Of the same clip.
        least_in_picture: Share of the joints in the picture from which a frame counts.

    Raises:
        ValueError: when they have no frames in common, or the motion has no camera.
    """
    joints_world, camera, covered = joints_at(motion, truth.times_s)
    seen = truth.in_picture() >= least_in_picture
    rows = np.flatnonzero(covered & seen)
    if not rows.size:
        raise ValueError("the motion and the truth have no frame in common")
    rows = np.arange(rows[0], rows[-1] + 1)  # consecutive
    truth = _at_frames(truth, rows)
    joints_world, places = joints_world[rows], camera.world_from_camera[rows]
    ours = replace(camera, world_from_camera=places).camera_points(joints_world)
    true = truth.camera.camera_points(truth.joints_world)
    return Accuracy(
        frames=len(rows),
        coverage=float((covered & seen).sum() / seen.sum()),
        pose=pose_errors(ours[:, COMMON], true[:, COMMON], rate_hz=truth.frame_rate_hz),
        world=world_errors(joints_world, places, truth),
    )


def joints_at(motion: Motion, times_s: Array) -> tuple[Array, Camera, BoolArray]:
    """Return a motion's joints (T, 25, 3), its camera with one place a time, and whether it covers the time.

    Beyond its ends the first or last frame is given.

    Raises:
        ValueError: when the motion has no camera.
    """
    if motion.camera is None:
        raise ValueError("a motion without a camera cannot be compared in camera axes")
    half = 0.5 / motion.frame_rate_hz
    covered = (times_s >= motion.times_s[0] - half) & (times_s <= motion.times_s[-1] + half)
    joints = interpolate_linear(motion.times_s, motion.joints_world()[:, : len(JOINTS.points)], times_s)
    camera = motion.camera
    if camera.world_from_camera.ndim == 2:
        places = np.broadcast_to(camera.world_from_camera, (len(times_s), 4, 4))
        return joints, replace(camera, world_from_camera=places), covered
    moved = camera_at(camera, motion.times_s, times_s)
    assert moved is not None
    return joints, moved, covered


def _at_frames(truth: GroundTruth, rows: IntArray) -> GroundTruth:
    camera = replace(truth.camera, world_from_camera=truth.camera.world_from_camera[rows])
    return replace(truth, joints_world=truth.joints_world[rows], contacts=truth.contacts[rows], camera=camera)
