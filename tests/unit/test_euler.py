# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from vp3d_core.euler import EULER_ORDERS, axis_angle_from_quat, euler_from_quat, quat_from_euler
from vp3d_core.rotations import matrix_from_quat, quat_from_axis_angle, quat_rotate


def test_an_order_names_the_axes_as_they_turn() -> None:
    quarter = np.pi / 2
    q = quat_from_euler(np.array([quarter, 0.0, quarter]), "XYZ")
    # About x first, then about z: y goes up to z and stays there.
    np.testing.assert_allclose(quat_rotate(q, np.array([0.0, 1.0, 0.0])), [0.0, 0.0, 1.0], atol=1e-12)
    q = quat_from_euler(np.array([quarter, 0.0, quarter]), "ZYX")
    np.testing.assert_allclose(quat_rotate(q, np.array([0.0, 1.0, 0.0])), [-1.0, 0.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("order", EULER_ORDERS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_two_whole_turns_do_not_jump(order: str, axis: int) -> None:
    angles = np.zeros((200, 3))
    angles[:, axis] = np.linspace(0.0, 4.0 * np.pi, 200)
    found = euler_from_quat(quat_from_euler(angles, order), order)
    np.testing.assert_allclose(matrix_from_quat(quat_from_euler(found, order)),
                               matrix_from_quat(quat_from_euler(angles, order)), atol=1e-9)  # fmt: skip
    np.testing.assert_allclose(found, angles, atol=1e-6)


@pytest.mark.parametrize("order", EULER_ORDERS)
def test_gimbal_lock_holds_the_first_axis(order: str) -> None:
    first, middle, last = ("XYZ".index(letter) for letter in order)
    angles = np.zeros((30, 3))
    angles[:, first], angles[:, middle] = 0.4, np.pi / 2
    angles[:, last] = np.linspace(0.0, 2.0, 30)
    found = euler_from_quat(quat_from_euler(angles, order), order, before=angles[0])
    np.testing.assert_allclose(found, angles, atol=1e-6)


@pytest.mark.parametrize("order", EULER_ORDERS)
def test_through_the_lock_and_back_only_the_middle_axis_turns(order: str) -> None:
    first, middle, last = ("XYZ".index(letter) for letter in order)
    angles = np.zeros((7, 3))
    angles[:, first], angles[:, last] = 0.4, 0.3
    angles[:, middle] = np.radians([70.0, 80.0, 90.0, 100.0, 90.0, 80.0, 70.0])
    found = euler_from_quat(quat_from_euler(angles, order), order, before=angles[0])
    np.testing.assert_allclose(found, angles, atol=1e-6)


def test_the_first_frame_stays_close_to_what_was_before() -> None:
    angles = np.array([[0.1, 0.2, 0.3]])
    before = angles[0] + [2 * np.pi, 0.0, -2 * np.pi]
    found = euler_from_quat(quat_from_euler(angles, "XYZ"), "XYZ", before=before)
    np.testing.assert_allclose(found[0], before, atol=1e-9)


def test_an_unknown_order_is_named() -> None:
    with pytest.raises(ValueError, match="'XYX', expected one of XYZ"):
        euler_from_quat(np.array([[1.0, 0.0, 0.0, 0.0]]), "XYX")


def test_axis_angles_keep_their_axis_through_whole_turns() -> None:
    axis = np.array([0.6, 0.0, 0.8])
    angles = np.linspace(0.0, 3.0 * np.pi, 100)
    found = axis_angle_from_quat(quat_from_axis_angle(np.tile(axis, (100, 1)), angles))
    np.testing.assert_allclose(found[1:, 0], angles[1:], atol=1e-9)
    np.testing.assert_allclose(found[1:, 1:], np.tile(axis, (99, 1)), atol=1e-9)


def test_no_rotation_is_angle_zero() -> None:
    found = axis_angle_from_quat(np.tile([1.0, 0.0, 0.0, 0.0], (3, 1)))
    np.testing.assert_array_equal(found, np.tile([0.0, 0.0, 1.0, 0.0], (3, 1)))
