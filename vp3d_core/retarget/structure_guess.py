# SPDX-License-Identifier: GPL-3.0-or-later
"""Guess the roles of bones from their tree and their places alone, for rigs with names that say nothing.

A body has two pairs of symmetric chains: the legs end lowest, the arms reach farthest. Pelvis and chest are
where the chains of a pair meet; knees and elbows are nearest to the middle of their limbs.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from .bone_tree import BoneTree, bone_tree
from .name_guess import Guess
from .rig import Rig
from .roles import mirrored

__all__ = ["guess_by_structure"]

_SURE = 0.55
_STEEP = 0.85  # downward part of a thigh's direction
_HAND = 0.32  # of an arm's length from its tip: a hand without fingers starts there
_CLAVICLE = 0.45  # of an upper arm's length
_SAME_PLACE = 0.005  # of the rig's height
_ANKLE_HEIGHT = 0.16  # of the hips' height: below it a leg has become a foot
_CENTRAL = 0.02  # of the rig's height: bones this close to the middle are on no side


def guess_by_structure(rig: Rig) -> Guess:
    """Return the roles that the shape of a rig tells, with how sure that is; empty when it is no body."""
    for up_sign in (1.0, -1.0):
        tree = bone_tree(rig, up_sign=up_sign)
        found = _body(tree) if tree is not None else {}
        if found:
            return {role: (tuple(rig.bone_names[b] for b in bones), _SURE) for role, bones in found.items()}
    return {}


def _body(tree: BoneTree) -> dict[str, tuple[int, ...]]:
    left = [bone for bone in tree.bones if bone in tree.counterparts and tree.heads[bone, 0] > _CENTRAL / 2]
    legs, arms = _leg_tip(tree, left), _arm_tip(tree, left)
    if legs is None or arms is None:
        return {}
    pelvis = tree.meeting(legs, tree.counterparts[legs])
    chest = tree.meeting(arms, tree.counterparts[arms])
    if pelvis < 0 or pelvis not in tree.above(chest):
        return {}
    limbs = _leg(tree, pelvis, legs) | _arm(tree, chest, arms)
    if not {"left_thigh", "left_shin", "left_upper_arm", "left_forearm"} <= set(limbs):
        return {}
    sided: dict[str, tuple[int, ...]] = {}
    for role, bone in limbs.items():
        other = tree.counterpart(bone)
        if other is not None:
            sided[role], sided[mirrored(role)] = (bone,), (other,)
    found = sided | _trunk(tree, pelvis, chest)
    return {role: bones for role, bones in found.items() if bones}


def _leg_tip(tree: BoneTree, left: list[int]) -> int | None:
    """Return the lowest bone on the left; of those at the foot the one farthest down its chain."""
    low = min((float(tree.heads[bone, 2]) for bone in left), default=None)
    if low is None:
        return None
    feet = [bone for bone in left if tree.heads[bone, 2] < low + 0.06]
    return max(feet, key=lambda bone: (len(tree.above(bone)), -float(tree.heads[bone, 1])))


def _arm_tip(tree: BoneTree, left: list[int]) -> int | None:
    """Return the bone that is farthest from the middle, along its chain, in the upper half."""
    low = float(tree.heads[list(tree.bones), 2].min())
    upper = [bone for bone in left if tree.heads[bone, 2] > low + 0.35]
    return max(upper, key=lambda bone: _reach(tree, bone), default=None)


def _reach(tree: BoneTree, bone: int) -> float:
    """Return the length of a bone's chain, from where it leaves the middle."""
    above = [b for b in tree.above(bone) if tree.heads[b, 0] > _CENTRAL / 2]
    places = tree.heads[above]
    return float(np.linalg.norm(np.diff(places, axis=0), axis=-1).sum())


def _leg(tree: BoneTree, pelvis: int, tip: int) -> dict[str, int]:
    path = tree.path(pelvis, tip)
    floor = float(min(tree.heads[list(tree.bones), 2].min(), tree.tails[path, 2].min()))
    hip_height = float(tree.heads[path[0], 2]) - floor
    ankle = next((b for b in path[1:] if tree.heads[b, 2] - floor < _ANKLE_HEIGHT * hip_height), None)
    above = path[: path.index(ankle)] if ankle is not None else path
    # Beside the hip there may be a bone for the pelvis' wing: a thigh goes down.
    thigh = next((b for b in above[:-1] if _goes_down(tree, b, path[path.index(b) + 1])), None)
    if thigh is None:
        return {}
    foot_level = float(tree.heads[ankle, 2]) if ankle is not None else floor
    middle = (float(tree.heads[thigh, 2]) + foot_level) / 2
    shins = above[above.index(thigh) + 1 :]
    knee = min(shins, key=lambda bone: abs(float(tree.heads[bone, 2]) - middle))
    result = {"left_thigh": thigh, "left_shin": knee}
    if ankle is not None:
        result["left_foot"] = ankle
        below = path[path.index(ankle) + 1 :]
        if below:
            result["left_toe"] = below[0]
    return result


def _goes_down(tree: BoneTree, bone: int, following: int) -> bool:
    way = tree.heads[following] - tree.heads[bone]
    return bool(-way[2] > _STEEP * np.linalg.norm(way))


def _arm(tree: BoneTree, chest: int, tip: int) -> dict[str, int]:
    path = tree.path(chest, tip)
    places = np.concatenate([tree.heads[path], tree.tails[path[-1:]]])
    lengths = np.linalg.norm(np.diff(places, axis=0), axis=-1)
    beyond = np.cumsum(lengths[::-1])[::-1]  # from each bone's head to the tip
    hand = next((bone for bone in path if len(tree.children[bone]) >= 3), None)
    if hand is None:
        hand = next((b for b, rest in zip(path, beyond, strict=True) if rest < _HAND * beyond[0]), None)
    count = path.index(hand) if hand is not None else len(path)
    if count < 2:
        return {}
    shoulder, elbow = min(
        ((s, e) for s in range(min(count - 1, 3)) for e in range(s + 1, count)),
        key=lambda pair: _unlike(lengths[:count], *pair),
    )
    result = {"left_upper_arm": path[shoulder], "left_forearm": path[elbow]}
    if shoulder > 0:
        result["left_clavicle"] = path[0]
    if hand is not None:
        result["left_hand"] = hand
    return result


def _unlike(lengths: Array, shoulder: int, elbow: int) -> float:
    """Return how unlike upper arm and forearm are, and how unlike a clavicle what is before them."""
    upper, fore = float(lengths[shoulder:elbow].sum()), float(lengths[elbow:].sum())
    before = float(lengths[:shoulder].sum())
    return abs(upper - fore) + 0.5 * abs(before - _CLAVICLE * upper)


def _trunk(tree: BoneTree, pelvis: int, chest: int) -> dict[str, tuple[int, ...]]:
    central = [b for b in tree.bones if abs(float(tree.heads[b, 0])) < _CENTRAL]
    over = [b for b in central if b != chest and chest in tree.above(b)]
    over = [b for b in over if tree.heads[b, 2] > tree.heads[chest, 2]]
    spine = tree.path(pelvis, chest)
    result: dict[str, tuple[int, ...]] = {"pelvis": (pelvis,), "spine": tuple(spine)}
    if over:
        # What is in front of the neck's line belongs to the face.
        top = max(over, key=lambda b: float(tree.heads[b, 2]) - abs(float(tree.heads[b, 1])))
        path = [b for b in tree.path(chest, top) if b in central]
        path = path[:1] + [b for a, b in zip(path, path[1:], strict=False) if _apart(tree, a, b)]
        faced = next((k for k, b in enumerate(path) if k and len(tree.children[b]) >= 2), len(path) - 1)
        result["head"], result["neck"] = (path[faced],), tuple(path[:faced])
    root = tree.above(pelvis)[-1]
    if root != pelvis and tree.heads[root, 2] < tree.heads[pelvis, 2] - 0.2:
        result["root"] = (root,)
    return result


def _apart(tree: BoneTree, a: int, b: int) -> bool:
    return float(np.linalg.norm(tree.heads[b] - tree.heads[a])) > _SAME_PLACE
