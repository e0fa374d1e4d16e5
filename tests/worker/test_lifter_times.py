# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lifter sees before a clip, after it and in its gaps; how poses come back to the video's times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from tests.walkers import keypoints, times, walker
from tests.worker.lifters import save_random_lifter
from vp3d_core.arrays import Array
from vp3d_core.camera import Camera, intrinsics_from_focal
from vp3d_core.lift.even_times import Sightings, at_times, even_times, longest_step_s
from vp3d_core.lift.lifter import Lifter
from vp3d_core.time_blocks import BLOCK_FRAMES

pytestmark = pytest.mark.worker

CAMERA = Camera(intrinsics_from_focal(1000.0, image_size=(1280, 720)))


def test_before_and_after_a_clip_the_person_stands_still(tmp_path: Path) -> None:
    lifter = Lifter.load(save_random_lifter(tmp_path / "random.safetensors"), device="cpu")
    times_s = times(60)
    still = np.tile(walker(times_s[:1]), (60, 1, 1))
    pose = lifter.lift(keypoints(still, times_s), CAMERA)
    assert np.allclose(pose.joints, pose.joints[30], atol=1e-4)
    assert np.allclose(pose.contacts, pose.contacts[30], atol=1e-4)


def scores_in_a_gap(gap_s: float) -> Array:
    """Return the scores (N, 28) that the lifter is given within a gap in frames at 25 Hz."""
    before_s = np.arange(25) / 25
    times_s = np.concatenate([before_s, before_s[-1] + gap_s + before_s])
    seen = keypoints(walker(times_s), times_s)
    grid = before_s[-1] + gap_s * np.linspace(0.2, 0.8, 5)
    return Sightings(seen, CAMERA, grid, longest_step_s(times_s)).at(slice(0, 5))[1]


def test_only_short_gaps_between_frames_are_filled() -> None:
    assert scores_in_a_gap(0.2) == pytest.approx(np.full((5, 28), 0.9))
    assert scores_in_a_gap(0.3).max() == 0.0
    assert scores_in_a_gap(3.0).max() == 0.0


def test_long_clips_are_brought_to_their_times_as_if_in_one() -> None:
    grid = np.arange(2 * BLOCK_FRAMES + 500) / 30
    columns = np.random.default_rng(0).normal(size=(len(grid), 2)).astype(np.float32)
    at_s = np.arange(0.0, grid[-1], 1 / 24)
    assert len(at_s) > BLOCK_FRAMES
    whole = CubicSpline(grid, columns, axis=0)(at_s)
    assert at_times(columns, grid, at_s) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("times_s", [[0.0, 0.03, 0.033, 0.06], [0.0, 0.04], [0.0, 0.02, 0.05]])
def test_a_few_uneven_frames_are_brought_to_their_own_times(times_s: list[float]) -> None:
    at_s = 0.4 + np.array(times_s)
    grid, _ = even_times(at_s)
    assert at_times(grid[:, None], grid, at_s)[:, 0] == pytest.approx(at_s)
