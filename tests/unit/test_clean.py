# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.walkers import IMAGE_SIZE, Floats, keypoints, times, walker
from vp3d_core.detect.clean import MAX_GAP_S, clean
from vp3d_core.detect.smoothing import CUTOFF_HZ, smooth_keypoints
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.skeletons import SLOTS

HEIGHT_PX = 400.0
LEGS = ("knee", "ankle", "heel", "big_toe", "small_toe")
ARMS = ("elbow", "wrist", "hand")
BODY = (*LEGS, *ARMS, "shoulder", "hip", "eye", "ear")
VIEWS = {"side": 0.0, "oblique": 0.7, "front": np.pi / 2}


def noisy(xy: Floats, seed: int, share: float = 0.008) -> Floats:
    return xy + np.random.default_rng(seed).normal(0.0, share * HEIGHT_PX, xy.shape)


def swapped(xy: Floats, parts: tuple[str, ...], frames: slice) -> Floats:
    xy = xy.copy()
    left = [SLOTS.index(f"left_{part}") for part in parts]
    right = [SLOTS.index(f"right_{part}") for part in parts]
    xy[frames, left + right] = xy[frames, right + left]
    return xy


def error_px(result: Keypoints2D, truth: Floats) -> Floats:
    return np.linalg.norm(result.xy - truth, axis=-1)


@pytest.mark.parametrize("rate_hz", [25.0, 60.0])
@pytest.mark.parametrize("view", VIEWS)
def test_a_clean_walk_comes_back(view: str, rate_hz: float) -> None:
    times_s = times(int(4 * rate_hz), rate_hz=rate_hz, jitter=0.3)
    truth = walker(times_s, view_rad=VIEWS[view], speed_per_s=0.4)
    same = clean(keypoints(truth, times_s), smooth=False)
    assert_array_equal(same.xy, truth)
    assert_array_equal(same.scores, 0.9)
    smooth = clean(keypoints(truth, times_s))
    assert error_px(smooth, truth).max() < 0.005 * HEIGHT_PX
    assert_array_equal(smooth.scores, 0.9)
    assert smooth.image_size == IMAGE_SIZE
    assert smooth.skeleton is SLOTS


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("view", "rate_hz"), [*((view, rate_hz) for view in VIEWS for rate_hz in (10.0, 30.0)), ("side", 240.0)]
)
def test_legs_that_pass_each_other_are_not_swapped(view: str, rate_hz: float, seed: int) -> None:
    times_s = times(int(3 * rate_hz), rate_hz=rate_hz, jitter=0.3, seed=seed)
    truth = walker(times_s, view_rad=VIEWS[view], phase=seed, speed_per_s=0.4)
    observed = noisy(truth, seed, 0.012)
    result = clean(keypoints(observed, times_s), smooth=False)
    moved = np.linalg.norm(result.xy - observed, axis=-1)
    assert (moved > 0.02 * HEIGHT_PX).mean() < 0.001


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("parts", "view"),
    [(LEGS, "side"), (LEGS, "front"), (ARMS, "side"), (ARMS, "front"), (BODY, "oblique"), (BODY, "front")],
)
def test_swapped_sides_are_repaired(parts: tuple[str, ...], view: str, seed: int) -> None:
    times_s = times(150, jitter=0.3, seed=seed)
    truth = walker(times_s, view_rad=VIEWS[view], phase=seed, speed_per_s=0.4)
    start, length = 40 + 11 * seed, (3, 8, 15)[seed]
    wrong = swapped(noisy(truth, seed), parts, slice(start, start + length))
    touched = [SLOTS.index(f"{side}_{part}") for side in ("left", "right") for part in parts]
    before = error_px(keypoints(wrong, times_s), truth)[start : start + length, touched]
    after = error_px(clean(keypoints(wrong, times_s), smooth=False), truth)[start : start + length, touched]
    assert after.mean() < max(0.3 * before.mean(), 0.02 * HEIGHT_PX)


@pytest.mark.parametrize("rate_hz", [24.0, 60.0])
@pytest.mark.parametrize("steps", [1, 2])
def test_legs_exchanged_where_they_pass_each_other_are_repaired(steps: int, rate_hz: float) -> None:
    times_s = times(int(5 * rate_hz), rate_hz=rate_hz)
    truth = walker(times_s, view_rad=VIEWS["side"], speed_per_s=0.4)
    left, right = (SLOTS.index(f"{side}_ankle") for side in ("left", "right"))
    apart = truth[:, left, 0] - truth[:, right, 0]
    passings = np.flatnonzero(np.sign(apart[1:]) != np.sign(apart[:-1])) + 1
    exchanged = slice(int(passings[2]), int(passings[2 + steps]))
    wrong = swapped(noisy(truth, 3), LEGS, exchanged)
    error = error_px(clean(keypoints(wrong, times_s), smooth=False), truth)
    assert error[:, [left, right]].max() < 0.12 * HEIGHT_PX  # at the passing itself they cannot be told apart
    assert error[:, [left, right]].mean() < 0.02 * HEIGHT_PX


@pytest.mark.parametrize("start_s", [0.8, 2.0])
def test_swapped_sides_are_repaired_where_the_frame_rate_changes(start_s: float) -> None:
    times_s = np.cumsum(np.repeat(1.0 / np.array([30.0, 240.0]), [45, 300]))
    truth = walker(times_s, view_rad=VIEWS["side"], speed_per_s=0.4)
    burst = slice(*np.searchsorted(times_s, [start_s, start_s + 0.2]))
    wrong = swapped(noisy(truth, 1, 0.012), BODY, burst)
    error = error_px(clean(keypoints(wrong, times_s), smooth=False), truth)
    assert error.mean(axis=1).max() < 0.04 * HEIGHT_PX


@pytest.mark.parametrize("seed", range(4))
def test_legs_that_flicker_are_not_exchanged_afterwards(seed: int) -> None:
    times_s = times(240, rate_hz=60.0)
    truth = walker(times_s, view_rad=VIEWS["front"], speed_per_s=0.0)
    wrong, rng = noisy(truth, seed), np.random.default_rng(seed)
    left, right = ([SLOTS.index(f"{side}_{part}") for part in LEGS] for side in ("left", "right"))
    for t in range(200, 206):  # both legs near one of them, as a detector in doubt gives
        middle, half = (wrong[t, left] + wrong[t, right]) / 2, (wrong[t, left] - wrong[t, right]) / 2
        share = rng.uniform(-0.8, 0.8)
        wrong[t, left], wrong[t, right] = middle + share * half, middle - share * half
    result = clean(keypoints(wrong, times_s), smooth=False)
    calm = np.r_[0:200, 206:240]
    assert error_px(result, truth)[calm].max() < 0.08 * HEIGHT_PX


def test_swapped_scores_follow_their_keypoints() -> None:
    times_s = times(90)
    truth = walker(times_s, view_rad=VIEWS["front"])
    scores = np.full(truth.shape[:2], 0.9)
    left_leg = [SLOTS.index(f"left_{part}") for part in LEGS]
    right_leg = [SLOTS.index(f"right_{part}") for part in LEGS]
    scores[:, left_leg] = 0.6
    observed = swapped(truth, LEGS, slice(40, 48))
    scores[40:48, left_leg], scores[40:48, right_leg] = 0.9, 0.6
    result = clean(keypoints(observed, times_s, scores=scores), smooth=False)
    assert_array_equal(result.scores[:, left_leg], 0.6)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("rate_hz", [25.0, 60.0])
def test_outliers_are_repaired(rate_hz: float, seed: int) -> None:
    times_s = times(int(5 * rate_hz), rate_hz=rate_hz, jitter=0.3, seed=seed)
    truth = walker(times_s, view_rad=0.4, speed_per_s=0.4)
    observed = noisy(truth, seed, 0.005)
    rng = np.random.default_rng(seed)
    is_out = np.zeros(truth.shape[:2], dtype=bool)
    for keypoint in rng.choice(28, 10, replace=False):
        for start in rng.choice(np.arange(6, len(times_s) - 8, 12), 3, replace=False):
            length = int(rng.integers(1, 4))
            angle = rng.uniform(0.0, 2.0 * np.pi)
            observed[start : start + length, keypoint] += (
                0.3 * HEIGHT_PX * np.array([np.cos(angle), np.sin(angle)])
            )
            is_out[start : start + length, keypoint] = True
    result = clean(keypoints(observed, times_s))
    error = error_px(result, truth)
    assert np.mean(error[is_out] < 0.05 * HEIGHT_PX) > 0.95
    assert (result.scores[is_out] < 0.9).mean() > 0.95
    assert np.max(error[~is_out]) < 0.06 * HEIGHT_PX
    assert (result.scores[~is_out] < 0.9).mean() < 0.002


def test_a_fast_kick_is_no_outlier() -> None:
    times_s = times(90)
    truth = walker(times_s, speed_per_s=0.0)
    ankle = SLOTS.index("right_ankle")
    kick = np.exp(-(((times_s - 1.5) / 0.09) ** 2))  # out and back in about 0.3 s, 10 m/s at most
    truth[:, ankle] += 0.5 * HEIGHT_PX * kick[:, None] * [1.0, -0.7]
    result = clean(keypoints(truth, times_s))
    assert_array_equal(result.scores, 0.9)
    peak = np.argmax(kick)
    reach = np.linalg.norm(result.xy[peak, ankle] - truth[0, ankle]) / np.linalg.norm(
        truth[peak, ankle] - truth[0, ankle]
    )
    assert reach > 0.97


def test_short_gaps_are_filled_and_long_ones_left() -> None:
    times_s = times(120)
    truth = walker(times_s)
    observed = truth.copy()
    observed[30:36, 9] = np.nan
    observed[60:75, 10] = np.nan
    observed[:4, 11] = np.nan
    result = clean(keypoints(observed, times_s), smooth=False)
    assert error_px(result, truth)[30:36, 9].max() < 0.03 * HEIGHT_PX
    assert_allclose(result.scores[30:36, 9], 0.45)
    for frames, keypoint in ((slice(60, 75), 10), (slice(0, 4), 11)):
        assert np.isnan(result.xy[frames, keypoint]).all()
        assert_array_equal(result.scores[frames, keypoint], 0.0)
    assert np.isfinite(result.xy).all(axis=-1).sum() == truth[..., 0].size - 15 - 4


def test_gaps_are_measured_in_time() -> None:
    times_s = np.concatenate([np.arange(30) / 30.0, 1.0 + MAX_GAP_S + np.arange(30) / 30.0])
    observed = walker(times_s)
    observed[29, 9] = np.nan
    result = clean(keypoints(observed, times_s), smooth=False)
    assert np.isnan(result.xy[29, 9]).all()
    dense = times(60, rate_hz=120.0)
    observed = walker(dense)
    observed[10:40, 9] = np.nan
    assert np.isfinite(clean(keypoints(observed, dense), smooth=False).xy[10:40, 9]).all()


@pytest.mark.parametrize("rate_hz", [30.0, 60.0])
def test_smoothing_passes_slow_and_stops_fast_motion(rate_hz: float) -> None:
    times_s = times(int(6 * rate_hz), rate_hz=rate_hz)
    middle = slice(int(rate_hz), int(5 * rate_hz))

    def gain(frequency_hz: float) -> float:
        wave = np.sin(2.0 * np.pi * frequency_hz * times_s)
        xy = np.repeat(wave[:, None, None], 2, axis=2)
        out = smooth_keypoints(xy, np.ones((len(xy), 1)), times_s)[:, 0, 0]
        return float(np.sqrt((out[middle] ** 2).mean() / (wave[middle] ** 2).mean()))

    assert gain(2.0) > 0.99
    assert gain(CUTOFF_HZ) == pytest.approx(np.sqrt(0.5), abs=0.04)
    assert gain(14.0) < 0.12


def test_smoothing_reduces_noise_and_does_not_delay() -> None:
    times_s = times(240, rate_hz=60.0, jitter=0.3)
    truth = walker(times_s, speed_per_s=0.3)
    observed = noisy(truth, 0, 0.01)
    result = clean(keypoints(observed, times_s))
    before, after = (
        np.sqrt((error_px(each, truth) ** 2).mean()) for each in (keypoints(observed, times_s), result)
    )
    assert after < 0.6 * before
    velocity = np.gradient(truth, times_s, axis=0)
    lag_s = ((result.xy - truth) * velocity).sum() / (velocity**2).sum()
    assert abs(lag_s) < 0.001


def test_confident_neighbours_correct_a_doubtful_point() -> None:
    times_s = times(60, rate_hz=60.0)
    truth = walker(times_s)
    observed, scores = truth.copy(), np.full(truth.shape[:2], 0.9)
    observed[30, 10] += 0.04 * HEIGHT_PX
    scores[30, 10] = 0.05
    result = clean(keypoints(observed, times_s, scores=scores))
    assert error_px(result, truth)[30, 10] < 0.005 * HEIGHT_PX
    assert error_px(result, truth)[25:36, 10].max() < 0.005 * HEIGHT_PX


def test_score_zero_means_missing() -> None:
    times_s = times(60)
    observed = walker(times_s)
    scores = np.full(observed.shape[:2], 0.9)
    observed[20:50, 3], scores[20:50, 3] = 0.0, 0.0
    result = clean(Keypoints2D(observed, scores, times_s, IMAGE_SIZE, SLOTS))
    assert np.isnan(result.xy[20:50, 3]).all()


@pytest.mark.parametrize("num_frames", [0, 1, 2, 3, 5])
def test_hardly_any_frames(num_frames: int) -> None:
    times_s = times(num_frames)
    truth = walker(times_s)
    result = clean(keypoints(truth, times_s))
    assert_allclose(result.xy, truth, atol=1.0)


def test_nothing_known() -> None:
    times_s = times(40)
    result = clean(keypoints(np.full((40, 28, 2), np.nan), times_s))
    assert np.isnan(result.xy).all()
    assert_array_equal(result.scores, 0.0)
