# SPDX-License-Identifier: GPL-3.0-or-later
"""Find a Blender on this machine. Standard library only; nothing is installed."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BLENDER_VARIABLE", "Blender", "UnfitBlender", "find_blender", "script_command"]

BLENDER_VARIABLE = "VP3D_BLENDER"
OLDEST_BLENDER = (4, 2)
START_TIMEOUT_S = 60.0  # a first start with a virus scanner takes a while
MAC_PLACES = ("/Applications/Blender.app/Contents/MacOS/Blender",)
WINDOWS_PLACES = r"Blender Foundation\Blender *\blender.exe"  # below Program Files


@dataclass(frozen=True)
class Blender:
    """A Blender that can be used.

    Attributes:
        program: Its executable.
        version: Such as (4, 5, 3).
    """

    program: str
    version: tuple[int, ...]

    @property
    def version_text(self) -> str:
        """The version as "4.5.3"."""
        return ".".join(str(number) for number in self.version)


@dataclass(frozen=True)
class UnfitBlender:
    """A Blender that was tried and cannot be used.

    Attributes:
        program: What was run.
        reason: Why it cannot be used.
    """

    program: str
    reason: str


def find_blender() -> Blender | UnfitBlender | None:
    """Return the Blender to use: the one that VP3D_BLENDER names, else the first usable one of the machine.

    Returns:
        None when there is none at all; an UnfitBlender when those that are there cannot be used.
    """
    told = os.environ.get(BLENDER_VARIABLE)
    if told:
        return probe_blender(os.path.expanduser(told))
    unfit: UnfitBlender | None = None
    for program in candidates(sys.platform, os.environ):
        found = probe_blender(program)
        if isinstance(found, Blender):
            return found
        unfit = unfit or found
    return unfit


def candidates(platform: str, variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the Blenders of a machine: on PATH, then where installers put them, the newest first."""
    on_path = shutil.which("blender")
    if on_path:
        yield on_path
    if platform == "darwin":
        yield from (place for place in MAC_PLACES if os.path.exists(place))
    if platform == "win32":
        folders = [variables.get(name) for name in ("ProgramFiles", "ProgramW6432")]
        for folder in dict.fromkeys(filter(None, folders)):
            yield from sorted(glob.glob(os.path.join(glob.escape(folder), WINDOWS_PLACES)), reverse=True)


def probe_blender(program: str) -> Blender | UnfitBlender:
    """Run a program and say whether it is a Blender that VP3D works in."""
    try:
        done = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return UnfitBlender(program, f"it does not start ({error})")
    version = parse_version(done.stdout.decode("utf-8", errors="replace"))
    if not version:
        return UnfitBlender(program, "it does not say which Blender it is")
    if version < OLDEST_BLENDER:
        oldest = ".".join(str(number) for number in OLDEST_BLENDER)
        found = ".".join(str(number) for number in version)
        return UnfitBlender(program, f"it is Blender {found}, at least {oldest} is needed")
    return Blender(program, version)


def parse_version(text: str) -> tuple[int, ...]:
    """Return the version in what ``blender --version`` prints, or ()."""
    match = re.search(r"^Blender (\d+)\.(\d+)(?:\.(\d+))?", text, re.MULTILINE)
    return tuple(int(number) for number in match.groups() if number is not None) if match else ()


def script_command(blender: Blender, script: Path, *words: str) -> list[str]:
    """Return the command that runs a script in Blender without a window, exit code 1 when it throws."""
    start = ["-b", "--factory-startup", "--python-exit-code", "1"]
    return [blender.program, *start, "--python", str(script), "--", *words]
