# SPDX-License-Identifier: GPL-3.0-or-later
import dataclasses

import numpy as np
import pytest

from tests.synthetic import seen_keypoints, walking_motion
from vp3d_core.arrays import Array
from vp3d_core.camera import Camera
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.lift.seen_contacts import add_seen_contacts
from vp3d_core.motion import CONTACT_JOINTS, Motion
from vp3d_core.pose import Pose3D
from vp3d_core.skeletons import JOINTS

FEET = [JOINTS.index(joint) for joint in CONTACT_JOINTS]


def seen(motion: Motion, contacts: Array) -> tuple[Pose3D, Keypoints2D, Camera, Array]:
    """Return the true pose with given contacts, keypoints, camera, and the feet's speeds (T, 4) m/s."""
    assert motion.camera is not None
    joints = motion.joints_world()[:, : len(JOINTS.points)]
    in_camera = motion.camera.camera_points(joints)
    frames = len(joints)
    up = np.tile([0.0, -1.0, 0.0], (frames, 1))
    pose = Pose3D(
        in_camera - in_camera[:, :1], motion.times_s, np.full(in_camera.shape[:2], 0.05), contacts, up
    )
    speeds = np.linalg.norm(np.gradient(joints[:, FEET], axis=0), axis=-1) * motion.frame_rate_hz
    return pose, seen_keypoints(motion, noise_px=0.5), motion.camera, speeds


def test_an_unsure_lifter_is_told_by_feet_that_rest_in_the_picture(walking_motion: Motion) -> None:
    unsure = np.full((len(walking_motion.times_s), 4), 0.5)
    pose, keypoints, camera, speeds = seen(walking_motion, unsure)
    contacts = add_seen_contacts(pose, keypoints, camera).contacts
    assert np.median(contacts[speeds < 0.05]) > 0.8
    assert np.median(contacts[speeds > 1.5]) < 0.15


def test_feet_rest_in_the_slow_part_of_a_video_as_well() -> None:
    motion = walking_motion(1, num_frames=240, frame_rate_hz=60.0)
    pose, keypoints, camera, speeds = seen(motion, np.full((240, 4), 0.5))
    rows = np.concatenate([np.arange(120), np.arange(120, 240, 4)])  # at 60 Hz, then at 15
    uneven = Pose3D(
        pose.joints[rows], pose.times_s[rows], pose.sigma[rows], pose.contacts[rows], pose.up[rows]
    )
    kept = dataclasses.replace(
        keypoints, xy=keypoints.xy[rows], scores=keypoints.scores[rows], times_s=keypoints.times_s[rows]
    )
    slow = slice(124, None)
    contacts, speeds = add_seen_contacts(uneven, kept, camera).contacts[slow], speeds[rows][slow]
    assert np.median(contacts[speeds < 0.05]) > 0.8
    assert np.median(contacts[speeds > 1.5]) < 0.15


def test_a_camera_that_moves_along_tells_nothing(walking_motion: Motion) -> None:
    pose, keypoints, camera, speeds = seen(walking_motion, np.full((len(walking_motion.times_s), 4), 0.5))
    pose = dataclasses.replace(pose, contacts=np.where(speeds < 0.1, 0.8, 0.2))
    steps = 25.0 * np.arange(len(pose.times_s))[:, None, None] * [1.0, 0.0]  # a pan
    panned = dataclasses.replace(keypoints, xy=keypoints.xy + steps)
    assert add_seen_contacts(pose, panned, camera).contacts == pytest.approx(pose.contacts, abs=0.02)


def test_feet_that_are_not_seen_keep_their_contacts(walking_motion: Motion) -> None:
    pose, keypoints, camera, _ = seen(walking_motion, np.full((len(walking_motion.times_s), 4), 0.4))
    pose.contacts[10:20] = 0.0
    blind = dataclasses.replace(
        keypoints, xy=np.full_like(keypoints.xy, np.nan), scores=0.0 * keypoints.scores
    )
    assert add_seen_contacts(pose, blind, camera).contacts == pytest.approx(pose.contacts)
    assert not add_seen_contacts(pose, keypoints, camera).contacts[10:20].any()
