# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vp3d_core.motion import Motion
from vp3d_core.resample import resample, scene_frames


@pytest.mark.parametrize(
    ("rate", "start_s", "expected"),
    [(30.0, 0.0, (1, 60)), (60.0, 0.0, (1, 119)), (24.0, 0.0, (1, 48)), (25.0, 2.0, (51, 100)),
     (30.0 / 1.001, 0.0, (1, 59)), (24.0, 0.01, (2, 48))],
)  # fmt: skip
def test_scene_frames_lie_within_the_motion(
    walking_motion: Motion, rate: float, start_s: float, expected: tuple[int, int]
) -> None:
    motion = dataclasses.replace(walking_motion, start_time_s=start_s)
    frames = scene_frames(motion, frames_per_second=rate, first_frame=1)
    assert (frames[0], frames[-1]) == expected


def test_the_same_times_give_the_same_motion(walking_motion: Motion) -> None:
    assert resample(walking_motion, walking_motion.times_s) is walking_motion


def test_frames_that_are_there_stay_as_they_are(walking_motion: Motion) -> None:
    twice = resample(walking_motion, np.arange(119) / 60.0)
    assert twice.frame_rate_hz == pytest.approx(60.0)
    np.testing.assert_allclose(twice.joints_world()[::2], walking_motion.joints_world(), atol=1e-9)
    assert twice.confidence.shape == (119, 29)
