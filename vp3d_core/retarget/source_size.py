# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions in other units, or over a floor that is not at z = 0, brought to metres and onto the floor."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..motion import Motion, MotionSkeleton
from .foot_points import foot_heights, source_feet
from .performance import Performance
from .roles import SIDES

__all__ = ["in_metres", "on_floor"]

NOMINAL_LEG_M = 0.83  # hip to ankle of a person of 1.70 m
_PLAUSIBLE_LEG_M = (0.35, 1.3)
_FLOOR_SHARE = 5.0  # percent of the frames in which the lowest toe or heel is below the floor that is taken


def in_metres(motion: Motion, leg_length: float) -> Motion:
    """Return a motion whose legs are those of a person; a motion in metres stays as it is.

    Args:
        motion: Of any unit: files of mocap do not tell theirs.
        leg_length: Its thigh and shin, in its unit.
    """
    if _PLAUSIBLE_LEG_M[0] <= leg_length <= _PLAUSIBLE_LEG_M[1]:
        return motion
    factor = NOMINAL_LEG_M / leg_length
    skeleton = motion.skeleton
    return dataclasses.replace(
        motion,
        skeleton=MotionSkeleton(skeleton.names, skeleton.parents, skeleton.rest_offsets * factor),
        root_positions=motion.root_positions * factor,
    )


def on_floor(source: Performance) -> Performance:
    """Return a motion that stands on the floor; one that knows its contacts does so already."""
    if source.contacts is not None or not source.num_frames:
        return source
    lowest = np.min(
        [source_feet(source, side)[..., 2] - foot_heights(source.rest, side) for side in SIDES], axis=(0, 2)
    )
    shift = np.array([0.0, 0.0, -float(np.percentile(lowest, _FLOOR_SHARE))])
    return dataclasses.replace(
        source,
        heads={role: places + shift for role, places in source.heads.items()},
        hip_centres=source.hip_centres + shift,
    )
