# SPDX-License-Identifier: GPL-3.0-or-later
"""Feet that rest in the picture stand. numpy only.

The lifter judges contacts from the body's shape in a view that moves with the body; where runs, dances or
views are unusual it is unsure. A camera that stands still shows more: the keypoints of a foot that stands do
not move. That evidence is added to the lifter's, as far as the feet that it takes to stand do rest in the
picture: with a camera that pans or follows they do not.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..arrays import Array
from ..camera import Camera
from ..filters import frame_step, gaussian_smooth
from ..keypoints import Keypoints2D
from ..motion import CONTACT_JOINTS
from ..pose import Pose3D
from ..skeletons import SLOTS
from ..time_blocks import time_blocks
from .trajectory import SLOT_NAMES, weak_perspective_depths

__all__ = ["add_seen_contacts"]

_FEET = [SLOTS.index(SLOT_NAMES.get(joint, joint)) for joint in CONTACT_JOINTS]

# Log odds of standing = those of the lifter + SHARPNESS log(RESTING / speed), fitted to thirteen rendered
# clips of training motions: at RESTING the speed across the picture says nothing.
RESTING_M_S = 0.36
SHARPNESS = 2.0
MOST_LOG_ODDS = 2.5  # either way
SPEED_SMOOTHING_S = 0.03
LEAST_PROBABILITY = 0.05  # the lifter is never surer than this, or than its opposite
CONFIDENT = 0.5  # contacts from this probability tell whether the camera stands still
STILL_SHARES = (0.3, 0.6)  # of such contacts that rest in the picture: the camera moves, it stands
STILL_WINDOW_S = 2.0
REACH_S = 4.0 * STILL_WINDOW_S + 0.5  # frames further apart do not influence each other
PRIOR_STILL = 0.02  # weight of the assumption that it stands, beside feet that count up to 0.5 each


def add_seen_contacts(pose: Pose3D, keypoints: Keypoints2D, camera: Camera) -> Pose3D:
    """Return the pose with contacts that also heed whether the feet move in the picture.

    Args:
        pose: (T, 25, 3) m at the person's size, with the lifter's contacts.
        keypoints: (T, 28) slots at the same times.
        camera: Intrinsics and distortion; its place is not used.
    """
    if len(pose.times_s) < 3:
        return pose
    rate_hz = 1.0 / frame_step(pose.times_s)
    depths = weak_perspective_depths(pose, keypoints, camera)
    contacts = np.empty_like(pose.contacts)
    for block in time_blocks(len(contacts), margin=int(np.ceil(REACH_S * rate_hz))):
        rows = block.read
        feet = keypoints.xy[rows, _FEET], keypoints.scores[rows, _FEET]
        speeds = _speeds_across(*feet, depths[rows], camera, pose.times_s[rows], rate_hz=rate_hz)
        contacts[block.kept] = _judged(pose.contacts[rows], speeds, rate_hz)[block.inside]
    return dataclasses.replace(pose, contacts=contacts)


def _judged(contacts: Array, speeds: Array, rate_hz: float) -> Array:
    """Return contacts (T, 4) that also heed speeds (T, 4) m/s across the picture."""
    given = np.clip(contacts.astype(np.float64), LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
    evidence = SHARPNESS * np.log(RESTING_M_S / np.maximum(np.nan_to_num(speeds, nan=RESTING_M_S), 1e-3))
    evidence = np.clip(evidence, -MOST_LOG_ODDS, MOST_LOG_ODDS) * _still(given, speeds, rate_hz)[:, None]
    odds = np.exp(np.log(given / (1.0 - given)) + evidence)
    return np.where(contacts > 0, odds / (1.0 + odds), 0.0)


def _speeds_across(
    xy: Array, scores: Array, depths: Array, camera: Camera, times_s: Array, *, rate_hz: float
) -> Array:
    """Return (T, 4) m/s across the picture of toes and heels (T, 4, 2) px, NaN where they are not seen."""
    seen = np.isfinite(xy).all(axis=-1) & (scores > 0)
    rays = camera.rays(np.where(seen[..., None], xy.astype(np.float64), 0.0))
    depths = gaussian_smooth(depths, SPEED_SMOOTHING_S * rate_hz)
    steps = np.gradient(gaussian_smooth(rays, SPEED_SMOOTHING_S * rate_hz), axis=0) * depths[:, None, None]
    # Not by np.gradient(…, times_s), to which the shorter of two steps, and its noise, counts most.
    speeds = np.linalg.norm(steps, axis=-1) / np.gradient(times_s)[:, None]
    around = seen.copy()
    around[1:] &= seen[:-1]
    around[:-1] &= seen[1:]
    return np.where(around, speeds, np.nan)


def _still(given: Array, speeds: Array, rate_hz: float) -> Array:
    """Return (T,) in [0, 1]: how far the camera stands still, told by feet that stand for certain."""
    weights = np.where(np.isfinite(speeds), np.maximum(given - CONFIDENT, 0.0), 0.0)
    rests = weights * (speeds < RESTING_M_S)
    both = np.stack([rests.sum(axis=1), weights.sum(axis=1)], axis=-1)
    near = gaussian_smooth(both, STILL_WINDOW_S * rate_hz) + PRIOR_STILL
    share = near[:, 0] / near[:, 1]
    moves, stands = STILL_SHARES
    return np.clip((share - moves) / (stands - moves), 0.0, 1.0)
