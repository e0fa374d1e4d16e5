# SPDX-License-Identifier: GPL-3.0-or-later
"""A bone that is to be made for a motion."""

from __future__ import annotations

from dataclasses import dataclass

from .arrays import Array

__all__ = ["PlannedBone"]


@dataclass(frozen=True, slots=True, eq=False)
class PlannedBone:
    """One bone of an armature in its rest pose.

    Attributes:
        name: Of the bone.
        parent: Index of its parent, which comes before it, or -1.
        head: (3,) m, world.
        tail: (3,) m, world.
        z_axis: (3,) direction that the bone's z axis is to point in, as far as it can.
        joint: Index of the motion's joint that turns it.
        twist_joint: Index of a further joint of whose rotation it takes the twist, or None.
        connected: Whether its head is its parent's tail.
        group: The bone collection it belongs to.
        side: "L", "R" or "".
    """

    name: str
    parent: int
    head: Array
    tail: Array
    z_axis: Array
    joint: int
    twist_joint: int | None
    connected: bool
    group: str
    side: str
