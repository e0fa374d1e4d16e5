# SPDX-License-Identifier: GPL-3.0-or-later
"""Plant the feet of a target pose where the source's stand. numpy only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Array
from ..rotations import quat_conjugate, quat_multiply, quat_rotate
from .feet import Foot, plant_feet
from .foot_points import foot_arms, foot_heights, source_feet, standing_feet
from .performance import Performance
from .rest_body import RestBody
from .roles import SIDES
from .target_pose import TargetPose

__all__ = ["plant_target_feet"]


def plant_target_feet(
    pose: TargetPose,
    source: Performance,
    target: RestBody,
    *,
    aligned: Mapping[str, Array],
    scale: float,
    centre: int,
    floor_z: float,
    rate_hz: float,
) -> None:
    """Move the body and bend the legs so that standing feet stay in place; changes ``pose``.

    Args:
        pose: With its rotations and the place of its ``centre``.
        source: The motion.
        target: The rig at rest.
        aligned: Alignment (4,) of each role.
        scale: Target length / source length.
        centre: The bone that carries the body.
        floor_z: Height of the floor, world units.
        rate_hz: Frames per second.
    """
    stands = standing_feet(source, rate_hz)
    feet: dict[str, Foot] = {}
    hinges: dict[str, Array] = {}
    for k, side in enumerate(SIDES):
        leg = target_leg(pose, target, side)
        turn = source.turns.get(f"{side}_foot", source.turns[f"{side}_shin"])[-1]
        own = quat_multiply(turn, aligned[f"{side}_foot"])
        rises = source_feet(source, side)[..., 2] - foot_heights(source.rest, side)
        feet[side] = Foot(
            leg / scale,
            np.stack([quat_rotate(own, arm) for arm in foot_arms(target, side, like=source.rest)], axis=1)
            / scale,
            foot_heights(target, side, like=source.rest) / scale,
            rises,
            stands[:, 2 * k : 2 * k + 2],
        )
        hinges[side] = quat_rotate(source.turns[f"{side}_thigh"][-1], source.rest.frame[:, 0])
    planted = plant_feet(feet, floor_z=floor_z / scale, hinges=hinges, rate_hz=rate_hz)
    pose.places[centre] = pose.places[centre] + planted.shifts * scale
    for side in SIDES:
        for part, turns in (("thigh", planted.thigh_turns), ("shin", planted.shin_turns)):
            pose.turn_role(f"{side}_{part}", turns[side])
            pose.turn_role(f"{side}_{part}_twist", turns[side])


def target_leg(pose: TargetPose, target: RestBody, side: str) -> Array:
    """Return hip, knee and ankle of a pose: (T, 3, 3) world."""
    bones = [pose.bones(f"{side}_{part}")[0] for part in ("thigh", "shin")]
    foot = pose.bones(f"{side}_foot")
    if foot:
        heads = pose.heads([*bones, foot[0]])
        return np.stack([heads[bone] for bone in (*bones, foot[0])], axis=1)
    heads = pose.heads(bones)
    shin = pose.bones(f"{side}_shin")[-1]
    way = target.ends[f"{side}_shin"] - target.heads[f"{side}_shin"]
    turned = quat_rotate(pose.turns[shin], quat_rotate(quat_conjugate(pose.rest_turn(shin)), way))
    return np.stack([heads[bones[0]], heads[bones[1]], heads[bones[1]] + turned], axis=1)
