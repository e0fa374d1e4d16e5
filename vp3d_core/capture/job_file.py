# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker is to do, as kept in ``job.json``. Standard library only."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from ..output_file import output_error, replaced_when_done
from ..settings import CaptureSettings, is_detector

__all__ = ["JOB_NAME", "CaptureJob"]

JOB_NAME = "job.json"


@dataclass(frozen=True, slots=True)
class CaptureJob:
    """One capture to be done.

    Attributes:
        video: The video file.
        out_dir: Folder for the outputs.
        settings: The user's choices.
    """

    video: Path
    out_dir: Path
    settings: CaptureSettings = field(default_factory=CaptureSettings)

    def save(self, job_dir: Path) -> None:
        """Write ``job.json`` into a folder, which is made when it is missing.

        Paths become absolute: whoever does the job may run in another folder.

        Raises:
            OutputError: If it cannot be written.
        """
        settings = self.settings.to_json() | {
            "detector": _absolute(self.settings.detector),
            "lifter": None if self.settings.lifter is None else _absolute(self.settings.lifter),
        }
        values = {
            "video": str(self.video.absolute()),
            "out": str(self.out_dir.absolute()),
            "settings": settings,
        }
        try:
            job_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(job_dir, error) from error
        with replaced_when_done(job_dir / JOB_NAME) as temporary:
            temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, job_dir: Path) -> CaptureJob:
        """Read ``job.json`` from a folder.

        Raises:
            InputError: If it is missing or not what ``save`` writes.
        """
        path = job_dir / JOB_NAME
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            video, out, settings = values["video"], values["out"], values["settings"]
        except OSError as error:
            raise InputError(
                f"{path} cannot be read: {error.strerror}", hint="Start the capture again."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path} is no job: expected an object with video, out and settings",
                hint="Start the capture again.",
            ) from error
        if not (isinstance(video, str) and isinstance(out, str) and isinstance(settings, dict)):
            raise InputError(f"{path} is no job: wrong types", hint="Start the capture again.")
        return cls(Path(video), Path(out), CaptureSettings.from_json(settings))


def _absolute(name_or_path: str) -> str:
    """Return the absolute path of a file or folder that is there; a name as it is."""
    path = Path(name_or_path)
    return str(path.absolute()) if not is_detector(name_or_path) and path.exists() else name_or_path
