# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker environment as the panels see it, and the command lines of its processes."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

from ..vp3d_core.detect import mmpose_weights
from ..vp3d_core.errors import VP3DError, WorkerNotInstalled
from ..vp3d_core.installer.installation import installation
from .extension import EXTENSION_FOLDER, default_jobs_folder
from .preferences import choices

__all__ = ["install_command", "refresh_worker_state", "register", "unregister", "worker_job_command"]


def worker_job_command(name: str, folder: Path) -> list[str]:
    """Return the command line of a worker: "capture", "people" or "preview".

    Raises:
        WorkerNotInstalled: If there is no worker environment.
    """
    python = choices().worker_python
    if not python.is_file():
        raise WorkerNotInstalled(
            f"There is no worker environment: {python} does not exist",
            hint="Install it under Preferences, Add-ons, VP3D Motion Capture.",
        )
    return [str(python), "-m", "vp3d_core", name, "--job", str(folder)]


def install_command(*words: str) -> list[str]:
    """Return the command line of an installer process, run by Blender's own Python."""
    return [sys.executable, "-m", "vp3d_core.installer.install_job", *words]


def refresh_worker_state() -> None:
    """Look at the worker environment and the weights, for the panels to show: a few small files are read."""
    session = bpy.context.window_manager.vp3d
    session.jobs_folder_default = str(default_jobs_folder())
    session.worker_state, session.worker_text = _worker_state()
    try:
        session.weights_missing = bool(mmpose_weights.missing())
    except (VP3DError, OSError):
        session.weights_missing = True


def _worker_state() -> tuple[str, str]:
    chosen = choices()
    if chosen.own_worker:
        there = chosen.worker_python.is_file()
        text = str(chosen.worker_python)
        return ("READY", text) if there else ("MISSING", f"There is no file {text}")
    wanted = installation(EXTENSION_FOLDER)
    if wanted.is_ready():
        return "READY", f"Ready in {wanted.folder}"
    if not wanted.python.is_file():
        return "MISSING", "Not installed"
    return "PARTLY", "Not complete, or of another version: install it"


def register() -> None:
    """Look at the worker environment once."""
    refresh_worker_state()


def unregister() -> None:
    """Nothing to undo: the state goes with the session's properties."""
