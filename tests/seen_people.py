# SPDX-License-Identifier: GPL-3.0-or-later
"""People as a lifter that makes no mistake would give them: poses and paths in camera axes."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.synthetic import true_pose
from vp3d_core.motion import Motion
from vp3d_core.pose import Pose3D, Trajectory


def seen(motion: Motion) -> tuple[Pose3D, Trajectory]:
    """Return a person's true pose and path in camera axes; the lifter does not know up."""
    pose, trajectory = true_pose(motion)
    return dataclasses.replace(pose, up=np.zeros_like(pose.up)), trajectory


def with_up(pose: Pose3D, motion: Motion, *, error_deg: float = 0.0) -> Pose3D:
    """Let the lifter know up, but for an error towards where the person walks."""
    assert motion.camera is not None
    up = motion.camera.world_from_camera[2, :3]
    path = motion.root_positions[-1] - motion.root_positions[0]
    ahead = np.array([path[0], path[1], 0.0]) @ motion.camera.world_from_camera[:3, :3]
    up = up + np.tan(np.radians(error_deg)) * ahead / np.linalg.norm(ahead)
    return dataclasses.replace(pose, up=np.tile(up / np.linalg.norm(up), (len(pose.times_s), 1)))


def moved(motion: Motion, offset: tuple[float, float, float]) -> tuple[Pose3D, Trajectory]:
    """Return the same person seen at another place by the same camera."""
    pose, trajectory = seen(
        dataclasses.replace(motion, root_positions=motion.root_positions + np.array(offset))
    )
    return with_up(pose, motion), trajectory


def lying_down(
    person: tuple[Pose3D, Trajectory], motion: Motion, *, since: int, descent_m: float
) -> tuple[Pose3D, Trajectory]:
    """Let a person lie flat and without contacts from a frame on, as much lower as the pelvis comes down."""
    assert motion.camera is not None
    up = motion.camera.world_from_camera[2, :3]
    pose, trajectory = person
    joints, contacts, root = pose.joints.copy(), pose.contacts.copy(), trajectory.root.copy()
    joints[since:] -= (joints[since:] @ up)[..., None] * up
    contacts[since:] = 0.0
    root[since:] -= descent_m * up
    return dataclasses.replace(pose, joints=joints, contacts=contacts), Trajectory(root)
