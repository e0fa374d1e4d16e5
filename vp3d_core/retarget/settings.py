# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user can choose about a retarget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["RetargetSettings"]

RootMotion = Literal["hips", "root_bone", "object"]
Limbs = Literal["fk", "ik", "both"]


@dataclass(frozen=True, slots=True)
class RetargetSettings:
    """How a motion is brought onto a rig.

    Attributes:
        root_motion: What carries the way over the floor: the hips, the root bone or the armature object.
            With the last two the hips keep their height and their sway about that way.
        root_axes: Which world axes of the way are kept; (False, False, True) walks in place.
        root_heading: Whether the root bone or the object also turns with the body, about the vertical.
        scale: Of the way, or None for target leg length / source leg length.
        arm_spread_rad: Turns the upper arms away from the body, -0.5 to 0.5 rad.
        plant_feet: Whether standing feet stay where they stand on the target's proportions.
        limbs: Which of a rig's limb controls are keyed, where it has both.
        hip_height_offset: Added to the hips' height, world units.
    """

    root_motion: RootMotion = "hips"
    root_axes: tuple[bool, bool, bool] = (True, True, True)
    root_heading: bool = False
    scale: float | None = None
    arm_spread_rad: float = 0.0
    plant_feet: bool = True
    limbs: Limbs = "fk"
    hip_height_offset: float = 0.0

    def __post_init__(self) -> None:
        if self.scale is not None and not self.scale > 0:
            raise ValueError(f"scale is {self.scale}, expected more than 0, or None")
        if not abs(self.arm_spread_rad) <= 0.5:
            raise ValueError(f"arm_spread_rad is {self.arm_spread_rad}, expected -0.5 to 0.5")
