# SPDX-License-Identifier: GPL-3.0-or-later
"""Group laws of quaternions, near the identity too, and agreement with SciPy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vp3d_core.arrays import Array
from vp3d_core.rotations import (
    IDENTITY,
    matrix_from_quat,
    quat_between,
    quat_conjugate,
    quat_continuous,
    quat_from_axis_angle,
    quat_from_matrix,
    quat_multiply,
    quat_rotate,
    quat_slerp,
)

ANGLES = st.one_of(
    st.floats(-np.pi, np.pi),
    st.floats(-1e-9, 1e-9),
    st.sampled_from([0.0, 1e-16, 1e-4, np.pi, -np.pi, np.pi - 1e-9]),
)
COORDINATES = st.floats(-10.0, 10.0)


@st.composite
def directions(draw: st.DrawFn) -> Array:
    azimuth, height = draw(st.floats(-np.pi, np.pi)), draw(st.floats(-1.0, 1.0))
    level = np.sqrt(1.0 - height * height)
    return np.array([level * np.cos(azimuth), level * np.sin(azimuth), height])


@st.composite
def quats(draw: st.DrawFn) -> Array:
    return quat_from_axis_angle(draw(directions()), np.array(draw(ANGLES)))


VECTORS = st.tuples(COORDINATES, COORDINATES, COORDINATES).map(np.array)


def same_rotation(a: Array, b: Array) -> bool:
    return bool(np.allclose(a, b, atol=1e-9) or np.allclose(a, -b, atol=1e-9))


def scipy_of(q: Array) -> Rotation:
    return Rotation.from_quat(q[..., [1, 2, 3, 0]])


@given(quats(), quats(), quats())
def test_product_is_associative(a: Array, b: Array, c: Array) -> None:
    left, right = quat_multiply(quat_multiply(a, b), c), quat_multiply(a, quat_multiply(b, c))
    np.testing.assert_allclose(left, right, atol=1e-12)


@given(quats())
def test_identity_and_inverse(q: Array) -> None:
    np.testing.assert_allclose(quat_multiply(q, IDENTITY), q, atol=1e-15)
    np.testing.assert_allclose(quat_multiply(IDENTITY, q), q, atol=1e-15)
    np.testing.assert_allclose(quat_multiply(q, quat_conjugate(q)), IDENTITY, atol=1e-12)


@given(quats(), quats(), VECTORS)
def test_rotation_is_a_homomorphism_and_keeps_lengths(a: Array, b: Array, v: Array) -> None:
    np.testing.assert_allclose(
        quat_rotate(quat_multiply(a, b), v), quat_rotate(a, quat_rotate(b, v)), atol=1e-10
    )
    np.testing.assert_allclose(np.linalg.norm(quat_rotate(a, v)), np.linalg.norm(v), atol=1e-10)


@given(quats(), quats(), VECTORS)
def test_agrees_with_scipy(a: Array, b: Array, v: Array) -> None:
    np.testing.assert_allclose(matrix_from_quat(a), scipy_of(a).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(quat_rotate(a, v), scipy_of(a).apply(v), atol=1e-10)
    product = (scipy_of(a) * scipy_of(b)).as_quat()[[3, 0, 1, 2]]
    assert same_rotation(quat_multiply(a, b), product)


@given(quats())
def test_matrix_round_trip(q: Array) -> None:
    assert same_rotation(quat_from_matrix(matrix_from_quat(q)), q)


@given(directions(), directions())
def test_between_brings_one_direction_onto_the_other(a: Array, b: Array) -> None:
    q = quat_between(a, b)
    np.testing.assert_allclose(np.linalg.norm(q), 1.0, atol=1e-12)
    np.testing.assert_allclose(quat_rotate(q, a), b, atol=3e-4)  # within the switch to half a turn
    if a @ b > -0.999:
        np.testing.assert_allclose(quat_rotate(q, a), b, atol=1e-9)
        np.testing.assert_allclose(q[1:] @ a, 0.0, atol=1e-9)


@given(quats(), quats(), st.floats(0.0, 1.0))
def test_slerp_agrees_with_scipy(a: Array, b: Array, fraction: float) -> None:
    way = scipy_of(b) * scipy_of(a).inv()
    if way.magnitude() > np.pi - 1e-3:
        return  # both ways round are equally short
    wanted = (Rotation.from_rotvec(fraction * way.as_rotvec()) * scipy_of(a)).as_matrix()
    got = matrix_from_quat(quat_slerp(a, b, np.array(fraction)))
    np.testing.assert_allclose(got, wanted, atol=1e-6)


@given(st.lists(quats(), min_size=1, max_size=8))
def test_continuous_changes_signs_only(sequence: list[Array]) -> None:
    q = np.array(sequence)
    continuous = quat_continuous(q)
    assert ((continuous[1:] * continuous[:-1]).sum(-1) >= -1e-12).all()
    np.testing.assert_allclose(matrix_from_quat(continuous), matrix_from_quat(q), atol=1e-12)
