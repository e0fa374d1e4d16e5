# SPDX-License-Identifier: GPL-3.0-or-later
"""Euler angles and axis-angles of quaternions, continuous in time, for Blender's rotation modes and BVH.

An order such as "XYZ" names the axes in the order in which they turn: R = Rz Ry Rx. Angles are given as
(x, y, z) whatever the order, as in ``rotation_euler``.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array, BoolArray, IntArray
from .rotations import (
    matrix_from_quat,
    normalize,
    quat_conjugate,
    quat_continuous,
    quat_from_axis_angle,
    quat_multiply,
)

__all__ = ["EULER_ORDERS", "axis_angle_from_quat", "euler_from_quat", "quat_from_euler"]

EULER_ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
GIMBAL_COSINE = 1e-6  # of the middle angle; below it only the sum of the outer two is defined


def quat_from_euler(angles_rad: Array, order: str) -> Array:
    """Return quaternions (..., 4) of angles (..., 3) about x, y and z in rad, turned in the given order."""
    turns = [quat_from_axis_angle(np.eye(3)[axis], angles_rad[..., axis]) for axis in _axes(order)]
    return quat_multiply(turns[2], quat_multiply(turns[1], turns[0]))


def euler_from_quat(quats: Array, order: str, *, before: Array | None = None) -> Array:
    """Return angles (T, 3) about x, y and z in rad that stay as close to the frame before as they can.

    Args:
        quats: (T, 4) unit quaternions.
        order: One of ``EULER_ORDERS``.
        before: (3,) rad that the first frame is to be close to; None takes zeros.

    Of the two triples of each rotation the one is taken that is nearer to the frame before; whole turns
    never jump. In gimbal lock the first axis holds still.
    """
    first, middle, last = _axes(order)
    matrices = matrix_from_quat(quats)
    sign = 1.0 if (middle - first) % 3 == 1 else -1.0
    cosine = np.hypot(matrices[:, last, middle], matrices[:, last, last])
    locked = cosine < GIMBAL_COSINE
    start = np.zeros(3) if before is None else np.asarray(before, dtype=np.float64)
    a = np.arctan2(sign * matrices[:, last, middle], matrices[:, last, last])
    a = _held(a, locked, start[first])
    rest = matrix_from_quat(quat_multiply(quats, quat_conjugate(quat_from_axis_angle(np.eye(3)[first], a))))
    b = np.arctan2(-sign * rest[:, last, first], rest[:, last, last])
    c = np.arctan2(-sign * rest[:, first, middle], rest[:, middle, middle])
    one = np.stack([a, b, c], axis=-1)
    other = np.stack([a + np.pi, np.pi - b, c + np.pi], axis=-1)
    chosen = _nearest_path(one, other, start[[first, middle, last]])
    unwrapped = np.unwrap(np.concatenate([start[None, [first, middle, last]], chosen]), axis=0)[1:]
    result = np.empty_like(unwrapped)
    result[:, [first, middle, last]] = unwrapped
    return result


def axis_angle_from_quat(quats: Array) -> Array:
    """Return (T, 4) angle in rad, then unit axis, of quaternions (T, 4), continuous in time.

    Where nothing turns, the axis is that of the frame before; the first one is Blender's +y.
    """
    q = quat_continuous(quats)
    sine = np.linalg.norm(q[:, 1:], axis=-1)
    still = sine < 1e-9
    angle = 2.0 * np.arctan2(sine, q[:, 0])
    axis = normalize(q[:, 1:])
    axis[still] = 0.0
    last_turning = np.maximum.accumulate(np.where(still, -1, np.arange(len(q))))
    axis = np.where(last_turning[:, None] < 0, np.array([0.0, 1.0, 0.0]), axis[last_turning])
    flips = np.ones(len(q))
    flips[1:] = np.where((axis[1:] * axis[:-1]).sum(-1) < 0, -1.0, 1.0)
    sign = np.cumprod(flips)
    return np.concatenate([np.unwrap(angle * sign)[:, None], axis * sign[:, None]], axis=-1)


def _axes(order: str) -> tuple[int, int, int]:
    if order not in EULER_ORDERS:
        raise ValueError(f"Euler order is {order!r}, expected one of {', '.join(EULER_ORDERS)}")
    first, middle, last = ("XYZ".index(letter) for letter in order)
    return first, middle, last


def _held(angles: Array, locked: BoolArray, start: float) -> Array:
    """Return angles (T,) with those of locked frames replaced by the last free one before."""
    free = np.maximum.accumulate(np.where(locked, -1, np.arange(len(angles))))
    return np.where(free < 0, start, angles[free])


def _nearest_path(one: Array, other: Array, start: Array) -> Array:
    """Return (T, 3): in each frame that of two triples which is nearer to the one chosen before.

    Each frame maps the choice before (0 or 1) to its own: it sets it, keeps it or swaps it. The last frame
    that sets it and the number of swaps since give the choice without a loop over frames.
    """
    options = np.stack([one, other])  # (2, T, 3)
    previous = np.concatenate([np.broadcast_to(start, (2, 1, 3)), options[:, :-1]], axis=1)
    from_one, from_other = (_nearer(options, previous[choice]) for choice in (0, 1))
    swaps = np.cumsum((from_one == 1) & (from_other == 0))
    index = np.arange(len(one))
    last_set = np.maximum.accumulate(np.where(from_one == from_other, index, 0))  # frame 0 is always set
    choice = (from_one[last_set] + swaps - swaps[last_set]) % 2
    return options[choice, index]


def _nearer(options: Array, previous: Array) -> IntArray:
    """Return (T,) which of two triples (2, T, 3) lies nearer to (T, 3), whole turns aside."""
    turns = (options - previous + np.pi) % (2.0 * np.pi) - np.pi
    return np.abs(turns).sum(-1).argmin(axis=0)
