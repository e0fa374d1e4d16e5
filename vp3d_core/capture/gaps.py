# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about stretches in which a person is not seen.

Short ones are filled by ``clean``. Longer ones are bridged from the pose before to the pose after, with
confidence 0; over very long ones nothing is invented: there the motion ends and another begins.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..arrays import Array, BoolArray
from ..filters import interpolate_linear
from ..keypoints import Keypoints2D
from ..pose import Pose3D

__all__ = ["MIN_PART_S", "bridge_pose", "keypoints_part", "seen_frames", "split_at_gaps"]

MIN_POINTS = 4  # fewer do not make a person
MAX_BRIDGE_S = 3.0  # a walk behind a pillar or a van; after that, anything may have happened
MIN_PART_S = 0.4  # shorter parts are too short for the lifter to see any motion
BRIDGED_SIGMA_M = 1.0  # "not known": a body's size


def seen_frames(keypoints: Keypoints2D) -> BoolArray:
    """Return (T,) whether enough keypoints are there to speak of a person."""
    return (keypoints.scores > 0).sum(axis=1) >= MIN_POINTS


def keypoints_part(keypoints: Keypoints2D, rows: slice) -> Keypoints2D:
    """Return the keypoints of some frames."""
    return dataclasses.replace(
        keypoints, xy=keypoints.xy[rows], scores=keypoints.scores[rows], times_s=keypoints.times_s[rows]
    )


def split_at_gaps(keypoints: Keypoints2D) -> list[Keypoints2D]:
    """Cut a person's keypoints at gaps longer than ``MAX_BRIDGE_S`` and trim unseen ends.

    Returns:
        The parts of at least ``MIN_PART_S``, in order; none when the person is hardly seen at all.
    """
    seen = np.flatnonzero(seen_frames(keypoints))
    if seen.size == 0:
        return []
    cuts = np.flatnonzero(np.diff(keypoints.times_s[seen]) > MAX_BRIDGE_S)
    starts, ends = seen[np.concatenate([[0], cuts + 1])], seen[np.concatenate([cuts, [seen.size - 1]])]
    long_enough = keypoints.times_s[ends] - keypoints.times_s[starts] >= MIN_PART_S
    return [
        keypoints_part(keypoints, slice(start, end + 1))
        for start, end in zip(starts[long_enough], ends[long_enough], strict=True)
    ]


def bridge_pose(pose: Pose3D, seen: BoolArray) -> Pose3D:
    """Replace the poses of unseen frames by a straight change from the last seen to the next.

    Args:
        pose: T frames.
        seen: (T,) frames with keypoints, at least one.
    """
    if seen.all():
        return pose
    blank = ~seen
    sigma, contacts = pose.sigma.copy(), pose.contacts.copy()
    sigma[blank], contacts[blank] = BRIDGED_SIGMA_M, 0.0
    up = _bridged(pose.times_s, pose.up, seen)
    return dataclasses.replace(
        pose,
        joints=_bridged(pose.times_s, pose.joints, seen),
        sigma=sigma,
        contacts=contacts,
        up=up / np.linalg.norm(up, axis=-1, keepdims=True),
    )


def _bridged(times_s: Array, values: Array, known: BoolArray) -> Array:
    """Return values (T, ...), interpolated linearly where they are not known; the ends are held."""
    result = values.copy()
    result[~known] = interpolate_linear(times_s[known], values[known], times_s[~known])
    return result
