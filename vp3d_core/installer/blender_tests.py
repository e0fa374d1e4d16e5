# SPDX-License-Identifier: GPL-3.0-or-later
"""Run tests/blender with Blender as a Python module, and in the real Blender that VP3D_BLENDER names.

The module is a wheel for one version of Python each: where neither is there, those tests are left out, and
a line says so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from ..errors import WorkerNotInstalled
from ..user_folders import data_folder, environment_python, logs_folder
from .blender import BLENDER_VARIABLE, Blender, find_blender, script_command
from .interpreters import find_python
from .link import worker_arguments
from .pip_process import NO_SUCH_BUILD, child_environment, remedy_for, run_logged, tail
from .steps import WHEELS_ONLY

__all__ = ["bpy_python", "is_for_blender", "run_in_real_blender", "run_to_end", "run_with_bpy"]

BPY_MINORS = (11, 13)  # requirements/bpy.txt
SCRIPT = Path("tests") / "run_in_blender.py"
PACKAGES_VARIABLE = "VP3D_TEST_PACKAGES"
Say = Callable[[str], None]


def is_for_blender(word: str) -> bool:
    """Return whether a word of pytest's command line names tests that run in Blender."""
    return Path(word.split("::")[0]).as_posix().lstrip("./").startswith("tests/blender")


def run_with_bpy(checkout: Path, words: list[str], say: Say) -> int:
    """Run tests with the bpy wheel and return pytest's exit code; 0 where there is no wheel for this machine.

    Args:
        checkout: The checkout's root.
        words: For pytest.
        say: Receives lines for the user.

    Raises:
        WorkerNotInstalled: The wheel is there, but cannot be installed.
    """
    python = bpy_python(checkout, say, skipped="tests/blender")
    if python is None:
        return 0
    say("Tests with Blender as a Python module:")
    return run_to_end([*worker_arguments(python), str(checkout / SCRIPT), *words], checkout)


def run_in_real_blender(checkout: Path, words: list[str], say: Say, *, pip_python: Path) -> int:
    """Run the same tests in the Blender that VP3D_BLENDER names; 0 when it names none.

    Args:
        checkout: The checkout's root.
        words: For pytest.
        say: Receives lines for the user.
        pip_python: A Python with pip, to fetch pytest with: Blender's own stays as it is.
    """
    if not os.environ.get(BLENDER_VARIABLE):
        return 0
    blender = find_blender()
    if not isinstance(blender, Blender):
        raise WorkerNotInstalled(
            f"{BLENDER_VARIABLE} names {os.environ[BLENDER_VARIABLE]}, which cannot be used: "
            f"{blender.reason if blender else 'there is none'}",
            hint=f"Name the program of a Blender 4.2 or later, or unset {BLENDER_VARIABLE}.",
        )
    say(f"Tests in Blender {blender.version_text} ({blender.program}):")
    os.environ[PACKAGES_VARIABLE] = str(_ensure_pytest(checkout, pip_python))
    return run_to_end(script_command(blender, checkout / SCRIPT, *words), checkout)


def _ensure_pytest(checkout: Path, pip_python: Path) -> Path:
    """Return a folder with pytest and what it needs, all of it Python code that any version reads."""
    folder = data_folder() / "pytest"
    pin = next(line for line in _pins(checkout).splitlines() if line.startswith("pytest=="))
    if (folder / "pytest").is_dir() and (folder / f"{pin.replace('==', '-')}.dist-info").is_dir():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    install = worker_arguments(pip_python, "-m", "pip", "install", WHEELS_ONLY, "--target", str(folder), pin)
    _run(install, logs_folder() / "install-bpy.log")
    return folder


def bpy_python(checkout: Path, say: Say, *, skipped: str) -> Path | None:
    """Return the Python of an environment with bpy and pytest, made when missing.

    Args:
        checkout: The checkout's root.
        say: Receives lines for the user.
        skipped: What is left out where there is no wheel of bpy.

    Returns:
        None where there is none; the reason was said.

    Raises:
        WorkerNotInstalled: The wheel is there, but cannot be installed.
    """
    folder = data_folder() / "bpy"
    python, ready = environment_python(folder), folder / "ready"
    key = hashlib.sha256(_pins(checkout).encode()).hexdigest()
    if python.exists() and ready.exists() and ready.read_text(encoding="utf-8") == key:
        return python
    base = find_python(BPY_MINORS)
    if base is None:
        say(f"Skipped: {skipped}, as there is no Python 3.11 or 3.13, for which Blender comes as a module.")
        return None
    say(f"Installing Blender as a module for Python {base.version_text} ...")
    shutil.rmtree(folder, ignore_errors=True)
    log = logs_folder() / "install-bpy.log"
    _run([str(base.path), "-I", "-m", "venv", str(folder)], log)
    pins = str(checkout / "requirements" / "bpy.txt")
    if not _run(worker_arguments(python, "-m", "pip", "install", WHEELS_ONLY, "-r", pins), log):
        say(f"Skipped: {skipped}, as pip finds no wheel of bpy for this machine. Log: {log}")
        return None
    ready.write_text(key, encoding="utf-8")
    return python


def _pins(checkout: Path) -> str:
    return (checkout / "requirements" / "bpy.txt").read_text(encoding="utf-8")


def _run(command: list[str], log: Path) -> bool:
    """Run a step of an installation; return False when pip finds nothing that fits the machine.

    Raises:
        WorkerNotInstalled: It failed in another way.
    """
    lines: list[str] = []
    if run_logged(command, log, on_line=lines.append) == 0:
        return True
    output = "\n".join(lines)
    if any(sign in output for sign in NO_SUCH_BUILD):
        return False
    raise WorkerNotInstalled(
        f"Blender as a module was not installed:\n{tail(output)}\nLog: {log}",
        hint=remedy_for(output),
    )


def run_to_end(command: list[str], folder: Path) -> int:
    """Run a command to its end; Ctrl-C reaches it, too, and it ends itself."""
    environment = child_environment(os.environ)
    with subprocess.Popen(command, cwd=folder, env=environment) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue
