# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognise a rig's family by its bones' names, whatever their prefix and case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from .rig import Rig
from .rig_family import RigFamily
from .rig_map import RigMap
from .rig_maps import FAMILIES
from .roles import BODY_ROLES, CENTRE, REQUIRED_ROLES

__all__ = ["FamilyMatch", "bare_name", "match_family"]

SIGNATURE_CONFIDENCE = 0.98  # names of a family that are all there, character by character
PREFIXED_CONFIDENCE = 0.95  # the same after a prefix or in another case
_LEAST_SHARE = 0.6  # of a family's roles that a rig must have for its names to be trusted
_PER_BONE = 1e-3
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
    """Return name, as it is and bare in lower case, to the bone and how sure that is."""
    known: dict[str, tuple[str, float]] = {name: (name, SIGNATURE_CONFIDENCE) for name in bone_names}
    for name in bone_names:
        known.setdefault(bare_name(name), (name, PREFIXED_CONFIDENCE))
    return known


def bare_name(name: str) -> str:
    """Return a name without a name space ("mixamorig:Hips"), in lower case, full-width letters as usual.

    Spaces count as underscores: exporters write them so.
    """
    return re.sub(r"^.*[:|]", "", unicodedata.normalize("NFKC", name)).replace(" ", "_").lower()


def _matched(family: RigFamily, known: dict[str, tuple[str, float]]) -> FamilyMatch | None:
    matches = [match for prefix in family.prefixes if (match := _with_prefix(family, prefix, known))]
    return max(matches, key=lambda match: match.share, default=None)


def _with_prefix(family: RigFamily, prefix: str, known: dict[str, tuple[str, float]]) -> FamilyMatch | None:
    bones: dict[str, tuple[str, ...]] = {}
    confidence: dict[str, float] = {}
    names = family.names_by_role()
    for role, wanted in names.items():
        found = [hit for name in wanted if (hit := _find(name, prefix, known)) is not None]
        if found:
            bones[role] = tuple(dict.fromkeys(bone for bone, _ in found))
            confidence[role] = min(sure for _, sure in found)
    if not set(bones) >= _WANTED:
        return None
    if bones.get(CENTRE) == bones["pelvis"]:
        del bones[CENTRE], confidence[CENTRE]
    body = [role for role in names if role in BODY_ROLES]
    share = sum(confidence.get(role, 0.0) for role in body) / len(body)
    if share < _LEAST_SHARE:
        return None
    # Of families that have the same roles the one that knows more of the bones.
    share += _PER_BONE * sum(len(found) for found in bones.values())
    present = {bone for bone, _ in known.values()}
    fk, ik, root = (
        {key: value for key, value in family.properties(values).items() if key[0] in present}
        for values in (family.fk_properties, family.ik_properties, family.root_properties)
    )
    follows = {copy: bone for copy, bone in family.followed().items() if {copy, bone} <= present}
    return FamilyMatch(RigMap(bones, confidence, family.name, fk, ik, root, follows), share)


def _find(name: str, prefix: str, known: dict[str, tuple[str, float]]) -> tuple[str, float] | None:
    for form in name.split("|"):
        full = prefix + form
        hit = known.get(full) or known.get(bare_name(full))
        if full and hit is not None:
            return hit
    return None
