# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bones of a rig have which role, how sure that is, and the file it is kept in.

A map is a JSON file, format "vp3d.rig_map", version 1: family, bones (role to names, root to tip),
confidence (role to 0..1), fk_properties, ik_properties and root_properties ([bone, property, value] each),
follows (bone to bone).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from ..output_file import replaced_when_done
from .rig import Rig
from .rig_errors import RigMapFormatError, RigMapIncomplete, bone_not_found
from .roles import REQUIRED_ROLES, ROLES, role_label

__all__ = ["FORMAT", "VERSION", "RigMap", "load", "rig_map_from_json", "rig_map_to_json", "save"]

FORMAT = "vp3d.rig_map"
VERSION = 1
_LARGEST_FILE_BYTES = 4_000_000

Properties = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True, eq=False)
class RigMap:
    """The bones of one rig by their role.

    Attributes:
        bones: Role to bone names, from the root to the tip; a role without bones is absent.
        confidence: Role to how sure the map is, 0..1; 1 for what the user chose.
        family: Kind of rig it was recognised as, "" for none.
        fk_properties: (bone, custom property) to the value with which the rig follows its FK bones.
        ik_properties: The same for its IK controls.
        root_properties: What lets the body stay in the world while the root bone moves below it.
        follows: Bone to the bone that it copies whole by a constraint, where others hang on the copy.
    """

    bones: Mapping[str, tuple[str, ...]]
    confidence: Mapping[str, float] = field(default_factory=dict)
    family: str = ""
    fk_properties: Properties = field(default_factory=dict)
    ik_properties: Properties = field(default_factory=dict)
    root_properties: Properties = field(default_factory=dict)
    follows: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for role, names in self.bones.items():
            if role not in ROLES:
                raise ValueError(f"role {role!r} is unknown, expected one of {', '.join(ROLES)}")
            if not names or len(set(names)) != len(names):
                raise ValueError(f"role {role!r} has bones {names}, expected different ones, at least one")
        for role, sure in self.confidence.items():
            if not 0.0 <= sure <= 1.0:
                raise ValueError(f"confidence of {role!r} is {sure}, expected 0 to 1")

    @property
    def missing(self) -> tuple[str, ...]:
        """Required roles without a bone."""
        return tuple(role for role in REQUIRED_ROLES if role not in self.bones)

    @property
    def overall_confidence(self) -> float:
        """0 when a required role is missing, otherwise the mean of the required roles."""
        if self.missing:
            return 0.0
        return math.fsum(self.sure_of(role) for role in REQUIRED_ROLES) / len(REQUIRED_ROLES)

    def sure_of(self, role: str) -> float:
        """Return how sure a role's bones are, 0..1; 0 when it has none."""
        return self.confidence.get(role, 1.0) if role in self.bones else 0.0

    def first(self, role: str) -> str | None:
        """Return the role's bone nearest to the root, or None."""
        return self.bones[role][0] if role in self.bones else None

    def last(self, role: str) -> str | None:
        """Return the role's bone nearest to the tip, or None."""
        return self.bones[role][-1] if role in self.bones else None

    def with_bones(self, role: str, names: Sequence[str]) -> RigMap:
        """Return a map in which the user gave a role these bones; none takes the role out."""
        bones = {other: found for other, found in self.bones.items() if other != role}
        sure = {other: value for other, value in self.confidence.items() if other != role}
        if names:
            bones[role], sure[role] = tuple(names), 1.0
        return replace(self, bones=bones, confidence=sure)

    def check(self, rig: Rig) -> None:
        """Raise unless the map can be used with a rig.

        Raises:
            BoneNotFound: when a bone is not in the rig.
            RigMapIncomplete: when a required role has no bone.
        """
        present = set(rig.bone_names)
        for names in self.bones.values():
            for name in names:
                if name not in present:
                    raise bone_not_found(name, rig.name, rig.bone_names)
        if self.missing:
            labels = ", ".join(role_label(role) for role in self.missing)
            raise RigMapIncomplete(
                f"{len(self.missing)} of the {len(REQUIRED_ROLES)} bones that a body needs are not mapped in "
                f"{rig.name!r}: {labels}",
                hint="Choose them under Rig Mapping.",
            )


def rig_map_to_json(rig_map: RigMap) -> str:
    """Return a map as JSON text."""
    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "family": rig_map.family,
            "bones": {role: list(rig_map.bones[role]) for role in ROLES if role in rig_map.bones},
            "confidence": {
                role: round(rig_map.sure_of(role), 4) for role in ROLES if role in rig_map.bones
            },
            "fk_properties": [[*key, value] for key, value in rig_map.fk_properties.items()],
            "ik_properties": [[*key, value] for key, value in rig_map.ik_properties.items()],
            "root_properties": [[*key, value] for key, value in rig_map.root_properties.items()],
            "follows": dict(rig_map.follows),
        },
        indent=1,
        ensure_ascii=False,
    )  # fmt: skip


def rig_map_from_json(text: str, *, source: str = "the text") -> RigMap:
    """Read a map from JSON text.

    Args:
        text: What ``rig_map_to_json`` wrote.
        source: What to call it in messages.

    Raises:
        RigMapFormatError: when it is no map, or one of another version.
    """
    try:
        read: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RigMapFormatError(f"{source} is no JSON: {error}", hint="Choose a rig map.") from error
    content = cast("dict[str, object]", read) if isinstance(read, dict) else {}
    if content.get("format") != FORMAT:
        raise RigMapFormatError(
            f"{source} holds {str(content.get('format', 'no format name'))[:60]!r}, expected {FORMAT!r}",
            hint="Choose a file that was saved under Rig Mapping.",
        )
    if content.get("version") != VERSION:
        raise RigMapFormatError(
            f"{source} is version {str(content.get('version'))[:60]} of {FORMAT}, "
            f"this program reads version {VERSION}",
            hint="Save it again with this version.",
        )
    try:
        return _from_content(content)
    except (ValueError, TypeError, KeyError) as error:
        raise RigMapFormatError(f"{source} is no valid rig map: {error}") from error


def _from_content(content: dict[str, object]) -> RigMap:
    bones, sure = content["bones"], content.get("confidence", {})
    if not isinstance(bones, dict) or not isinstance(sure, dict):
        raise TypeError("bones and confidence must be objects")
    return RigMap(
        {role: _names(value) for role, value in cast("dict[str, object]", bones).items()},
        {role: float(value) for role, value in cast("dict[str, float]", sure).items()},
        _text(content.get("family", "")),
        _properties(content.get("fk_properties", [])),
        _properties(content.get("ik_properties", [])),
        _properties(content.get("root_properties", [])),
        _follows(content.get("follows", {})),
    )


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("each role needs a list of bones")
    return tuple(_text(name) for name in cast("list[object]", value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no name")
    return value


def _follows(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError("follows must be an object")
    return {_text(copy): _text(bone) for copy, bone in cast("dict[object, object]", value).items()}


def _properties(value: object) -> dict[tuple[str, str], float]:
    if not isinstance(value, list):
        raise TypeError("properties must be a list of [bone, property, value]")
    rows = cast("list[tuple[object, object, float]]", value)
    return {(_text(bone), _text(name)): float(number) for bone, name, number in rows}


def load(path: Path | str) -> RigMap:
    """Read a map from a file.

    Raises:
        RigMapFormatError: when it cannot be read or is no map.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise RigMapFormatError(f"{path} has {path.stat().st_size} bytes, a rig map has fewer")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        detail = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise RigMapFormatError(f"{path} cannot be read: {detail}", hint="Choose a rig map.") from error
    return rig_map_from_json(text, source=str(path))


def save(path: Path | str, rig_map: RigMap) -> None:
    """Write a map to a file; an existing file is replaced whole or not at all.

    Raises:
        OutputError: when the file cannot be written.
    """
    text = rig_map_to_json(rig_map)
    with replaced_when_done(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
