# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips of a few frames, at any rate, are lifted as well."""

from __future__ import annotations

import numpy as np
import pytest

from tests.worker.lifters import save_random_lifter
from vp3d_core.camera import Camera, intrinsics_from_focal
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.lift.lifter import Lifter
from vp3d_core.skeletons import SLOTS

pytestmark = pytest.mark.worker

SIZE = (1000, 1000)


@pytest.fixture(scope="module")
def lifter(tmp_path_factory: pytest.TempPathFactory) -> Lifter:
    return Lifter.load(save_random_lifter(tmp_path_factory.mktemp("weights") / "a.safetensors"), device="cpu")


@pytest.mark.parametrize("rate_hz", [10.0, 24.0, 30.0, 50.0, 96.0, 120.0, 240.0])
@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_a_few_frames(lifter: Lifter, frames: int, rate_hz: float) -> None:
    body = np.random.default_rng(0).uniform(300, 700, size=(28, 2))
    times = 0.4 + np.arange(frames) / rate_hz
    keypoints = Keypoints2D(np.tile(body, (frames, 1, 1)), np.ones((frames, 28)), times, SIZE, SLOTS)
    with np.errstate(all="raise"):
        pose = lifter.lift(keypoints, Camera(intrinsics_from_focal(900.0, image_size=SIZE)))
    assert pose.joints.shape == (frames, 25, 3)
    np.testing.assert_allclose(pose.joints, pose.joints[:1].repeat(frames, axis=0), atol=1e-3)


def test_two_frames_that_nearly_coincide(lifter: Lifter) -> None:
    body = np.random.default_rng(0).uniform(300, 700, size=(28, 2))
    times = np.array([0.0, 0.03, 0.033, 0.06])
    keypoints = Keypoints2D(np.tile(body, (4, 1, 1)), np.ones((4, 28)), times, SIZE, SLOTS)
    pose = lifter.lift(keypoints, Camera(intrinsics_from_focal(900.0, image_size=SIZE)))
    assert pose.joints.shape == (4, 25, 3)
