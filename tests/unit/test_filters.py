# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from vp3d_core.arrays import Array
from vp3d_core.filters import (
    butterworth_smooth,
    frame_times,
    gaussian_smooth,
    interpolate_cubic,
    interpolate_linear,
    interpolate_quats,
    max_filter,
    smoothstep,
)
from vp3d_core.rotations import quat_from_axis_angle

TIMES = np.arange(120) / 30.0
Z = np.array([0.0, 0.0, 1.0])


def test_butterworth_halves_its_cutoff_and_does_not_delay() -> None:
    slow: Array = np.sin(2 * np.pi * 1.0 * TIMES)
    fast: Array = np.sin(2 * np.pi * 6.0 * TIMES)
    kept = butterworth_smooth(slow + fast, cutoff_hz=6.0, rate_hz=30.0)
    middle = slice(30, 90)
    assert kept[middle] == pytest.approx((slow + 0.5 * fast)[middle], abs=0.02)


def test_butterworth_agrees_with_scipy_forward_and_backward() -> None:
    signal = pytest.importorskip("scipy.signal")
    walk = np.cumsum(np.random.default_rng(0).normal(size=(300, 2)), axis=0)
    # The two passes of filtfilt halve the amplitude at the cutoff, as ours does.
    b, a = signal.butter(2, 2.0, fs=120.0)
    wanted = signal.filtfilt(b, a, walk, axis=0)
    assert butterworth_smooth(walk, cutoff_hz=2.0, rate_hz=120.0)[60:240] == pytest.approx(
        wanted[60:240], abs=0.05
    )


def test_butterworth_keeps_straight_lines_to_the_ends() -> None:
    line = np.outer(TIMES, [1.0, -2.0])
    assert butterworth_smooth(line, cutoff_hz=3.0, rate_hz=30.0) == pytest.approx(line, abs=1e-9)


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 7])
def test_filters_accept_clips_of_few_frames(frames: int) -> None:
    values = np.ones((frames, 3))
    assert butterworth_smooth(values, cutoff_hz=6.0, rate_hz=30.0) == pytest.approx(values)
    assert gaussian_smooth(values, 2.0) == pytest.approx(values)
    assert max_filter(values[:, 0], 3) == pytest.approx(values[:, 0])


def test_weighted_gaussian_passes_over_what_has_no_weight() -> None:
    values = np.ones(50)
    values[20:25] = 1000.0
    weights = np.ones(50)
    weights[20:25] = 0.0
    assert gaussian_smooth(values, 2.0, weights=weights) == pytest.approx(np.ones(50))
    assert gaussian_smooth(values, 0.0).tolist() == values.tolist()


def test_max_filter_takes_the_largest_around() -> None:
    assert max_filter(np.array([0.0, 3.0, 0.0, 0.0, 1.0]), 1).tolist() == [3.0, 3.0, 3.0, 1.0, 1.0]


def test_smoothstep_ends_flat() -> None:
    assert smoothstep(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_frame_times_keep_the_duration() -> None:
    assert len(frame_times(np.array([1.0, 1.4, 3.0]), 30.0)) == 61
    assert frame_times(np.array([1.0, 1.4, 3.0]), 30.0)[[0, -1]] == pytest.approx([1.0, 3.0])
    assert frame_times(np.array([2.5]), 30.0).tolist() == [2.5]


def test_interpolation_is_exact_at_the_given_times_and_held_beyond() -> None:
    rng = np.random.default_rng(1)
    times_s = np.cumsum(rng.uniform(0.01, 0.1, 20))
    values = rng.normal(size=(20, 4, 3))
    for interpolate in (interpolate_linear, interpolate_cubic):
        assert interpolate(times_s, values, times_s) == pytest.approx(values)
        assert interpolate(times_s, values, times_s[[0, -1]] + [-1.0, 1.0]) == pytest.approx(values[[0, -1]])
        assert interpolate(times_s[:1], values[:1], times_s).shape == values.shape


def test_cubic_is_closer_than_linear_to_a_smooth_motion() -> None:
    coarse, fine = np.arange(20) / 10.0, np.linspace(0.2, 1.6, 99)
    errors = [
        np.abs(interpolate(coarse, np.sin(4 * coarse), fine) - np.sin(4 * fine)).max()
        for interpolate in (interpolate_linear, interpolate_cubic)
    ]
    assert errors[1] < 0.3 * errors[0]


def test_quaternions_turn_evenly_between_frames() -> None:
    quats = quat_from_axis_angle(Z, np.array([0.0, 1.0]))
    between = interpolate_quats(np.array([0.0, 2.0]), quats, np.array([0.5, 1.0, 2.5]))
    assert 2 * np.arctan2(between[:, 3], between[:, 0]) == pytest.approx([0.25, 0.5, 1.0])
