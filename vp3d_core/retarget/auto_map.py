# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the roles of a rig's bones by itself: known families, then words in names, then the rig's shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .family_match import match_family
from .name_guess import Guess, guess_by_names, is_below
from .rig import Rig
from .rig_map import RigMap
from .roles import BODY_ROLES, MARKER_ROLES, REQUIRED_ROLES, TWIST_ROLES
from .structure_guess import guess_by_structure

__all__ = ["guess_map"]

_ADDED = 0.9  # of a guess's confidence beside a family's names, which it was not among
_AGREEING = 0.95  # name and shape say the same


def guess_map(rig: Rig) -> RigMap:
    """Say which bone of a rig has which role, and how sure that is.

    Args:
        rig: The rig; a motion's skeleton as ``rig_from_skeleton`` gives it will do.

    Returns:
        The map; what was not found is in its ``missing``.
    """
    match = match_family(rig)
    named = guess_by_names(rig)
    if match is not None:
        return _completed(rig, match.rig_map, named)
    shaped = guess_by_structure(rig)
    merged = _merged(rig, named, shaped)
    return RigMap(
        {role: bones for role, (bones, _) in merged.items()},
        {role: sure for role, (_, sure) in merged.items()},
    )


def _completed(rig: Rig, known: RigMap, named: Guess) -> RigMap:
    """Add to a family's map what the names of other bones tell, where it hangs in the right place."""
    taken = {bone for bones in known.bones.values() for bone in bones}
    bones, sure = dict(known.bones), dict(known.confidence)
    pelvis = known.bones["pelvis"][0]
    for role in ("root", *BODY_ROLES, *TWIST_ROLES, *MARKER_ROLES):
        if role in bones or role not in named or taken & set(named[role][0]):
            continue
        bone = named[role][0][0]
        if not (is_below(rig, pelvis, bone) if role == "root" else is_below(rig, bone, pelvis)):
            continue
        bones[role], sure[role] = named[role][0], named[role][1] * _ADDED
    return replace(known, bones=bones, confidence=sure)


def _merged(rig: Rig, named: Guess, shaped: Guess) -> Guess:
    """Take what names tell, and the shape where they tell nothing; names that fit no body give way."""
    if not shaped:
        return named
    needed = [role for role in REQUIRED_ROLES if role in named]
    if len(needed) < len(REQUIRED_ROLES) / 2 or _crossed(rig, named):
        return shaped
    result: Guess = {}
    taken = {bone for bones, _ in named.values() for bone in bones}
    for role in dict.fromkeys((*named, *shaped)):
        if role not in named:
            if not taken & set(shaped[role][0]):
                result[role] = shaped[role]
            continue
        bones, sure = named[role]
        agreeing = role in shaped and shaped[role][0][0] in bones
        result[role] = (bones, max(sure, _AGREEING) if agreeing and sure > 0.6 else sure)
    return result


def _crossed(rig: Rig, named: Mapping[str, tuple[tuple[str, ...], float]]) -> bool:
    """Return whether names contradict the tree: a forearm that does not hang on its upper arm."""
    for side in ("left", "right"):
        for inner, outer in (("upper_arm", "forearm"), ("thigh", "shin")):
            pair = [named.get(f"{side}_{part}") for part in (inner, outer)]
            if pair[0] and pair[1] and not is_below(rig, pair[1][0][0], pair[0][0][-1]):
                return True
    return False
