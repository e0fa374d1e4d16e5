# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognise a rig's family by its bones' names, whatever their prefix and case."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from .rig import Rig
from .rig_family import RigFamily
from .rig_map import RigMap
from .rig_maps import FAMILIES
from .roles import CONTROL_ROLES, REQUIRED_ROLES

__all__ = ["FamilyMatch", "match_family"]

SIGNATURE_CONFIDENCE = 0.98  # names of a family that are all there, character by character
PREFIXED_CONFIDENCE = 0.95  # the same after a prefix or in another case
_LEAST_SHARE = 0.6  # of a family's roles that a rig must have for its names to be trusted
_WANTED = frozenset(REQUIRED_ROLES)


@dataclass(frozen=True, slots=True, eq=False)
class FamilyMatch:
    """A family that fits: the map, and the share of the family's roles that the rig has."""

    rig_map: RigMap
    share: float


def match_family(rig: Rig, families: Iterable[RigFamily] = FAMILIES) -> FamilyMatch | None:
    """Return the family that fits a rig best, or None."""
    best: FamilyMatch | None = None
    known = _known_names(rig.bone_names)
    for family in families:
        match = _matched(family, known)
        if match is not None and (best is None or match.share > best.share):
            best = match
    return best


def _known_names(bone_names: tuple[str, ...]) -> dict[str, tuple[str, float]]:
    """Return bare lower-case name to the bone and how sure that is; the first bone of a name counts."""
    known: dict[str, tuple[str, float]] = {name: (name, SIGNATURE_CONFIDENCE) for name in bone_names}
    bare = [re.sub(r"^.*[:|]", "", name) for name in bone_names]
    common = os.path.commonprefix([name for name in bare if name.lower() not in ("root", "armature")])
    common = common[: max(common.rfind("_"), common.rfind(" ")) + 1] if len(bare) > 1 else ""
    for name, short in zip(bone_names, bare, strict=True):
        for form in (short.lower(), short.removeprefix(common).lower()):
            known.setdefault(form, (name, PREFIXED_CONFIDENCE))
    return known


def _matched(family: RigFamily, known: dict[str, tuple[str, float]]) -> FamilyMatch | None:
    bones: dict[str, tuple[str, ...]] = {}
    confidence: dict[str, float] = {}
    names = family.names_by_role()
    for role, wanted in names.items():
        found = [hit for name in wanted if (hit := _find(name, known)) is not None]
        if found:
            bones[role] = tuple(dict.fromkeys(bone for bone, _ in found))
            confidence[role] = min(sure for _, sure in found)
    if not set(bones) >= _WANTED:
        return None
    body = [role for role in names if role not in CONTROL_ROLES and not role.endswith("_twist")]
    share = sum(confidence.get(role, 0.0) for role in body) / len(body)
    if share < _LEAST_SHARE:
        return None
    present = {bone for bone, _ in known.values()}
    fk, ik = (
        {key: value for key, value in family.properties(values).items() if key[0] in present}
        for values in (family.fk_properties, family.ik_properties)
    )
    return FamilyMatch(RigMap(bones, confidence, family.name, fk, ik), share)


def _find(name: str, known: dict[str, tuple[str, float]]) -> tuple[str, float] | None:
    for form in name.split("|"):
        hit = known.get(form) or known.get(form.lower())
        if hit is not None:
            return hit
    return None
