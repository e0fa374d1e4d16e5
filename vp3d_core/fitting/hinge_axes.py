# SPDX-License-Identifier: GPL-3.0-or-later
"""About which axis a limb bends, also while it is straight: no flips. numpy only."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..filters import gaussian_smooth
from ..rotations import IDENTITY, normalize, quat_between, quat_conjugate, quat_multiply, quat_rotate
from .body_shape import axes_from

__all__ = ["HINGE_REACH_S", "hinge_axes", "smooth_axes"]

HINGE_SMOOTHING_S = 0.07
TURN_OVER_S = 0.05
HINGE_HOLD_S = 0.6  # a straight limb keeps the plane it had within about this time
HINGE_REACH_S = 4.2 * (HINGE_HOLD_S + TURN_OVER_S)  # frames further apart do not influence each other
HINGE_HOLD_SHARE = 0.15
# Share of anatomy against sin²(bend): 15 mm of noise over a bone of 28 cm make the plane uncertain by
# 0.054 / sin(bend) rad, anatomy by 0.6 rad; (0.054 / 0.6)² = 0.0081.
HINGE_PRIOR = 0.0081
BACKWARD_SHARE = 0.25  # knees and elbows do not bend backwards: what says so is mostly noise


def hinge_axes(first: Array, second: Array, *, prior: Array, parent_turns: Array, rate_hz: float) -> Array:
    """Return the axis about which a limb's second bone turns against its first, also while it is straight.

    The axis is seen in the parent's frame, carried along with the first bone the shortest way (parallel
    transport), as an angle about that bone: so it can be averaged over time with the bend as weight, and a
    limb that gets straight keeps its plane. Anatomy decides where nothing else does.

    Args:
        first: (T, 3) unit, the upper bone's direction, world.
        second: (T, 3) unit, the lower bone's.
        prior: (T, 3) the anatomical axis, world; its length is its weight.
        parent_turns: (T, 4) world rotation of the part that carries the limb.
        rate_hz: Frames per second.

    Returns:
        (T, 3) unit, at right angles to ``first``.
    """
    normal = np.cross(first, second)
    data = normal * np.linalg.norm(normal, axis=-1, keepdims=True)
    backward = (normal * prior).sum(-1, keepdims=True) < 0.0
    data = np.where(backward, BACKWARD_SHARE * data, data)
    return smooth_axes(
        first, data + HINGE_PRIOR * prior, held=data, parent_turns=parent_turns, rate_hz=rate_hz
    )


def smooth_axes(bone: Array, axes: Array, *, held: Array, parent_turns: Array, rate_hz: float) -> Array:
    """Average over time axes (T, 3) about a moving bone (T, 3); their lengths are their weights.

    Args:
        bone: (T, 3) unit, world.
        axes: (T, 3) evidence, averaged over ``HINGE_SMOOTHING_S``.
        held: (T, 3) evidence that also counts over ``HINGE_HOLD_S``, with a smaller share.
        parent_turns: (T, 4) world rotation of the part that carries the bone.
        rate_hz: Frames per second.

    Returns:
        (T, 3) unit, at right angles to ``bone``.
    """
    into_parent = quat_conjugate(parent_turns)
    bone = quat_rotate(into_parent, bone)
    carried = _cumulative(quat_between(bone[:-1], bone[1:]))
    basis = axes_from(bone[0], np.array([1.0, 0.3, 0.2]))
    e1, e2 = quat_rotate(carried, basis[:, 0]), quat_rotate(carried, basis[:, 1])

    def angle(vectors: Array) -> Array:
        local = quat_rotate(into_parent, vectors)
        return np.stack([(local * e1).sum(-1), (local * e2).sum(-1)], axis=-1)

    mixed = gaussian_smooth(angle(axes), HINGE_SMOOTHING_S * rate_hz)
    mixed += HINGE_HOLD_SHARE * gaussian_smooth(angle(held), HINGE_HOLD_S * rate_hz)
    mixed = normalize(mixed + np.array([1e-12, 0.0]), minimum=1e-15)
    # Once more as plain directions: where the evidence turns over, the axis takes some frames to do so.
    mixed = normalize(gaussian_smooth(mixed, TURN_OVER_S * rate_hz) + 1e-6 * mixed, minimum=1e-15)
    return quat_rotate(parent_turns, mixed[:, :1] * e1 + mixed[:, 1:] * e2)


def _cumulative(steps: Array) -> Array:
    """Return (N + 1, 4) products of the steps (N, 4) up to each: 1, s0, s1 s0, s2 s1 s0 … by doubling."""
    product = np.concatenate([IDENTITY[None], steps])
    reach = 1
    while reach < len(product):
        product[reach:] = normalize(quat_multiply(product[reach:], product[:-reach]))
        reach *= 2
    return product
