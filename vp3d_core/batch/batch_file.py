# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch as the user asks for it: a JSON job file, options, or both. Standard library only.

The job file is one object; paths in it are relative to its folder. All keys are optional:

    clips      list of files, folders, wildcard patterns, or objects {"path": ..., "settings": {...}}
    recursive  whether folders below the folders count
    out        the output folder
    settings   of all captures, see ``CaptureSettings``; those of a clip come on top
    scene      what is made in Blender, see ``SceneChoice``

An option on the command line wins over the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ..errors import InputError
from ..settings import FOCAL_FIELDS, CaptureSettings
from .clips import Clip, FoundClip, find_clips, name_clips
from .scene_choice import SceneChoice, merged_scene, scene_from_json, with_base

__all__ = ["BatchPlan", "BatchRequest", "ClipRequest", "load_batch_file", "plan_batch"]

Json: TypeAlias = Mapping[str, object]

_KEYS = ("clips", "out", "recursive", "scene", "settings")
_CLIP_KEYS = ("path", "settings")


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """One entry of the list of clips.

    Attributes:
        path: A file, folder or pattern, as written.
        base: What it is relative to.
        settings: Names and values of ``CaptureSettings`` for these clips only.
    """

    path: str
    base: Path
    settings: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What a job file or the options ask for; None means that nothing was said.

    Attributes:
        clips: Entries.
        out_dir: Output folder, absolute, or None.
        recursive: Whether folders below folders count, or None.
        settings: Names and values of ``CaptureSettings`` for all clips.
        scene: Names and values of ``SceneChoice``, paths absolute.
    """

    clips: tuple[ClipRequest, ...] = ()
    out_dir: Path | None = None
    recursive: bool | None = None
    settings: Json = field(default_factory=dict)
    scene: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What is to be done: every clip by name, in order.

    Attributes:
        clips: At least one.
        out_dir: Absolute.
        scene: What is made of each motion.
    """

    clips: tuple[Clip, ...]
    out_dir: Path
    scene: SceneChoice = field(default_factory=SceneChoice)


def load_batch_file(path: Path) -> BatchRequest:
    """Read a job file.

    Raises:
        InputError: If it cannot be read or is not of the form above.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint="Check the path.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}", hint="Correct the file.") from error
    try:
        return _request(values, path.absolute().parent)
    except InputError as error:
        raise InputError(f"{path}: {error.message}", hint=error.hint) from error


def _request(values: object, base: Path) -> BatchRequest:
    known = _object(values, "the job", _KEYS)
    entries = known.get("clips", [])
    if not isinstance(entries, list):
        raise InputError(f"clips is {entries!r}, expected a list", hint="Write [...] around the paths.")
    out, recursive = known.get("out"), known.get("recursive")
    if not isinstance(out, str | None) or not isinstance(recursive, bool | None):
        raise InputError(
            "out or recursive has the wrong type", hint="out is a path, recursive true or false."
        )
    return BatchRequest(
        clips=tuple(_clip_request(entry, base) for entry in entries),
        out_dir=None if out is None else base / Path(out).expanduser(),
        recursive=recursive,
        settings=_settings(known.get("settings", {})),
        scene=_scene(known.get("scene", {}), base),
    )


def _clip_request(entry: object, base: Path) -> ClipRequest:
    if isinstance(entry, str):
        return ClipRequest(entry, base)
    values = _object(entry, "a clip", _CLIP_KEYS)
    path = values.get("path")
    if not isinstance(path, str):
        raise InputError(f"a clip has the path {path!r}", hint='Write {"path": "clip.mp4", ...}.')
    return ClipRequest(path, base, _settings(values.get("settings", {})))


def _scene(values: object, base: Path) -> Json:
    scene = with_base(_object(values, "scene", None), base)
    scene_from_json(scene)
    return scene


def _settings(values: object) -> Json:
    settings = _object(values, "settings", None)
    CaptureSettings.from_json(dict(settings))  # refuses unknown names and wrong values early
    return settings


def _object(value: object, what: str, keys: Sequence[str] | None) -> Json:
    if not isinstance(value, dict):
        raise InputError(f"{what} is {value!r}, expected an object", hint="Write {...}.")
    unknown = sorted(set(value) - set(keys)) if keys is not None else []
    if unknown:
        raise InputError(
            f"{what} holds unknown names: {', '.join(map(str, unknown))}",
            hint=f"Known are {', '.join(keys or ())}.",
        )
    return value


def plan_batch(
    options: BatchRequest, file: BatchRequest | None = None, *, default_scene: Json | None = None
) -> BatchPlan:
    """Put options and job file together and find the clips.

    Args:
        options: From the command line; they win.
        file: From ``load_batch_file``. Its clips are taken only where the options name none.
        default_scene: Holds where neither says anything.

    Raises:
        InputError: If clips or output folder are missing, or a setting is wrong.
    """
    file = file or BatchRequest()
    requests = options.clips or file.clips
    out_dir = options.out_dir or file.out_dir
    if not requests:
        raise InputError("No clip was named", hint="Give files, a folder, a pattern, --list or --job.")
    if out_dir is None:
        raise InputError("No output folder was named", hint="Give one with -o.")
    out_dir = out_dir.absolute()
    recursive = bool(file.recursive if options.recursive is None else options.recursive)
    found: list[FoundClip] = []
    settings: dict[Path, CaptureSettings] = {}
    for request in requests:
        merged = _merged(file.settings, request.settings, options.settings)
        clips = find_clips(request.path, base=request.base, recursive=recursive, exclude=out_dir)
        found += clips
        settings.update({clip.video: merged for clip in clips})
    scene = merged_scene(default_scene or {}, file.scene, options.scene)
    clips = tuple(Clip(name, video, settings[video]) for video, name in name_clips(found).items())
    return BatchPlan(clips, out_dir, scene_from_json(scene))


def _merged(*layers: Json) -> CaptureSettings:
    """Return settings with the later layers on top; a later focal length replaces one given another way."""
    merged: dict[str, object] = {}
    for layer in layers:
        if any(layer.get(name) is not None for name in FOCAL_FIELDS):
            merged = {name: value for name, value in merged.items() if name not in FOCAL_FIELDS}
        merged.update(layer)
    return CaptureSettings.from_json(merged)
