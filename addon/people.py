# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the people of a video before a capture, with a worker of its own."""

from __future__ import annotations

import json
from pathlib import Path

import bpy

from ..vp3d_core.capture.job_file import CaptureJob
from ..vp3d_core.capture.people_command import PEOPLE_NAME
from . import icons, job_runner
from .job_runner import RunningJob
from .properties import capture_settings
from .session import say_error
from .worker_environment import worker_job_command

__all__ = ["start_people"]


def start_people(scene: bpy.types.Scene) -> RunningJob:
    """Start to look for the people in a scene's video.

    Raises:
        VP3DError: If there is no worker, or the settings are wrong.
    """
    say_error(None, "people")
    chosen = scene.vp3d
    chosen.people.clear()
    icons.clear("person-")
    folder = Path(bpy.app.tempdir) / "vp3d-people"
    command = worker_job_command("people", folder)
    CaptureJob(Path(bpy.path.abspath(chosen.video_path)), folder / "out", capture_settings(scene)).save(
        folder
    )
    name, video_path = scene.name, chosen.video_path
    return job_runner.start(
        "people",
        "Looking for people",
        folder=folder,
        command=command,
        on_end=lambda job: _show(job, name, video_path),
    )


def _show(job: RunningJob, scene_name: str, video_path: str) -> None:
    if job.error is not None:
        if job.error.code != "cancelled":
            say_error(job.error, "people", folder=str(job.folder))
        return
    scene = bpy.data.scenes.get(scene_name)  # another file may have been opened
    if scene is None or scene.vp3d.video_path != video_path:
        return
    out = job.folder / "out"
    found = json.loads((out / PEOPLE_NAME).read_text(encoding="utf-8"))["people"]
    chosen = scene.vp3d
    chosen.people.clear()
    chosen.people_video = video_path
    for person in found:
        item = chosen.people.add()
        item.name = f"Person {person['number']}"
        item.picture = f"person-{person['number']}"
        item.confidence = person["confidence"]
        item.when = f"{person['first_s']:.1f} to {person['last_s']:.1f} s, seen {person['seen']:.0%}"
        item.places = " ".join(f"at:{time_s}:{x}:{y}" for time_s, x, y in person["places"])
        icons.load(item.picture, out / person["picture"])
