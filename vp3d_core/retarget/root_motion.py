# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries a body over the floor: its hips, the rig's root bone or the armature object. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..rotations import quat_from_axis_angle, quat_rotate
from .performance import Performance
from .rest_body import RestBody
from .settings import RetargetSettings

__all__ = ["Carrier", "carrier_motion", "hip_path", "kept_axes", "standing_place"]


@dataclass(frozen=True, slots=True, eq=False)
class Carrier:
    """The way of what carries the body: ``point`` = ``turn`` · (rest point - pivot) + pivot + shift.

    Attributes:
        shifts: (T, 3) world units, along the floor.
        turns: (T, 4) about the vertical.
        pivot: (3,) the floor's point below the hips at rest.
    """

    shifts: Array
    turns: Array
    pivot: Array

    def moved(self, point: Array) -> Array:
        """Return where a point (3,) of the rest pose is carried: (T, 3)."""
        return quat_rotate(self.turns, point - self.pivot) + self.pivot + self.shifts


def standing_place(target: RestBody, origin: Array) -> Array:
    """Return where the motion starts (3,): at the armature object's origin, on the floor.

    Where the feet are not at the origin's height at rest, the floor is there or at the feet: at the one that
    is nearer to the world's floor.

    Args:
        target: The rig at rest.
        origin: (3,) the armature object's place.
    """
    height = min((origin[2], target.floor[2]), key=abs)
    return np.array([origin[0], origin[1], height])


def hip_path(source: Performance, target: RestBody, *, scale: float, origin: Array) -> Array:
    """Return where the target's hip centre goes: (T, 3), world units.

    Scaled about the ankles, so that a foot that stands flat on the floor does so on the target too, however
    high its ankles or heels are.

    Args:
        source: The motion.
        target: The rig at rest.
        scale: Target length / source length.
        origin: (3,) from where the motion starts.
    """
    rise = target.height(_ankles(target)) - scale * source.rest.height(_ankles(source.rest))
    return source.hip_centres * scale + np.array([0.0, 0.0, rise]) + origin


def _ankles(body: RestBody) -> Array:
    return (body.ends["left_shin"] + body.ends["right_shin"]) / 2


def kept_axes(path: Array, target: RestBody, settings: RetargetSettings) -> Array:
    """Return a path (T, 3) that stays where the rest pose is, along the axes that are not wanted."""
    return np.where(np.array(settings.root_axes), path, target.hip_centre)


def carrier_motion(path: Array, source: Performance, target: RestBody, settings: RetargetSettings) -> Carrier:
    """Return the way of the root bone or the object that carries a body along a path (T, 3) of its hips."""
    shifts = (path - target.hip_centre) * [1.0, 1.0, 0.0]
    angles = np.zeros(len(path))
    if settings.root_heading:
        ahead = quat_rotate(source.turns["pelvis"][-1], -source.rest.frame[:, 1])
        rest = -source.rest.frame[:, 1]
        angles = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0])) - np.arctan2(rest[1], rest[0])
    return Carrier(shifts, quat_from_axis_angle(np.array([0.0, 0.0, 1.0]), angles), target.floor)
