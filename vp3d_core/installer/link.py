# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the checkout importable in the worker environment, without copying it, and add the vp3d command."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from ..user_folders import environment_python
from .package_faults import damage

__all__ = [
    "COMMAND_VARIABLE",
    "is_linked",
    "launcher_path",
    "link_checkout",
    "path_advice",
    "remove_half_installed",
    "site_packages",
    "worker_arguments",
]

COMMAND_VARIABLE = "VP3D_COMMAND"  # what the user typed in place of "vp3d"
PTH_NAME = "vp3d_checkout.pth"
FALLBACK_FOLDER = "vp3d_checkout_gone"  # in site-packages; searched last, so only for want of a checkout
# -I: neither the current folder, nor PYTHONPATH, nor the user's site-packages may shadow a package.
# -X utf8: paths and messages in any alphabet, also through pipes on Windows.
ISOLATION = ("-I", "-X", "utf8")


def worker_arguments(python: Path, *arguments: str) -> list[str]:
    """Return the command that runs the worker's Python in isolation."""
    return [str(python), *ISOLATION, *arguments]


def link_checkout(environment: Path, checkout: Path) -> None:
    """Point the environment at this checkout; write nothing when it already does."""
    site = site_packages(environment)
    fallback = site / FALLBACK_FOLDER
    fallback.mkdir(exist_ok=True)
    _write_if_changed(fallback / "vp3d_core.py", fallback_text(checkout))
    _write_if_changed(site / PTH_NAME, f"{pth_line(checkout)}{FALLBACK_FOLDER}\n")
    launcher = launcher_path(environment)
    _write_if_changed(launcher, launcher_text(environment))
    if sys.platform != "win32" and not os.access(launcher, os.X_OK):
        launcher.chmod(0o755)


def is_linked(environment: Path) -> bool:
    """Return whether ``link_checkout`` was here: whether the environment finds a checkout."""
    return environment_python(environment).exists() and launcher_path(environment).exists()


def launcher_path(environment: Path) -> Path:
    """Return where the vp3d command is."""
    folder = environment_python(environment).parent
    return folder / ("vp3d.cmd" if sys.platform == "win32" else "vp3d")


def path_advice(launcher: Path) -> str:
    """Return how to have the vp3d command on the PATH."""
    if sys.platform == "win32":
        return f'To call it from anywhere, add "{launcher.parent}" to Path in your account\'s variables.'
    return f'To call it from anywhere: mkdir -p ~/.local/bin && ln -sf "{launcher}" ~/.local/bin/vp3d'


def launcher_text(environment: Path) -> str:
    """Return the vp3d command: a shell script, as a "#!" line breaks on spaces in the path."""
    if sys.platform == "win32":
        return f'@"%~dp0python.exe" {" ".join(ISOLATION)} -m vp3d_core %*\r\n'
    python = shlex.quote(str(environment_python(environment)))
    return f'#!/bin/sh\nexec {python} {" ".join(ISOLATION)} -m vp3d_core "$@"\n'


def pth_line(checkout: Path) -> str:
    """Return the .pth line that adds the checkout to ``sys.path``.

    Code instead of a bare path: up to Python 3.12 a .pth file is read in the locale's encoding, and an
    escaped string survives any of them.
    """
    path = ascii(str(checkout))
    return f"import sys; {path} in sys.path or sys.path.append({path})\n"


def fallback_text(checkout: Path) -> str:
    """Return the module that stands in for a vp3d_core whose folder was moved or deleted."""
    message = (
        f"error: VP3D was installed from {checkout}, which is not there any more.\n"
        "What to do: where VP3D is now, run: python install.py install"
    )
    return f"raise SystemExit({message!a})\n"


def site_packages(environment: Path) -> Path:
    """Return the environment's site-packages.

    Raises:
        FileNotFoundError: The environment has none.
    """
    if sys.platform == "win32":
        return environment / "Lib" / "site-packages"
    found = sorted((environment / "lib").glob("python3.*/site-packages"))
    if not found:
        raise FileNotFoundError(f"{environment} has no site-packages")
    return found[0]


def remove_half_installed(environment: Path) -> list[str]:
    """Remove the records of packages of which something is missing, and return their names.

    With them pip would either take the package for complete or refuse to replace it.
    """
    removed: list[str] = []
    for folder in site_packages(environment).iterdir():
        half = folder.name.endswith(".dist-info") and damage(folder)
        if half or folder.name.startswith("~"):
            shutil.rmtree(folder)
            removed.append(folder.name)
    return sorted(removed)


def _write_if_changed(path: Path, text: str) -> None:
    content = os.fsencode(text)
    if path.exists() and path.read_bytes() == content:
        return
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(content)
    os.replace(temporary, path)
