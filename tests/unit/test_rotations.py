# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from vp3d_core.rotations import (
    IDENTITY,
    matrix_from_quat,
    normalize,
    quat_between,
    quat_continuous,
    quat_from_axis_angle,
    quat_from_matrix,
    quat_multiply,
    quat_rotate,
    quat_slerp,
)

Z = np.array([0.0, 0.0, 1.0])


def test_quarter_turn_about_z_takes_x_to_y() -> None:
    quarter = quat_from_axis_angle(Z, np.array(np.pi / 2))
    assert quat_rotate(quarter, np.array([1.0, 0.0, 0.0])) == pytest.approx([0.0, 1.0, 0.0])
    assert matrix_from_quat(quarter)[:, 0] == pytest.approx([0.0, 1.0, 0.0])


def test_a_product_turns_by_its_second_factor_first() -> None:
    about_z = quat_from_axis_angle(Z, np.array(np.pi / 2))
    about_x = quat_from_axis_angle(np.array([1.0, 0.0, 0.0]), np.array(np.pi / 2))
    turned = quat_rotate(quat_multiply(about_z, about_x), np.array([0.0, 1.0, 0.0]))
    assert turned == pytest.approx(quat_rotate(about_z, np.array([0.0, 0.0, 1.0])))


def test_between_opposite_directions_is_half_a_turn() -> None:
    for direction in np.eye(3):
        half = quat_between(direction, -direction)
        assert quat_rotate(half, direction) == pytest.approx(-direction)
        assert abs(half[0]) < 1e-9


def test_normalize_gives_zeros_for_zeros() -> None:
    assert normalize(np.zeros((2, 3))).tolist() == [[0.0] * 3] * 2


def test_signs_are_continuous_over_several_turns() -> None:
    angles = np.linspace(0.0, 6 * np.pi, 100)
    quats = quat_from_matrix(matrix_from_quat(quat_from_axis_angle(Z, angles)))
    assert ((quats[1:] * quats[:-1]).sum(-1) < 0).any()
    continuous = quat_continuous(quats)
    assert ((continuous[1:] * continuous[:-1]).sum(-1) > 0.9).all()
    assert continuous[0] == pytest.approx(quats[0])


def test_slerp_goes_the_short_way_at_constant_speed() -> None:
    end = quat_from_axis_angle(Z, np.array(1.0))
    steps = quat_slerp(np.tile(IDENTITY, (5, 1)), np.tile(-end, (5, 1)), np.linspace(0, 1, 5))
    assert 2 * np.arctan2(steps[:, 3], steps[:, 0]) == pytest.approx(np.linspace(0, 1, 5))
