# SPDX-License-Identifier: GPL-3.0-or-later
"""From a body's motion to the world rotations of a rig's bones and the place of its centre. numpy only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Array
from ..rotations import quat_multiply
from .body_turns import along_limb, chain_turns
from .performance import Performance
from .rest_body import RestBody
from .rig import Rig
from .roles import BODY_ROLES, CENTRE, SIDES, TWIST_ROLES
from .target_pose import TargetPose

__all__ = ["centre_bone", "place_centre", "turn_bones"]


def turn_bones(pose: TargetPose, source: Performance, target: RestBody, aligned: Mapping[str, Array]) -> None:
    """Give each mapped bone its world rotation.

    Args:
        pose: To be filled.
        source: The motion.
        target: The rig at rest.
        aligned: Alignment (4,) of each role.
    """
    for role in (CENTRE, *BODY_ROLES):
        bones = pose.bones(role)
        turns = chain_turns(source, role, len(bones)) if bones else None
        for bone, turn in zip(bones, turns or (), strict=bool(turns)):
            pose.turns[bone] = quat_multiply(turn, quat_multiply(aligned[role], pose.aligned_rest(bone)))
    for twist_role in TWIST_ROLES:
        role = twist_role.removesuffix("_twist")
        if role not in source.turns:
            continue
        for bone in pose.bones(twist_role):
            turn = along_limb(source, role, _fraction(pose, target, role, bone))
            pose.turns[bone] = quat_multiply(turn, quat_multiply(aligned[role], pose.aligned_rest(bone)))


def _fraction(pose: TargetPose, target: RestBody, role: str, bone: int) -> float:
    """Return how far along its limb's piece a twist bone starts, 0 to 1."""
    way = target.ends[role] - target.heads[role]
    share = float((pose.rest_head(bone) - target.heads[role]) @ way) / max(float(way @ way), 1e-12)
    return min(max(share, 0.0), 1.0)


def centre_bone(pose: TargetPose) -> int:
    """Return the bone that carries the body: mapped, or the first above the pelvis that can be moved."""
    rig: Rig = pose.rig
    bone = (pose.bones(CENTRE) or pose.bones("pelvis"))[0]
    while rig.connected[bone] and rig.parents[bone] >= 0:
        bone = rig.parents[bone]
    return bone


def place_centre(pose: TargetPose, centre: int, path: Array) -> None:
    """Place the centre so that the middle between the thighs follows a path (T, 3), world units."""
    thighs = [pose.bones(f"{side}_thigh")[0] for side in SIDES]
    heads = pose.heads([*thighs, centre])
    pose.places[centre] = path - np.mean([heads[bone] for bone in thighs], axis=0) + heads[centre]
