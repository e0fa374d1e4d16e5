# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs in which bones copy others: hang the copies on what they copy. numpy only.

A bone that copies another whole moves as if it hung on it. Other constraints are not looked at: the bones
that are keyed are those of a rig's FK, and what is between them must stand still at rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..arrays import IntArray
from .rig import Rig

__all__ = ["with_followed"]


def with_followed(rig: Rig, follows: Mapping[str, str]) -> tuple[Rig, IntArray]:
    """Return the rig with copies hung on what they copy, and where its bones were in the old one.

    Args:
        rig: The rig.
        follows: Copying bone to copied bone; names that the rig does not have are passed over.
    """
    parents = list(rig.parents)
    for copy, bone in follows.items():
        if {copy, bone} <= set(rig.bone_names):
            parents[rig.index(copy)] = rig.index(bone)
    order = _parents_first(parents)
    if order is None:
        return rig, np.arange(len(parents))
    place = {old: new for new, old in enumerate(order)}
    rows = np.array(order)
    local = rig.local_locations
    ordered = replace(
        rig,
        bone_names=tuple(rig.bone_names[old] for old in order),
        parents=tuple(place[parents[old]] if parents[old] >= 0 else -1 for old in order),
        armature_from_bone=rig.armature_from_bone[rows],
        lengths=rig.lengths[rows],
        inherits_rotation=rig.inherits_rotation[rows],
        connected=rig.connected[rows],
        deforms=rig.deforms[rows],
        rotation_modes=tuple(rig.rotation_modes[old] for old in order),
        local_locations=None if local is None else local[rows],
    )
    return ordered, rows


def _parents_first(parents: list[int]) -> list[int] | None:
    """Return the bones parents first, or None when they hang on each other in a circle."""
    order: list[int] = []
    placed: set[int] = set()
    for start in range(len(parents)):
        way: list[int] = []
        bone = start
        while bone >= 0 and bone not in placed:
            if bone in way:
                return None
            way.append(bone)
            bone = parents[bone]
        order += way[::-1]
        placed |= set(way)
    return order
