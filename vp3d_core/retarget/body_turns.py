# SPDX-License-Identifier: GPL-3.0-or-later
"""The turns of a motion's body for any number of bones in spine, neck and limbs. numpy only.

Spine, neck and clavicles bend evenly over the bones they have. Along an upper arm or a thigh the twist grows
from the shoulder or hip to the elbow or knee; along a forearm or a shin it grows to that of hand or foot.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import Array
from ..rotations import normalize, quat_between, quat_multiply, quat_rotate, quat_slerp
from .performance import Performance
from .roles import CENTRE
from .twist import twist_angles, twisted

__all__ = ["along_limb", "chain_turns", "turns_along"]

_NEXT = {
    "upper_arm": "forearm", "forearm": "hand", "thigh": "shin", "shin": "foot",
}  # fmt: skip
_NEAR = ("upper_arm", "thigh")  # their twist is against the trunk


def chain_turns(source: Performance, role: str, count: int) -> tuple[Array, ...] | None:
    """Return the turns (T, 4) of ``count`` bones with one role, root to tip, or None."""
    if role in (CENTRE, "pelvis"):
        return (source.turns["pelvis"][-1],) * count
    side, _, part = role.partition("_")
    if side in ("left", "right") and part in _NEXT:
        return _limb_turns(source, role, count)
    if role == "spine" or part == "clavicle" or role == "neck":
        return _bending_turns(source, role, count)
    own = source.turns.get(role)
    return None if own is None else (own[-1],) * count


def _bending_turns(source: Performance, role: str, count: int) -> tuple[Array, ...] | None:
    own = source.turns.get(role, ())
    base = source.turns["pelvis"][-1] if role == "spine" else _chest(source)
    if not own:
        head = source.turns.get("head")
        if role != "neck" or head is None:
            return None
        return turns_along((base, head[-1]), count + 1)[:count]
    return own if len(own) == count else turns_along((base, *own), count)


def _chest(source: Performance) -> Array:
    return source.turns.get("spine", source.turns["pelvis"])[-1]


def turns_along(knots: Sequence[Array], count: int) -> tuple[Array, ...]:
    """Spread turns over bones.

    Args:
        knots: (T, 4) each: the base, which is not one of the bones, then the joints up to the tip.
        count: Number of bones; the last gets the last knot.
    """
    result: list[Array] = []
    steps = len(knots) - 1
    for k in range(1, count + 1):
        place = k / count * steps
        low = min(int(np.ceil(place - 1e-9)) - 1, steps - 1)
        fraction = np.full(len(knots[0]), place - low)
        result.append(quat_slerp(knots[low], knots[low + 1], fraction))
    return tuple(result)


def _limb_turns(source: Performance, role: str, count: int) -> tuple[Array, ...] | None:
    own = source.turns.get(role)
    if own is None:
        return None
    if len(own) == count:
        return own
    if count == 1:
        return (_whole_turn(source, role),)
    return tuple(along_limb(source, role, k / (count - 1)) for k in range(count))


def along_limb(source: Performance, role: str, fraction: float) -> Array:
    """Return the turns (T, 4) of a limb's piece at a fraction of its length, 0 at its start."""
    whole = _whole_turn(source, role)
    axis = source.rest.direction(role)
    side, _, part = role.partition("_")
    if axis is None:
        return whole
    if part in _NEAR:
        above = source.turns.get(f"{side}_clavicle", (_chest(source),))[-1]
        against = above if part == "upper_arm" else source.turns["pelvis"][-1]
        return twisted(whole, axis, (fraction - 1.0) * twist_angles(against, whole, axis))
    beyond = source.turns.get(f"{side}_{_NEXT[part]}")
    if beyond is None:
        return whole
    return twisted(whole, axis, fraction * twist_angles(whole, beyond[0], axis))


def _whole_turn(source: Performance, role: str) -> Array:
    """Return the turn (T, 4) of a limb as one piece: aimed at its end, with the twist of its hinge."""
    own = source.turns[role]
    side, _, part = role.partition("_")
    turn = own[-1] if part in _NEAR else own[0]
    axis, end = source.rest.direction(role), source.heads.get(f"{side}_{_NEXT[part]}")
    if len(own) == 1 or axis is None or end is None:
        return turn
    return quat_multiply(quat_between(quat_rotate(turn, axis), normalize(end - source.heads[role])), turn)
