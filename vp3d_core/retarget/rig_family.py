# SPDX-License-Identifier: GPL-3.0-or-later
"""The form in which a family of rigs is described: names only, one file a family in ``rig_maps``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .roles import ROLES, SIDES

__all__ = ["RigFamily"]


@dataclass(frozen=True, slots=True, eq=False)
class RigFamily:
    """How one kind of rig names its bones.

    Attributes:
        name: Of the family, for files.
        label: For people.
        sides: What stands for "{s}" on the left and on the right.
        bones: Role, or part of a role without its side, to bone names from the root to the tip; of several
            names those count that the rig has. "a|b" is either.
        prefixes: What all names may begin with.
        fk_properties: "bone[property]" to the value with which the rig follows its FK bones; "{s}" as above.
        ik_properties: The same for its IK controls.
        root_properties: What lets the body stay in the world while the root bone moves below it.
        follows: Bone to the bone that it copies whole by a constraint, where others hang on the copy.
    """

    name: str
    label: str
    sides: tuple[str, str]
    bones: Mapping[str, tuple[str, ...]]
    prefixes: tuple[str, ...] = ("",)
    fk_properties: Mapping[str, float] = field(default_factory=dict)
    ik_properties: Mapping[str, float] = field(default_factory=dict)
    root_properties: Mapping[str, float] = field(default_factory=dict)
    follows: Mapping[str, str] = field(default_factory=dict)

    def names_by_role(self) -> dict[str, tuple[str, ...]]:
        """Return role to names with the sides filled in."""
        result: dict[str, tuple[str, ...]] = {}
        for part, names in self.bones.items():
            if part in ROLES:
                result[part] = names
                continue
            for side, letter in zip(SIDES, self.sides, strict=True):
                role = f"{side}_{part}"
                if role not in ROLES:
                    raise ValueError(f"{self.name}: {part!r} is no role")
                result[role] = tuple(name.replace("{s}", letter) for name in names)
        return result

    def followed(self) -> dict[str, str]:
        """Return the copying bones and what they copy, with the sides filled in."""
        return {
            copy.replace("{s}", letter): bone.replace("{s}", letter)
            for copy, bone in self.follows.items()
            for letter in self.sides
        }

    def properties(self, values: Mapping[str, float]) -> dict[tuple[str, str], float]:
        """Return (bone, property) to value with the sides filled in."""
        result: dict[tuple[str, str], float] = {}
        for key, value in values.items():
            bone, _, name = key.rstrip("]").partition("[")
            for letter in self.sides if "{s}" in bone else ("",):
                result[bone.replace("{s}", letter), name] = value
        return result
