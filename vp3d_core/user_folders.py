# SPDX-License-Identifier: GPL-3.0-or-later
r"""Where VP3D keeps what belongs to the user and not to the checkout: environment, weights, logs.

Standard library only: install.py, the worker and Blender use it. Nothing here creates a folder.
``VP3D_HOME`` overrides the place. Without it the platform's convention holds:

- Linux: ``$XDG_DATA_HOME/vp3d``, else ``~/.local/share/vp3d``
- macOS: ``~/Library/Application Support/vp3d``
- Windows: ``%LOCALAPPDATA%\vp3d``, else ``~\AppData\Local\vp3d``
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["data_folder", "logs_folder", "weights_folder", "worker_folder", "worker_python"]

HOME_VARIABLE = "VP3D_HOME"
FOLDER_NAME = "vp3d"


def data_folder() -> Path:
    """Return the absolute folder that holds everything VP3D keeps for this user."""
    return platform_data_folder(sys.platform, os.environ, Path.home)


def worker_folder() -> Path:
    """Return the folder of the worker environment and its state."""
    return data_folder() / "worker"


def weights_folder() -> Path:
    """Return the folder of weights that were fetched or imported, such as MMPose's."""
    return data_folder() / "weights"


def logs_folder() -> Path:
    """Return the folder of the installer's logs."""
    return data_folder() / "logs"


def worker_python() -> Path:
    """Return where the worker's Python is, or would be; it need not exist."""
    return environment_python(worker_folder() / "env")


def environment_python(environment: Path) -> Path:
    """Return the interpreter of a virtual environment on this platform."""
    if sys.platform == "win32":
        return environment / "Scripts" / "python.exe"
    return environment / "bin" / "python"


def platform_data_folder(platform: str, variables: Mapping[str, str], home: Callable[[], Path]) -> Path:
    """Return the data folder for a platform and its environment variables.

    Args:
        platform: As ``sys.platform``.
        variables: As ``os.environ``; an empty value counts as unset.
        home: Called for the home folder only where it is needed, as it fails without one.
    """
    override = variables.get(HOME_VARIABLE)
    if override:
        return Path(os.path.abspath(os.path.expanduser(override)))
    if platform == "win32":
        local = variables.get("LOCALAPPDATA")
        return (Path(local) if local else home() / "AppData" / "Local") / FOLDER_NAME
    if platform == "darwin":
        return home() / "Library" / "Application Support" / FOLDER_NAME
    # The XDG specification: a relative path is invalid and must be ignored.
    xdg = variables.get("XDG_DATA_HOME")
    base = Path(xdg) if xdg and os.path.isabs(xdg) else home() / ".local" / "share"
    return base / FOLDER_NAME
