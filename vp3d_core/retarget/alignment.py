# SPDX-License-Identifier: GPL-3.0-or-later
"""How a target's rest pose is turned to look like the source's, bone by bone. numpy only.

The alignment A of a role turns its bone from the target's rest pose into the pose that corresponds to the
source's rest pose. The trunk keeps its own shape: both stand upright at rest, and where a neck or a
clavicle starts is each rig's own habit. Limbs take the source's direction, by the smallest swing, the outer
bones after the inner ones so that the relation of their hinges stays. Feet only turn about the vertical:
soles that are flat at rest stay flat.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..rotations import normalize, quat_between, quat_from_matrix, quat_multiply, quat_rotate
from .rest_body import RestBody
from .roles import BODY_ROLES, CENTRE, SIDES

__all__ = ["alignment_by_role", "facing_by_role"]

_SWUNG = ("upper_arm", "forearm", "hand"), ("thigh", "shin")
_SHORTEST_FOOT = 0.2  # of a foot's direction that must lie in the floor's plane for it to have a heading


def facing_by_role(source: RestBody, target: RestBody) -> dict[str, Array]:
    """Return for each role the rotation (4,) that makes the target stand and face as the source at rest."""
    whole = quat_from_matrix(source.frame @ target.frame.T)
    return dict.fromkeys((CENTRE, "root", *BODY_ROLES), whole)


def alignment_by_role(source: RestBody, target: RestBody) -> dict[str, Array]:
    """Return the alignment (4,) of each role, world axes."""
    result = facing_by_role(source, target)
    whole = result["pelvis"]
    for side in SIDES:
        for parts in _SWUNG:
            turn = whole
            for part in parts:
                role = f"{side}_{part}"
                turn = _swung(source, target, role, turn)
                result[role] = turn
        for part in ("foot", "toe"):
            result[f"{side}_{part}"] = _headed(source, target, f"{side}_foot", whole)
    return result


def _swung(source: RestBody, target: RestBody, role: str, turn: Array) -> Array:
    """Return ``turn`` and then the smallest swing that brings the role's bone onto the source's direction."""
    wanted, own = source.direction(role), target.direction(role)
    if wanted is None or own is None:
        return turn
    return quat_multiply(quat_between(quat_rotate(turn, own), wanted), turn)


def _headed(source: RestBody, target: RestBody, role: str, turn: Array) -> Array:
    """Return ``turn`` and then the turn about the vertical that brings a foot onto the source's heading."""
    wanted, own = source.direction(role), target.direction(role)
    if wanted is None or own is None:
        return turn
    up = source.frame[:, 2]
    level = [way - up * (way @ up) for way in (quat_rotate(turn, own), wanted)]
    if min(float(np.linalg.norm(way)) for way in level) < _SHORTEST_FOOT:
        return turn
    return quat_multiply(quat_between(normalize(level[0]), normalize(level[1])), turn)
