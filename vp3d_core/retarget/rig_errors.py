# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a rig or its map.

RigError
├── BoneNotFound        the map names a bone that the rig does not have
├── RigMapIncomplete    a bone without which nothing can be retargeted is not mapped
├── RigMapFormatError   a file is no rig map
└── RigNotUsable        mirrored, flat, or without length
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from ..errors import VP3DError

__all__ = [
    "BoneNotFound",
    "RigError",
    "RigMapFormatError",
    "RigMapIncomplete",
    "RigNotUsable",
    "bone_not_found",
]


class RigError(VP3DError):
    """A rig, or the map of its bones, cannot be used."""

    code = "rig"


class BoneNotFound(RigError):
    """The map names a bone that the rig does not have."""

    code = "bone_not_found"


class RigMapIncomplete(RigError):
    """Bones are not mapped without which a body cannot move."""

    code = "rig_map_incomplete"


class RigMapFormatError(RigError):
    """A file is no rig map, or one of another version."""

    code = "rig_map_format"


class RigNotUsable(RigError):
    """The rest pose of a rig makes no body."""

    code = "rig_not_usable"


def bone_not_found(bone: str, rig_name: str, bone_names: Sequence[str]) -> BoneNotFound:
    """Return the error for a bone that is not there, with the closest name that is."""
    closest = _closest(bone, bone_names)
    hint = f"; closest {closest!r}" if closest else ""
    return BoneNotFound(
        f"Bone {bone!r} is not in {rig_name!r} ({len(bone_names)} bones){hint}",
        hint="Choose it under Rig Mapping.",
    )


def _closest(bone: str, bone_names: Iterable[str]) -> str | None:
    by_lower = {name.lower(): name for name in bone_names}
    found = difflib.get_close_matches(bone.lower(), list(by_lower), n=1, cutoff=0.5)
    return by_lower[found[0]] if found else None
