# SPDX-License-Identifier: GPL-3.0-or-later
"""The map of a target as the panel edits it, and as the core takes it."""

from __future__ import annotations

import bpy

from ..vp3d_core.retarget.auto_map import guess_map
from ..vp3d_core.retarget.rig_map import RigMap, rig_map_from_json, rig_map_to_json
from ..vp3d_core.retarget.roles import BODY_ROLES, REQUIRED_ROLES, ROLES, role_label
from .armature import read_rig

__all__ = ["add_bone", "find_map", "map_of", "remove_bone", "show_map"]


def find_map(chosen: bpy.types.PropertyGroup) -> RigMap:
    """Find the map of the target by itself, show it, and return it."""
    rig_map = guess_map(read_rig(chosen.target))
    show_map(chosen, rig_map)
    return rig_map


def show_map(chosen: bpy.types.PropertyGroup, rig_map: RigMap) -> None:
    """Put a map into the panel: a line for each bone, and for each part of the body without one."""
    chosen.bones.clear()
    chosen.family = rig_map.family
    chosen.map_json = rig_map_to_json(rig_map)
    for role in ROLES:
        names = rig_map.bones.get(role, ())
        if not names and role not in BODY_ROLES:
            continue
        for number, name in enumerate(names or ("",)):
            item = chosen.bones.add()
            _describe(item, role, number)
            item.bone = item.found = name
            item.confidence = rig_map.sure_of(role)


def map_of(chosen: bpy.types.PropertyGroup) -> RigMap:
    """Return the map that the panel shows, found now if it shows none."""
    if not chosen.bones:
        return find_map(chosen)
    rig_map = rig_map_from_json(chosen.map_json, source="the scene's map")
    named: dict[str, list[str]] = {}
    for item in chosen.bones:
        names = named.setdefault(item.role, [])
        if item.bone and item.bone not in names:
            names.append(item.bone)
    for role, names in named.items():
        if tuple(names) != rig_map.bones.get(role, ()):
            rig_map = rig_map.with_bones(role, names)
    return rig_map


def add_bone(chosen: bpy.types.PropertyGroup) -> None:
    """Add a line below the chosen one, for one more bone of the same part."""
    index = chosen.bone_index
    role = chosen.bones[index].role
    number = sum(item.role == role for item in chosen.bones)
    item = chosen.bones.add()
    _describe(item, role, number)
    chosen.bones.move(len(chosen.bones) - 1, index + 1)
    chosen.bone_index = index + 1


def remove_bone(chosen: bpy.types.PropertyGroup) -> None:
    """Remove the chosen line, or empty it where it is the part's only one."""
    item = chosen.bones[chosen.bone_index]
    if sum(other.role == item.role for other in chosen.bones) > 1:
        chosen.bones.remove(chosen.bone_index)
        chosen.bone_index = min(chosen.bone_index, len(chosen.bones) - 1)
    else:
        item.bone = ""


def _describe(item: bpy.types.PropertyGroup, role: str, number: int) -> None:
    item.role = role
    item.label = role_label(role) if number == 0 else f"{role_label(role)} {number + 1}"
    item.required = role in REQUIRED_ROLES and number == 0
