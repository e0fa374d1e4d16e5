# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of long clips: nothing is left out, and what is local in time comes out as from the whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from tests.synthetic import seen_keypoints, walking_motion
from vp3d_core import filters, kinematics
from vp3d_core.capture import people_stages
from vp3d_core.capture.progress import Progress
from vp3d_core.detect import clean as clean_module
from vp3d_core.fitting import foot_contacts, foot_lock, joint_rotations
from vp3d_core.fitting.body_shape import fit_body
from vp3d_core.lift import seen_contacts, trajectory
from vp3d_core.pose import Pose3D
from vp3d_core.skeletons import JOINTS
from vp3d_core.time_blocks import TimeBlock, time_blocks

NUM_FRAMES = 1500


@pytest.mark.parametrize("num_frames", [0, 1, 9, 10, 14, 15, 16, 20, 95])
def test_every_frame_is_kept_once(num_frames: int) -> None:
    kept: list[int] = []
    for block in time_blocks(num_frames, margin=3, length=10):
        frames = np.arange(num_frames)[block.read]
        assert len(frames) <= 20
        np.testing.assert_array_equal(frames[block.inside], np.arange(num_frames)[block.kept])
        assert block.read.start == max(0, block.kept.start - 3)
        assert block.read.stop == min(num_frames, block.kept.stop + 3)
        kept += frames[block.inside].tolist()
    assert kept == list(range(num_frames))


def _short(num_frames: int, *, margin: int, length: int = 400) -> Iterator[TimeBlock]:
    return time_blocks(num_frames, margin=margin, length=min(length, 400))


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    motion = walking_motion(1, num_frames=NUM_FRAMES)
    root = motion.root_positions.copy()
    root[:, :2] = (
        root[:, :2].mean(axis=0) + 0.7 * np.sin(np.arange(NUM_FRAMES) / [[40.0], [57.0]]).T
    )  # stays in sight
    motion = dataclasses.replace(motion, root_positions=root)
    rng = np.random.default_rng(0)
    keypoints = seen_keypoints(motion)
    wild = rng.random(keypoints.scores.shape) < 0.02
    keypoints.xy[wild] += rng.normal(0.0, 40.0, (int(wild.sum()), 2))
    joints = motion.joints_world()[:, [motion.skeleton.names.index(name) for name in JOINTS.points]]
    joints = joints + rng.normal(0.0, 0.01, joints.shape)
    trust = np.ones(joints.shape[:2])
    body = fit_body(joints, confidence=trust)
    assert motion.camera is not None
    seen = motion.camera.camera_points(joints)
    pose = Pose3D(
        seen - seen[:, :1], motion.times_s, np.full(trust.shape, 0.05), motion.contacts,
        np.tile([0.0, -1.0, 0.0], (NUM_FRAMES, 1)),
    )  # fmt: skip
    progress = Progress(None, ("place",))
    progress.stage("place")
    camera = motion.camera

    def results() -> list[np.ndarray]:
        cleaned = clean_module.clean(keypoints)
        (path,) = people_stages.place_people([(1, keypoints)], [pose], camera, progress)
        turns = joint_rotations.solve_pose(joints, body, confidence=trust, rate_hz=30.0)
        depths = trajectory.weak_perspective_depths(pose, keypoints, camera)
        return [cleaned.xy, cleaned.scores, path.root, *turns, depths]

    whole = results()
    for module in (clean_module, people_stages, joint_rotations, trajectory, filters):
        monkeypatch.setattr(module, "time_blocks", _short)
    for one, other in zip(whole, results(), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-4)  # m, px, quaternions


def test_a_motion_fitted_in_blocks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    motion = walking_motion(1, num_frames=NUM_FRAMES)
    joints = motion.joints_world()[:, [motion.skeleton.names.index(name) for name in JOINTS.points]]
    joints = joints + np.random.default_rng(0).normal(0.0, 0.01, joints.shape)

    def fitted() -> tuple[np.ndarray, ...]:
        one = kinematics.fit_skeleton(
            joints, times_s=motion.times_s, frame_rate_hz=24.0, contacts=motion.contacts
        )
        return one.root_positions, one.joints_world(), one.contacts, one.confidence

    whole = fitted()
    for module in (kinematics, joint_rotations, foot_lock, foot_contacts, filters):
        monkeypatch.setattr(module, "time_blocks", _short)
    for one, other in zip(whole, fitted(), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-4)


def test_contacts_judged_in_blocks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    frames, rate_hz = 600, 30.0
    sizes_m = 0.25 * (1.0 + np.sin(np.arange(frames) / 25.0))[:, None, None] ** 2 / 4.0  # still, then quick
    feet = filters.gaussian_smooth(rng.normal(0.0, sizes_m, (frames, 4, 3)), 3.0) + [0.0, 0.0, 0.04]
    contacts = np.clip(0.6 + filters.gaussian_smooth(rng.normal(0.0, 0.9, (frames, 4)), 4.0), 0.0, 1.0)
    motion = walking_motion(1, num_frames=frames)
    assert motion.camera is not None
    seen = motion.camera.camera_points(motion.joints_world()[:, : len(JOINTS.points)])
    pose = Pose3D(
        seen - seen[:, :1], motion.times_s, np.full(seen.shape[:2], 0.05), contacts,
        np.tile([0.0, -1.0, 0.0], (frames, 1)),
    )  # fmt: skip
    keypoints = seen_keypoints(motion, noise_px=0.5)
    pan = 60.0 * np.sin(motion.times_s * 0.6) ** 4  # stands, moves, and stands again
    keypoints = dataclasses.replace(keypoints, xy=keypoints.xy + pan[:, None, None] * [1.0, 0.0])
    camera = motion.camera

    def judged() -> list[np.ndarray]:
        return [
            foot_contacts.find_contacts(feet, contacts=contacts, rate_hz=rate_hz),
            foot_contacts.find_contacts(feet, contacts=None, rate_hz=rate_hz),
            seen_contacts.add_seen_contacts(pose, keypoints, camera).contacts,
        ]

    def tiny(num_frames: int, *, margin: int) -> Iterator[TimeBlock]:
        return time_blocks(num_frames, margin=margin, length=20)

    whole = judged()
    for module in (foot_contacts, seen_contacts):
        monkeypatch.setattr(module, "time_blocks", tiny)
    for one, other in zip(whole, judged(), strict=True):
        assert 0.1 < one.mean() < 0.9
        np.testing.assert_allclose(other, one, atol=1e-6)
