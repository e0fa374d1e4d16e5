# SPDX-License-Identifier: GPL-3.0-or-later
"""Knees that a mocap's skeleton never lets extend, made as straight as people's.

Most recordings come with joint centres that are off by some centimetres, so that knees stay bent by 10 to 20
degrees even where a leg is straight: standing, and when the heel meets the floor, where people's knees bend
by about 5 (Perry and Burnfield 2010, Gait Analysis). A lifter that learns from them bends everybody's knees.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..arrays import Array
from ..ground import FEET
from ..rotations import normalize
from ..skeletons import JOINTS
from .mocap import MocapClip

__all__ = ["straighten_knees", "with_straight_knees"]

STRAIGHTEST_PERCENTILE = 2.0  # of a leg's flexion in a clip
STRAIGHTEST_RAD = np.radians(3.0)  # what that should be in walking and standing
LARGEST_BIAS_RAD = np.radians(15.0)  # clips may be of people who never stand upright


def with_straight_knees(clip: MocapClip) -> MocapClip:
    """Return a clip with ``straighten_knees``; what its feet touch stays as it was."""
    return dataclasses.replace(clip, joints=straighten_knees(clip.joints).astype(np.float32))


def straighten_knees(joints: Array) -> Array:
    """Take a leg's usual error of flexion out of a clip, and set the body on its old lowest foot point.

    Args:
        joints: (T, 25, 3) m, z up.

    Returns:
        (T, 25, 3) m. Bones keep their lengths, hips and ankles their direction from each other.
    """
    result = joints.copy()
    for side in ("left", "right"):
        hip, knee, ankle, toe, heel = (
            JOINTS.index(f"{side}_{part}") for part in ("hip", "knee", "ankle", "toe", "heel")
        )
        result[:, knee], moved = _straightened(joints[:, hip], joints[:, knee], joints[:, ankle])
        result[:, [ankle, toe, heel]] += moved[:, None]
    sunk_m = (joints[:, FEET, 2].min(axis=1) - result[:, FEET, 2].min(axis=1))[:, None]
    result[..., 2] += sunk_m
    return result


def _straightened(hip: Array, knee: Array, ankle: Array) -> tuple[Array, Array]:
    """Return the new knee (T, 3), and how far the ankle moves (T, 3)."""
    thigh_m, shank_m = (np.linalg.norm(b - a, axis=-1) for a, b in ((hip, knee), (knee, ankle)))
    line, distance_m = normalize(ankle - hip), np.linalg.norm(ankle - hip, axis=-1)
    cosine = (distance_m**2 - thigh_m**2 - shank_m**2) / (2.0 * thigh_m * shank_m)
    flexion = np.arccos(np.clip(cosine, -1.0, 1.0))
    bias = np.clip(np.percentile(flexion, STRAIGHTEST_PERCENTILE) - STRAIGHTEST_RAD, 0.0, LARGEST_BIAS_RAD)
    straight = np.maximum(flexion - bias, np.minimum(flexion, STRAIGHTEST_RAD))
    reach_m = np.sqrt(thigh_m**2 + shank_m**2 + 2.0 * thigh_m * shank_m * np.cos(straight))
    along_m = (thigh_m**2 - shank_m**2 + reach_m**2) / (2.0 * reach_m)
    across_m = np.sqrt(np.maximum(thigh_m**2 - along_m**2, 0.0))
    side = knee - hip
    side = normalize(side - (side * line).sum(axis=-1, keepdims=True) * line)
    new_knee = hip + along_m[:, None] * line + across_m[:, None] * side
    return new_knee, (reach_m - distance_m)[:, None] * line
