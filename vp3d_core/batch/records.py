# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a clip: a file in its output folder, so that a later run does nothing twice.

A key stands for all that a result depends on: a video's content and the capture's settings, or those and
what is asked of the scene. Standard library only; hashing is the stage store's.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..capture.stage_store import make_key, source_sha256
from ..output_file import replaced_when_done
from ..settings import CaptureSettings

__all__ = ["RECORD_NAME", "ClipRecord", "ClipState", "SourceStamp", "capture_key", "scene_key"]

RECORD_NAME = "clip.json"
FORMAT = "vp3d.batch.clip"
VERSION = 1


class ClipState(str, Enum):
    """How a clip stands."""

    PENDING = "pending"
    DONE = "done"
    KEPT = "kept"  # done by an earlier run
    FAILED = "failed"
    ELSEWHERE = "elsewhere"  # another process works on it


@dataclass(frozen=True, slots=True)
class SourceStamp:
    """By what a video is recognised without reading it: bytes and time of change, wherever it is mounted."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> SourceStamp:
        """Return the stamp of a file; OSError when it is not there."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class ClipRecord:
    """What was done with a clip.

    Attributes:
        video: The video, as the machine that worked on it named it.
        stamp: The video's, or None when it could not be read.
        sha256: Of the video's content, or "".
        capture_key: Of the finished capture, or "".
        motions: Files of the capture, relative to the clip's folder.
        scene_key: Of the finished scenes, or "" when none were made.
        files: Files of the scenes, relative to the clip's folder.
        error_code: Of the failure, or "".
        error_text: What happened.
        error_hint: What to do.
        seconds: The work took, of the last run that did any.
        host: The machine.
        version: VP3D's.
        warnings: Of the capture.
    """

    video: str
    stamp: SourceStamp | None = None
    sha256: str = ""
    capture_key: str = ""
    motions: tuple[str, ...] = ()
    scene_key: str = ""
    files: tuple[str, ...] = ()
    error_code: str = ""
    error_text: str = ""
    error_hint: str = ""
    seconds: float = 0.0
    host: str = ""
    version: str = ""
    warnings: tuple[str, ...] = ()

    def save(self, folder: Path) -> None:
        """Write the record into the clip's folder, whole or not at all.

        Raises:
            OutputError: If it cannot be written.
        """
        values = {"format": FORMAT, "version_of_format": VERSION, **dataclasses.asdict(self)}
        with replaced_when_done(folder / RECORD_NAME) as temporary:
            temporary.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ClipRecord | None:
        """Return the record in a folder, or None when there is none that can be read."""
        try:
            values = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
            if values["format"] != FORMAT or values["version_of_format"] != VERSION:
                return None
            known = {name.name: values[name.name] for name in dataclasses.fields(cls)}
            if known["stamp"] is not None:
                known["stamp"] = SourceStamp(**known["stamp"])
            for name in ("motions", "files", "warnings"):
                known[name] = tuple(str(entry) for entry in known[name])
            return cls(**known)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def has_capture(self, key: str, folder: Path) -> bool:
        """Return whether the capture of that key is there, with its files."""
        return self.capture_key == key and bool(self.motions) and _all_there(folder, self.motions)

    def has_scenes(self, key: str, folder: Path) -> bool:
        """Return whether the scenes of that key are there, with their files; no key needs none."""
        return not key or (self.scene_key == key and _all_there(folder, self.files))


def _all_there(folder: Path, names: tuple[str, ...]) -> bool:
    return all((folder / name).is_file() for name in names)


def capture_key(sha256: str, settings: CaptureSettings) -> str:
    """Return what a capture depends on; detectors and lifters that are files count by their content.

    Raises:
        OSError: If such a file cannot be read.
    """
    values = settings.to_json()
    for name in ("detector", "lifter"):
        path = Path(str(values[name] or ""))
        if values[name] and path.exists():
            values[name] = source_sha256(path, folder=None)
    for name in ("device", "threads"):  # where it is computed, not what
        del values[name]
    return make_key("batch capture", sha256, values)


def scene_key(capture: str, wanted: str) -> str:
    """Return what a clip's scenes depend on; "" when none are wanted."""
    return make_key("batch scene", capture, wanted) if wanted else ""
