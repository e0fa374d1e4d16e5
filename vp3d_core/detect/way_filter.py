# SPDX-License-Identifier: GPL-3.0-or-later
"""A robust Kalman filter of the ways between pairs of keypoints, for many histories at a time. numpy only.

State of each pair and coordinate: position, velocity and acceleration, which wanders. Errors have heavy
tails (Student's t): the farther off a frame is, the less the filter follows it, and the less it claims to
know afterwards. Both coordinates share a covariance.

Source: Bar-Shalom et al. 2001, sec. 6.2.3 (discretised white-noise jerk); weights by one step of
expectation maximisation for Student's t, Lange et al. 1989.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, BoolArray, IntArray

__all__ = ["WayStates", "carry", "first_states", "misfit", "update"]

# What is known before the first frame: position, velocity, acceleration in heights and s.
FIRST_SD = (0.5, 1.5, 8.0)
FREEDOM = 3.0  # degrees, of Student's t
# Covariance that a wandering acceleration adds in a step: its length to these powers, by these numbers.
STEP_POWERS = np.array([[5, 4, 3], [4, 3, 2], [3, 2, 1]])
STEP_DIVISORS = np.array([[20.0, 8.0, 6.0], [8.0, 3.0, 2.0], [6.0, 2.0, 1.0]])


@dataclass(frozen=True, slots=True, eq=False)
class WayStates:
    """What H histories know of P pairs. The short axes come first: long rows are quick to compute with.

    Attributes:
        means: (3, 2, H, P) position, velocity, acceleration of both coordinates, heights and s.
        covariances: (3, 3, H, P) of each coordinate.
    """

    means: Array
    covariances: Array

    def taken(self, histories: IntArray) -> WayStates:
        """Return some histories, also repeatedly."""
        return WayStates(self.means.take(histories, axis=2), self.covariances.take(histories, axis=2))


def first_states(num_pairs: int) -> WayStates:
    """Return one history before the first frame."""
    covariance = np.diag(np.square(FIRST_SD))[:, :, None, None]
    return WayStates(np.zeros((3, 2, 1, num_pairs)), np.tile(covariance, (1, 1, 1, num_pairs)))


def carry(states: WayStates, step_s: float, jerk: Array) -> WayStates:
    """Predict the states after a step.

    Args:
        states: Before it.
        step_s: Its length, s.
        jerk: (P,) root of the spectral density of the acceleration's derivative, heights/s^2.5.
    """
    forward = np.array([[1.0, step_s, step_s**2 / 2.0], [0.0, 1.0, step_s], [0.0, 0.0, 1.0]])
    means = forward @ states.means.reshape(3, -1)
    rows = forward @ states.covariances.reshape(3, -1)
    covariances = (forward @ rows.reshape(3, 3, -1)).reshape(states.covariances.shape)  # forward C forward'
    wandered = (step_s**STEP_POWERS / STEP_DIVISORS)[:, :, None, None] * jerk**2
    return WayStates(means.reshape(states.means.shape), covariances + wandered)


def misfit(states: WayStates, ways: Array, noise: float) -> Array:
    """Return (N, H, P) the negative log likelihood of N guesses at the ways (N, 2, P), but for a constant.

    Args:
        states: Predicted for the frame.
        ways: In heights.
        noise: Standard deviation of a coordinate.
    """
    variance = states.covariances[0, 0] + noise**2
    squared = ((ways[:, :, None] - states.means[0]) ** 2).sum(axis=1) / variance
    return np.log(variance) + (FREEDOM + 2.0) / 2.0 * np.log1p(squared / FREEDOM)


def update(states: WayStates, ways: Array, seen: BoolArray, noise: float) -> WayStates:
    """Learn from a frame.

    Args:
        states: Predicted for the frame.
        ways: (2, H, P) as each history takes them.
        seen: (P,).
        noise: Standard deviation of a coordinate.
    """
    errors = ways - states.means[0]
    known = states.covariances[0, 0]
    squared = (errors**2).sum(axis=0) / (known + noise**2)
    weights = (FREEDOM + 2.0) / (FREEDOM + squared)
    shares = np.where(seen, 1.0 / (known + noise**2 / weights), 0.0)
    gains = (states.covariances[:, 0] * shares)[:, None]
    return WayStates(states.means + gains * errors, states.covariances - gains * states.covariances[0])
