# SPDX-License-Identifier: GPL-3.0-or-later
"""Legs that reach as far in depth as the path says: a foot that stands does not move with the body.

Where the lifter is unsure of depth it shortens it: of a stride towards the camera it gave 60 %, of one away
from it 16 %. The path in depth comes from the person's size in the picture, which does not shrink. So what a
standing foot seems to slip along its ray is the missing part of the stride; it is given back to the leg,
and run over from one stance to the next. numpy only.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..arrays import Array
from ..filters import frame_step, gaussian_smooth
from ..fitting.foot_contacts import contact_runs
from ..fitting.foot_lock import carried
from ..pose import Pose3D, Trajectory
from ..skeletons import JOINTS

__all__ = ["hold_standing_feet"]

SURE_CONTACT, NO_CONTACT = 0.7, 0.3  # probability: counts in full, not at all
LEAST_WEIGHT = 0.25  # of toe and heel together, to be held
MOVING_M_S = (
    0.3  # a root faster than this in depth tells standing feet, which go against it, from swinging ones
)
ROOT_SMOOTHING_S, FOOT_SMOOTHING_S, SMOOTHING_S = 0.1, 0.08, 0.03
LARGEST_M = 0.4  # of a correction
SHORTEST_RUN = 3  # frames
SHARES = (("toe", 1.0), ("heel", 1.0), ("ankle", 1.0), ("knee", 0.5))


def hold_standing_feet(pose: Pose3D, trajectory: Trajectory) -> Pose3D:
    """Return the pose with legs moved along their rays so that standing feet stay where they are.

    The joints are a copy, even where none is moved.

    Args:
        pose: (T, 25, 3) m, root-relative, camera axes.
        trajectory: The root's path.
    """
    joints = pose.joints.copy()
    if len(pose.times_s) < SHORTEST_RUN + 1:
        return dataclasses.replace(pose, joints=joints)
    rate_hz = 1.0 / frame_step(pose.times_s)
    durations = np.gradient(pose.times_s)[:, None]
    root_steps = _steps(trajectory.root[:, 2:].astype(np.float64), ROOT_SMOOTHING_S * rate_hz)
    for side, contacts in (("left", pose.contacts[:, :2]), ("right", pose.contacts[:, 2:])):
        points = [JOINTS.index(f"{side}_toe"), JOINTS.index(f"{side}_heel")]
        own_steps = _steps(pose.joints[:, points, 2].astype(np.float64), FOOT_SMOOTHING_S * rate_hz)
        against = (own_steps * np.sign(root_steps) < 0) | (np.abs(root_steps) < MOVING_M_S * durations)
        share = (contacts.astype(np.float64) - NO_CONTACT) / (SURE_CONTACT - NO_CONTACT)
        depths = pose.joints[:, points, 2] + trajectory.root[:, 2:]
        correction = _correction(depths, np.clip(share, 0.0, 1.0) * against, rate_hz)
        for part, amount in SHARES:
            joint = JOINTS.index(f"{side}_{part}")
            placed = pose.joints[:, joint] + trajectory.root
            rays = placed / np.maximum(placed[:, 2:], 0.3)
            joints[:, joint] += amount * correction[:, None] * rays
    return dataclasses.replace(pose, joints=joints)


def _correction(depths: Array, standing: Array, rate_hz: float) -> Array:
    """Return (T,) m in depth that takes the slip out of stances.

    Args:
        depths: (T, 2) m of toe and heel.
        standing: (T, 2) in [0, 1].
        rate_hz: Frames a second.
    """
    weights = standing[1:] * standing[:-1]
    total = weights.sum(axis=1)
    slips = (weights * np.diff(depths, axis=0)).sum(axis=1) / np.maximum(total, 1e-9)
    held = np.zeros(len(depths), dtype=bool)
    held[1:] |= total > LEAST_WEIGHT
    held[:-1] |= total > LEAST_WEIGHT
    slips = np.where(total > LEAST_WEIGHT, slips, 0.0)
    correction = np.zeros(len(depths))
    for start, end in contact_runs(held):
        if end - start < SHORTEST_RUN:
            continue
        slipped = np.concatenate([[0.0], np.cumsum(slips[start : end - 1])])
        correction[start:end] = slipped.mean() - slipped  # in the middle of a stance the lifter is right
    correction = carried(np.clip(correction, -LARGEST_M, LARGEST_M)[:, None], held, rate_hz)[:, 0]
    return gaussian_smooth(correction, SMOOTHING_S * rate_hz)


def _steps(depths: Array, smoothing_frames: float) -> Array:
    """Return how far depths (T, N) m go from frame to frame, m."""
    return np.gradient(gaussian_smooth(depths, smoothing_frames), axis=0)
