# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vp3d_core.euler import EULER_ORDERS, axis_angle_from_quat, euler_from_quat, quat_from_euler
from vp3d_core.rotations import matrix_from_quat, normalize, quat_from_axis_angle

seeds = st.integers(0, 2**32 - 1)


def wandering_angles(seed: int, *, step_rad: float) -> np.ndarray:
    """Angles (200, 3) that change a little from frame to frame, through any number of turns."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.uniform(-step_rad, step_rad, (200, 3)) + rng.uniform(-0.05, 0.05, 3), axis=0)


@given(seeds, st.sampled_from(EULER_ORDERS))
def test_euler_angles_give_the_rotation_back(seed: int, order: str) -> None:
    quats = normalize(np.random.default_rng(seed).normal(size=(50, 4)))
    back = quat_from_euler(euler_from_quat(quats, order), order)
    np.testing.assert_allclose(matrix_from_quat(back), matrix_from_quat(quats), atol=1e-5)


@given(seeds, st.sampled_from(EULER_ORDERS))
def test_no_nearer_triple_is_left_out(seed: int, order: str) -> None:
    quats = quat_from_euler(wandering_angles(seed, step_rad=0.1), order)
    found = euler_from_quat(quats, order)
    first, middle, last = ("XYZ".index(letter) for letter in order)
    other = found.copy()
    other[:, first] += np.pi
    other[:, middle] = np.pi - other[:, middle]
    other[:, last] += np.pi
    steps = np.abs(np.diff(found, axis=0)).sum(-1)
    turned = (other[1:] - found[:-1] + np.pi) % (2 * np.pi) - np.pi
    assert (steps <= np.abs(turned).sum(-1) + 1e-6).all()
    assert (np.abs(np.diff(found, axis=0)) <= np.pi + 1e-9).all()


@given(seeds)
def test_axis_angles_give_the_rotation_back(seed: int) -> None:
    quats = quat_from_euler(wandering_angles(seed, step_rad=0.2), "XYZ")
    found = axis_angle_from_quat(quats)
    back = quat_from_axis_angle(found[:, 1:], found[:, 0])
    np.testing.assert_allclose(matrix_from_quat(back), matrix_from_quat(quats), atol=1e-9)
    assert (np.abs(np.diff(found[:, 0])) <= np.pi + 1e-9).all()
