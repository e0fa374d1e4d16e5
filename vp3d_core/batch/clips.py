# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clips a batch has, and what their folders are called. Standard library only."""

from __future__ import annotations

import glob
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from ..settings import CaptureSettings

__all__ = ["VIDEO_SUFFIXES", "Clip", "FoundClip", "find_clips", "name_clips", "read_list"]

VIDEO_SUFFIXES = frozenset(
    [
        ".3gp",
        ".avi",
        ".flv",
        ".m2ts",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".ogv",
        ".ts",
        ".webm",
        ".wmv",
    ]
)
_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of a batch.

    Attributes:
        name: Its folder below the output folder, with "/" between parts; unique in the batch.
        video: The video file, absolute.
        settings: Of its capture.
    """

    name: str
    video: Path
    settings: CaptureSettings = field(default_factory=CaptureSettings)

    @property
    def stem(self) -> str:
        """The last part of the name: what its files are called."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class FoundClip:
    """A video and the folder it was looked for in.

    Attributes:
        video: The video file, absolute.
        root: Folder whose structure the output keeps; the video's own folder for a file that was named.
    """

    video: Path
    root: Path


def find_clips(
    entry: str, *, base: Path, recursive: bool = False, exclude: Path | None = None
) -> list[FoundClip]:
    """Return the clips that a file, folder or wildcard pattern stands for, sorted.

    Args:
        entry: As the user wrote it. A file that is named is taken whatever its suffix.
        base: Folder that a relative entry is relative to.
        recursive: Whether folders below a folder count, too.
        exclude: A folder that is not searched: the output folder, which holds videos of its own.

    Raises:
        InputError: If there is nothing.
    """
    path = Path(os.path.abspath(base / Path(entry).expanduser()))
    if path.is_dir():
        return _in_folder(path, recursive=recursive, exclude=exclude)
    if path.exists() or not _WILDCARDS & set(entry):
        return [FoundClip(path, path.parent)]  # a missing one fails by itself, and the others go on
    root = _fixed_part(path)
    inside = _outside_of(exclude)
    matches = (Path(match) for match in glob.glob(str(path), recursive=True))
    found = sorted(match for match in matches if _is_video(match) and inside(match))
    if not found:
        raise InputError(f"{entry} matches no video", hint=_SUFFIX_HINT)
    return [FoundClip(video, root) for video in found]


_SUFFIX_HINT = f"Videos are known by their suffix: {' '.join(sorted(VIDEO_SUFFIXES))}."


def _in_folder(folder: Path, *, recursive: bool, exclude: Path | None) -> list[FoundClip]:
    inside = _outside_of(exclude)
    paths = folder.rglob("*") if recursive else folder.iterdir()
    found = sorted(path for path in paths if _is_video(path) and inside(path))
    if not found:
        hint = _SUFFIX_HINT if recursive else f"{_SUFFIX_HINT} Folders below it count with --recursive."
        raise InputError(f"{folder} holds no video", hint=hint)
    return [FoundClip(path, folder) for path in found]


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _outside_of(folder: Path | None) -> Callable[[Path], bool]:
    if folder is None:
        return lambda path: True
    absolute = Path(os.path.abspath(folder))
    return lambda path: absolute not in path.parents


def _fixed_part(pattern: Path) -> Path:
    """Return the folder above the first part with a wildcard."""
    fixed = [part for part in pattern.parents if not _WILDCARDS & set(str(part))]
    return fixed[0]


def read_list(path: Path) -> list[str]:
    """Return the entries of a list file: one a line, "#" begins a comment line.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read: {error}", hint="Give a text file, one path a line."
        ) from error
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def name_clips(found: Iterable[FoundClip]) -> dict[Path, str]:
    """Give each video a folder of its own: its path below its root without suffix.

    Where two would share one, all of them get their suffix added, then a hash of their path.
    """
    unique = {clip.video: clip for clip in found}
    clips = list(unique.values())
    plain = [clip.video.relative_to(clip.root).with_suffix("").as_posix() for clip in clips]
    names = _told_apart(plain, [clip.video.suffix.lower().replace(".", "_") for clip in clips])
    return dict(zip(unique, _told_apart(names, [_path_tag(clip.video) for clip in clips]), strict=True))


def _told_apart(names: Sequence[str], tags: Sequence[str]) -> list[str]:
    count = Counter(name.casefold() for name in names)  # some file systems know no case
    return [name + tag if count[name.casefold()] > 1 else name for name, tag in zip(names, tags, strict=True)]


def _path_tag(path: Path) -> str:
    return "_" + hashlib.sha256(path.as_posix().encode("utf-8", "surrogateescape")).hexdigest()[:6]
