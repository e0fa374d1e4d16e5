# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing the worker environment and the weights, in a child process."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..vp3d_core.errors import OutputError, WorkerNotInstalled
from ..vp3d_core.user_folders import data_folder
from . import job_runner
from .job_runner import RunningJob
from .preferences import choices
from .session import say_error
from .worker_environment import install_command, refresh_worker_state

__all__ = ["check_online", "installer_folder", "start_installer"]


def installer_folder(kind: str) -> Path:
    """Return the folder with the last installation's events and log; "install" or "weights"."""
    return data_folder() / "logs" / kind


def check_online() -> None:
    """Raise unless Blender may go online.

    Raises:
        WorkerNotInstalled: If the user has not allowed it.
    """
    if bpy.app.online_access:
        return
    forced = bpy.app.online_access_override
    raise WorkerNotInstalled(
        "Blender may not go online, and this needs a download",
        hint="Start Blender without --offline-mode."
        if forced
        else "Allow online access in the preferences: System, Network.",
    )


def start_installer(kind: str, *words: str) -> RunningJob:
    """Start an installer process.

    Args:
        kind: "install" or "weights".
        words: See ``install_job``.

    Raises:
        VP3DError: If it cannot be started.
    """
    say_error(None, kind)
    folder = installer_folder(kind)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be made: {error.strerror}", hint="Set VP3D_HOME to a folder of your own."
        ) from error
    python = choices().installer_python
    if words[0] == "install" and python:
        words = (*words, "--python", python)
    return job_runner.start(kind, "Installing", folder=folder, command=install_command(*words), on_end=_show)


def _show(job: RunningJob) -> None:
    refresh_worker_state()
    if job.error is not None and job.error.code != "cancelled":
        say_error(job.error, job.kind)
