# SPDX-License-Identifier: GPL-3.0-or-later
"""Guess the roles of bones from the words in their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .bone_names import BoneName, parse_bone_name
from .bone_words import NOT_BODY, SIDE_WORDS, TRUNK_WORDS, TWIST_TOKENS
from .rig import Rig
from .roles import SIDES

__all__ = ["Guess", "guess_by_names", "is_below"]

Guess = dict[str, tuple[tuple[str, ...], float]]  # role to bones, root to tip, and how sure they are

_SURE, _SETTLED, _ODD = 0.85, 0.75, 0.5
_ARM, _LEG = ("clavicle", "upper_arm", "forearm", "hand"), ("thigh", "shin", "foot", "toe")


def guess_by_names(rig: Rig) -> Guess:
    """Return the roles that bones' names tell, with how sure that is."""
    names = {name: parse_bone_name(name) for name in rig.bone_names}
    body = {name: said for name, said in names.items() if not NOT_BODY & set(said.tokens)}
    plain = {name: said for name, said in body.items() if not TWIST_TOKENS & set(said.tokens)}
    result: Guess = {}
    for side in SIDES:
        on_side = {name: said for name, said in plain.items() if said.side == side}
        result |= _limb(rig, side, on_side, _ARM) | _limb(rig, side, on_side, _LEG)
        heel = _bones(on_side, _sure_words("heel"))
        if heel:
            result[f"{side}_heel"] = (heel[:1], _SURE)
    result |= _trunk(rig, {name: said for name, said in body.items() if not said.side}, result)
    return result | _twists(rig, names, result)


def _sure_words(part: str) -> tuple[str, ...]:
    words = SIDE_WORDS[part]
    return tuple(word for word in words[: words.index(None)] if word) if None in words else _strings(words)


def _open_words(part: str) -> tuple[str, ...]:
    words = SIDE_WORDS[part]
    return _strings(words[words.index(None) + 1 :]) if None in words else ()


def _strings(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(word for word in words if word)


def _bones(names: Mapping[str, BoneName], words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name, said in names.items() if said.word in words)


def _limb(rig: Rig, side: str, names: Mapping[str, BoneName], parts: tuple[str, ...]) -> Guess:
    """Return the bones of one limb: sure words first, then those that have not found a part yet."""
    found = {part: _bones(names, _sure_words(part)) for part in parts}
    sure = {part: _SURE for part in parts}
    taken = {bone for bones in found.values() for bone in bones}
    # From the trunk outwards: "shoulder" is an upper arm only where there is none, "leg" a thigh likewise.
    for part in sorted(parts, key=lambda part: part in ("clavicle", "shin", "toe")):
        free = tuple(bone for bone in _bones(names, _open_words(part)) if bone not in taken)
        if not found[part] and free:
            found[part], sure[part] = sorted_by_depth(rig, free)[-1:], _SETTLED
            taken |= set(found[part])
    if "foot" in parts and not found["toe"]:
        found["foot"], found["toe"] = _ankle_and_foot(names, found["foot"])
    result: Guess = {}
    for k, part in enumerate(parts):
        beyond = next((found[after][0] for after in parts[k + 1 :] if found[after]), None)
        bones = _chain(rig, found[part], beyond)
        if bones:
            odd = beyond is not None and not is_below(rig, beyond, bones[-1])
            result[f"{side}_{part}"] = (bones, _ODD if odd else sure[part])
    return result


def sorted_by_depth(rig: Rig, bones: tuple[str, ...]) -> tuple[str, ...]:
    """Return bones, those nearer to the root first."""
    return tuple(sorted(bones, key=rig.index))


def _ankle_and_foot(
    names: Mapping[str, BoneName], feet: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where a rig has an ankle and a foot but no toe, the foot is the toe."""
    ankles = tuple(bone for bone in feet if names[bone].word == "ankle")
    rest = tuple(bone for bone in feet if bone not in ankles)
    return (ankles, rest) if ankles and rest else (feet, ())


def _chain(rig: Rig, bones: tuple[str, ...], beyond: str | None) -> tuple[str, ...]:
    """Return those of the bones that lie on one line from the first, towards ``beyond`` if they do."""
    on_way = [bone for bone in bones if beyond is not None and is_below(rig, beyond, bone)]
    ordered = sorted(on_way or bones, key=rig.index)
    line = ordered[:1]
    for bone in ordered[1:]:
        if is_below(rig, bone, line[-1]) and on_way:
            line.append(bone)
    return tuple(line)


def is_below(rig: Rig, bone: str, above: str) -> bool:
    """Return whether a bone hangs on another, by however many in between."""
    at, wanted = rig.parents[rig.index(bone)], rig.index(above)
    while at > wanted:
        at = rig.parents[at]
    return at == wanted


def _trunk(rig: Rig, names: Mapping[str, BoneName], limbs: Guess) -> Guess:
    result: Guess = {}
    head = _bones(names, TRUNK_WORDS["head"])[:1]
    neck = _chain(rig, _bones(names, TRUNK_WORDS["neck"]), head[0] if head else None)
    pelvis = _bones(names, TRUNK_WORDS["pelvis"])
    thigh = limbs.get("left_thigh")
    if thigh:
        pelvis = tuple(bone for bone in pelvis if is_below(rig, thigh[0][0], bone)) or pelvis
    tops = (
        *neck[:1],
        *head,
        *(limbs[role][0][0] for role in ("left_clavicle", "left_upper_arm") if role in limbs),
    )
    spine = _bones(names, TRUNK_WORDS["spine"])
    spine = _chain(rig, spine, next((top for top in tops if any(is_below(rig, top, s) for s in spine)), None))
    if not pelvis and thigh:
        pelvis = _meeting(rig, thigh[0][0], limbs)
        spine = tuple(bone for bone in spine if bone not in pelvis)
    for role, bones in (("head", head), ("neck", neck), ("pelvis", pelvis[-1:]), ("spine", spine)):
        if bones:
            result[role] = (bones, _SURE)
    if len(pelvis) > 1:
        result["centre"] = (pelvis[:1], _SETTLED)
    root = _bones(names, ("root", "reference", "全ての"))
    if root and (not pelvis or is_below(rig, pelvis[0], root[0])) and rig.parents[rig.index(root[0])] < 0:
        result["root"] = (root[:1], _SETTLED)
    return result


def _meeting(rig: Rig, left_thigh: str, limbs: Guess) -> tuple[str, ...]:
    """Return the bone on which both thighs hang."""
    right = limbs.get("right_thigh")
    at = rig.parents[rig.index(left_thigh)]
    while right and at >= 0 and not is_below(rig, right[0][0], rig.bone_names[at]):
        at = rig.parents[at]
    return (rig.bone_names[at],) if right and at >= 0 else ()


def _twists(rig: Rig, names: Mapping[str, BoneName], limbs: Guess) -> Guess:
    result: Guess = {}
    for part in ("upper_arm", "forearm", "thigh", "shin"):
        for side in SIDES:
            role = f"{side}_{part}"
            if role not in limbs:
                continue
            bones = tuple(
                name
                for name, said in names.items()
                if TWIST_TOKENS & set(said.tokens)
                and not {"ik", "mch"} & set(said.tokens)
                and rig.parents[rig.index(name)] == rig.index(limbs[role][0][-1])
                and said.side == side
            )
            if bones:
                result[f"{role}_twist"] = (bones, _SETTLED)
    return result
