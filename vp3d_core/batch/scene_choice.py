# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of each motion in Blender, as options and job files say it. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from ..errors import InputError
from ..retarget.settings import RetargetSettings

__all__ = ["EXPORT_FORMATS", "SceneChoice", "merged_scene", "scene_from_json", "with_base"]

Json: TypeAlias = Mapping[str, object]
Choice = TypeVar("Choice")

EXPORT_FORMATS = ("fbx", "glb", "bvh", "usd")
PATH_KEYS = ("rig", "map")


@dataclass(frozen=True, slots=True)
class SceneChoice:
    """What is made of each motion.

    Attributes:
        rig: .blend file with the rig; None makes an armature of our own.
        armature: Name of the armature object in it; None finds it.
        map: Rig map file; None finds the map.
        export: Of ``EXPORT_FORMATS``, besides the .blend.
        deform_only: Whether exports leave out bones that deform nothing.
        meshes: Whether exports hold the meshes that the rig moves.
        footage: Whether a .blend with a rig also gets the captured armature, its camera and the video.
        first_frame: Scene frame of the first key, or of the video's first picture where there is footage.
        current_pose: Whether the pose in which the rig stands in its file, instead of its rest pose, is the
            one that the motion's rest pose is matched with.
        retarget: How the motion is brought onto the rig.
    """

    rig: Path | None = None
    armature: str | None = None
    map: Path | None = None
    export: tuple[str, ...] = ()
    deform_only: bool = False
    meshes: bool = True
    footage: bool = False
    first_frame: int = 1
    current_pose: bool = False
    retarget: RetargetSettings = field(default_factory=RetargetSettings)


def with_base(scene: Json, base: Path) -> Json:
    """Return the values with their paths absolute."""
    paths = {name: scene[name] for name in PATH_KEYS if isinstance(scene.get(name), str)}
    return {**scene, **{name: str(base / Path(str(path)).expanduser()) for name, path in paths.items()}}


def merged_scene(*layers: Json) -> Json:
    """Return the values with the later layers on top, those of the retarget one by one."""
    merged: dict[str, object] = {}
    for layer in layers:
        retarget = {**_object(merged.get("retarget", {})), **_object(layer.get("retarget", {}))}
        merged.update(layer)
        if retarget:
            merged["retarget"] = retarget
    return merged


def scene_from_json(values: Json) -> SceneChoice:
    """Read what is made of each motion.

    Args:
        values: Names as in ``SceneChoice``; "retarget" holds names as in ``RetargetSettings``.

    Raises:
        InputError: If a name is unknown or a value does not fit.
    """
    plain = dict(values)
    for name in PATH_KEYS:
        if isinstance(plain.get(name), str):
            plain[name] = Path(str(plain[name])).absolute()
    plain["export"] = _exports(plain.get("export", []))
    retarget = plain.get("retarget", {})
    if isinstance(retarget, dict):
        plain["retarget"] = _checked(RetargetSettings, "retarget", retarget)
    return _checked(SceneChoice, "scene", plain)


def _exports(names: object) -> object:
    """Return the formats in their usual order, each once; what is no list of names is left to the check."""
    if not isinstance(names, list):
        return names
    unknown = [str(name) for name in names if name not in EXPORT_FORMATS]
    if unknown:
        raise InputError(
            f"Cannot export {', '.join(unknown)}", hint=f"Choose of {', '.join(EXPORT_FORMATS)}."
        )
    return tuple(name for name in EXPORT_FORMATS if name in names)


def _checked(kind: type[Choice], what: str, values: Json) -> Choice:
    """Return an object of plain values; InputError when a name is unknown or a value does not fit."""
    hints = get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise InputError(
            f"{what} holds unknown names: {', '.join(unknown)}", hint=f"Known are {', '.join(sorted(hints))}."
        )
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    for name, value in plain.items():
        if not _fits(value, hints[name]):
            expected = getattr(hints[name], "__name__", str(hints[name]).replace("typing.", ""))
            raise InputError(f"{name} of {what} is {values[name]!r}", hint=f"Expected: {expected}.")
    try:
        return kind(**plain)
    except ValueError as error:
        raise InputError(f"{what}: {error}", hint="Correct it.") from error


def _fits(value: object, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        kinds = arguments[:1] * len(value) if arguments[1:] == (...,) else arguments
        return len(kinds) == len(value) and all(map(_fits, value, kinds))
    if arguments:
        return any(_fits(value, argument) for argument in arguments)
    if isinstance(value, bool) or hint is bool:
        return isinstance(value, bool) and hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
