# SPDX-License-Identifier: GPL-3.0-or-later
"""The field's errors, by hand and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes
from scipy.spatial.transform import Rotation

from vp3d_core.arrays import Array
from vp3d_core.train.metrics import jitter, mpjpe, mpjve, n_mpjpe, p_mpjpe, procrustes


def poses(seed: int, frames: int = 6, joints: int = 17) -> Array:
    return np.random.default_rng(seed).normal(size=(frames, joints, 3))


def test_mpjpe_is_the_mean_distance() -> None:
    target = np.zeros((2, 2, 3))
    predicted = np.array([[[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 1.0], [2.0, 0.0, 0.0]]])
    assert mpjpe(predicted, target) == pytest.approx((5 + 0 + 1 + 2) / 4)


def test_n_mpjpe_forgives_a_scale_and_nothing_else() -> None:
    target = poses(0)
    assert n_mpjpe(2.0 * target, target) == pytest.approx(0.0, abs=1e-9)
    # One joint a frame: (1, 0, 0) against (1, 1, 0). The best scale is 1, the error 1.
    assert n_mpjpe(np.array([[[1.0, 0, 0]]]), np.array([[[1.0, 1, 0]]])) == pytest.approx(1.0)
    turned = target @ Rotation.from_rotvec([0.0, 0.0, 0.5]).as_matrix().T
    assert n_mpjpe(turned, target) > 0.1


def test_p_mpjpe_forgives_a_similarity() -> None:
    target = poses(1)
    turns = Rotation.from_rotvec(poses(0, joints=1)[:, 0]).as_matrix()
    moved = 0.3 * np.einsum("tij,tkj->tki", turns, target) + poses(2, joints=1)
    assert p_mpjpe(moved, target) == pytest.approx(0.0, abs=1e-9)


def test_p_mpjpe_does_not_forgive_a_reflection() -> None:
    target = poses(3)
    assert p_mpjpe(target * [-1.0, 1.0, 1.0], target) > 0.2


def test_procrustes_equals_scipys_where_that_needs_no_reflection() -> None:
    predicted = poses(4)
    target = predicted + 0.2 * poses(5)
    for p, t in zip(predicted, target, strict=True):
        centred = t - t.mean(0)
        _, _, disparity = scipy_procrustes(t, p)
        ours = procrustes(p, t) - t.mean(0)
        assert ((ours - centred) ** 2).sum() / (centred**2).sum() == pytest.approx(disparity)


def test_procrustes_turns_as_scipys_align_vectors() -> None:
    target = poses(6)
    predicted = poses(7)  # unrelated: half of the best orthogonal matrices are reflections
    for p, t in zip(predicted, target, strict=True):
        p, t = p - p.mean(0), t - t.mean(0)
        turn = Rotation.align_vectors(t, p)[0]
        turned = turn.apply(p)
        scale = (turned * t).sum() / (p**2).sum()
        assert np.allclose(procrustes(p, t), scale * turned, atol=1e-9)


def test_mpjve_is_a_second_not_a_frame() -> None:
    seconds = np.arange(10) / 30.0
    target = np.zeros((10, 1, 3))
    predicted = target + 2.0 * seconds[:, None, None] * [1.0, 0.0, 0.0]
    assert mpjve(predicted, target, rate_hz=30.0) == pytest.approx(2.0)
    assert mpjve(target + 1.0, target, rate_hz=30.0) == pytest.approx(0.0)


def test_jitter_is_the_third_derivative() -> None:
    seconds = np.arange(12) / 25.0
    cubic = (seconds**3)[:, None, None] * np.array([0.0, 0.0, 1.0])
    assert jitter(cubic, rate_hz=25.0) == pytest.approx(6.0)
    assert jitter(seconds[:, None, None] ** 2 * np.ones(3), rate_hz=25.0) == pytest.approx(0.0, abs=1e-6)


def test_leading_axes_are_kept() -> None:
    predicted = np.stack([poses(8), poses(9)])
    target = np.stack([poses(10), poses(11)])
    each = [p_mpjpe(p, t) for p, t in zip(predicted, target, strict=True)]
    assert p_mpjpe(predicted, target) == pytest.approx(float(np.mean(each)))
    assert mpjve(predicted, target, rate_hz=1.0) == pytest.approx(
        float(np.mean([mpjve(p, t, rate_hz=1.0) for p, t in zip(predicted, target, strict=True)]))
    )
