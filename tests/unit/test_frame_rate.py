# SPDX-License-Identifier: GPL-3.0-or-later
"""The rate of the motions, where the file and its pictures agree and where they do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vp3d_core.capture.frame_rate import frame_rate_hz
from vp3d_core.capture.progress import Progress
from vp3d_core.video import VideoInfo


def rate(stated_hz: float, times_s: np.ndarray) -> tuple[float, list[str]]:
    info = VideoInfo(Path("a.mp4"), 640, 360, stated_hz, 2.0, None, "h264", "yuv420p", 0)
    progress = Progress(None, ("fit",))
    return frame_rate_hz(info, times_s, progress), progress.warnings


def test_the_stated_rate_holds_where_the_pictures_bear_it_out() -> None:
    for stated_hz, times_s in (
        (29.97, np.arange(60) / 30),  # rounded
        (25.0, np.arange(9) / 50),  # too few to tell
        (25.0, np.zeros(1)),
    ):
        assert rate(stated_hz, times_s) == (stated_hz, [])


def test_a_rate_that_varies_is_told() -> None:
    variable_s = np.cumsum(np.tile([1 / 30, 1 / 30, 1 / 15], 20))
    for stated_hz in (22.5, 30.0):  # the mean, and the usual step
        found_hz, (warning,) = rate(stated_hz, variable_s)
        assert found_hz == stated_hz
        assert "33 to 67 ms apart" in warning


def test_a_wrong_rate_is_told_and_not_used() -> None:
    for stated_hz in (25.0, 1000.0, 90_000.0):
        found_hz, warnings = rate(stated_hz, np.arange(60) / 30)
        assert found_hz == pytest.approx(30.0)
        assert len(warnings) == 1
        assert "its pictures come at 30;" in warnings[0]


def test_a_pause_does_not_count() -> None:
    paused_s = np.arange(60) / 30 + np.where(np.arange(60) < 30, 0.0, 3.0)
    assert rate(30.0, paused_s) == (30.0, [])
    found_hz, (warning,) = rate(12.0, paused_s)  # what MP4 states, the mean
    assert found_hz == pytest.approx(30.0)
    assert "its pictures come at 30;" in warning


def test_steps_that_are_rounded_in_turn_are_averaged() -> None:
    found_hz, (warning,) = rate(100 / 3, np.ceil(np.arange(60) * (10 / 3)) / 100)  # 40, 30, 30 ms: a GIF's
    assert found_hz == 30.0
    assert "states 33.33 frames per second, its pictures come at 30;" in warning
