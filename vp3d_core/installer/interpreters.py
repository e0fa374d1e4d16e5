# SPDX-License-Identifier: GPL-3.0-or-later
"""Find a Python that the worker environment can be made with.

The worker needs a 64-bit CPython 3.10-3.12: MediaPipe has no wheels beyond. Every candidate is really run,
as a name on PATH proves nothing: pyenv's shims and the Microsoft Store's stubs exist and fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import WorkerNotInstalled

__all__ = ["Interpreter", "Rejected", "find_interpreter", "find_python", "probe"]

PYTHON_VARIABLE = "VP3D_PYTHON"
PREFERRED_MINORS = (11, 12, 10)  # 3.11 first: the only one for which every wheel exists everywhere
MEDIAPIPE_PIN = "0.10.21"  # requirements/openmm.txt
PROBE_TIMEOUT_S = 30.0  # a first start on Windows with a virus scanner takes seconds
PROBE = """
import json, platform, struct, sys
missing = []
for name in ("venv", "ensurepip"):
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
print(json.dumps({"executable": sys.executable, "version": list(sys.version_info[:3]),
    "implementation": platform.python_implementation(), "bits": 8 * struct.calcsize("P"),
    "machine": platform.machine(), "missing": missing}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that the worker environment can be made with.

    Attributes:
        path: Its executable, absolute.
        version: Major, minor and micro.
    """

    path: Path
    version: tuple[int, int, int]

    @property
    def version_text(self) -> str:
        """The version as "3.11.7"."""
        return ".".join(str(number) for number in self.version)


@dataclass(frozen=True)
class Rejected:
    """A Python that was tried and cannot be used.

    Attributes:
        command: What was run.
        reason: Why it cannot be used.
    """

    command: str
    reason: str


def find_interpreter(told: str | None = None) -> Interpreter:
    """Return the Python to use: the one that was told, else this one, else the first on the machine.

    Args:
        told: Path or command from ``--python``; None looks at VP3D_PYTHON and then searches.

    Raises:
        WorkerNotInstalled: Nothing usable was found; the message lists what was tried.
    """
    told = told or os.environ.get(PYTHON_VARIABLE)
    if told:
        result = probe([os.path.expanduser(told)])
        if isinstance(result, Interpreter):
            return result
        raise WorkerNotInstalled(
            f"The Python that was named, {told}, cannot be used: {result.reason}", hint=install_advice()
        )
    rejected: list[Rejected] = []
    for command in candidates():
        result = probe(command)
        if isinstance(result, Interpreter):
            return result
        rejected.append(result)
    tried = "\n".join(f"  {each.command}: {each.reason}" for each in rejected) or "  nothing at all"
    raise WorkerNotInstalled(
        f"VP3D needs Python 3.10, 3.11 or 3.12, and none was found. Tried:\n{tried}", hint=install_advice()
    )


def find_python(minors: tuple[int, ...]) -> Interpreter | None:
    """Return the first 64-bit CPython of one of these minor versions of Python 3 on the machine, or None."""
    for command in candidates(minors):
        found = _ask(command)
        if isinstance(found, Rejected) or found["version"][:2] not in [[3, minor] for minor in minors]:
            continue
        if found["implementation"] == "CPython" and found["bits"] == 64 and not found["missing"]:
            major, minor, micro = found["version"]
            return Interpreter(Path(found["executable"]), (major, minor, micro))
    return None


def probe(command: list[str]) -> Interpreter | Rejected:
    """Run a candidate and say whether the worker environment can be made with it."""
    found = _ask(command)
    if isinstance(found, Rejected):
        return found
    reason = unsuitable(found, sys.platform)
    if reason:
        return Rejected(" ".join(command), reason)
    major, minor, micro = found["version"]
    return Interpreter(Path(found["executable"]), (major, minor, micro))


def _ask(command: list[str]) -> dict[str, Any] | Rejected:
    """Run a candidate and return what it says about itself."""
    text = " ".join(command)
    try:
        done = subprocess.run(
            [*command, "-I", "-"],  # not as an argument: another program's complaint would repeat it
            input=PROBE.encode("ascii"),
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        return Rejected(text, "there is no such program")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Rejected(text, f"does not run ({error})")
    try:
        return json.loads(done.stdout.decode("utf-8", "replace"))
    except ValueError:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        if done.returncode == 0:
            return Rejected(text, "does not run Python programs")
        return Rejected(text, f"does not run ({said[0] if said else f'exit code {done.returncode}'})")


def unsuitable(found: dict[str, object], platform: str) -> str:
    """Return why a probed Python cannot be used, or ""."""
    major, minor, micro = found["version"]  # type: ignore[misc]
    version = f"{major}.{minor}.{micro}"
    if found["implementation"] != "CPython":
        return f"is {found['implementation']} {version}, not CPython"
    if major != 3 or minor not in PREFERRED_MINORS:
        return f"is Python {version}, not 3.10 to 3.12"
    if found["bits"] != 64:
        return f"is a {found['bits']}-bit Python {version}; PyTorch exists for 64 bits only"
    if platform == "linux" and found["machine"] != "x86_64":
        return f"runs on {found['machine']}; MediaPipe {MEDIAPIPE_PIN} has wheels for x86_64 Linux only"
    if platform == "darwin" and found["machine"] == "x86_64":
        return f"is an Intel build of Python {version}; PyTorch exists for Apple silicon (arm64) only"
    if found["missing"]:
        names = " and ".join(found["missing"])  # type: ignore[arg-type]
        return (
            f"is Python {version} without {names} (on Debian and Ubuntu: package python{major}.{minor}-venv)"
        )
    return ""


def candidates(minors: tuple[int, ...] = PREFERRED_MINORS) -> Iterator[list[str]]:
    """Yield commands that may be a Python 3 of these minor versions, best first, each program once."""
    seen: set[str] = set()
    for command in _all_candidates(minors):
        key = os.path.normcase(os.path.realpath(command[0])) if len(command) == 1 else " ".join(command)
        if _is_pyenv_shim(command[0]):
            key = command[0]  # every shim is a link to, or a copy of, one script
        if key not in seen:
            seen.add(key)
            yield command


def _all_candidates(minors: tuple[int, ...]) -> Iterator[list[str]]:
    if sys.executable:
        yield [sys.executable]
    if sys.platform == "win32" and shutil.which("py"):
        for minor in minors:
            yield ["py", f"-3.{minor}"]
    for name in (*(f"python3.{minor}" for minor in minors), "python3", "python"):
        for found in _all_on_path(name):
            yield [found]
    for minor in minors:
        yield from _known_places(minor)
    yield from _uv_pythons(minors)


def _all_on_path(name: str) -> Iterator[str]:
    """Yield every program of that name on PATH: the first may be a shim that does not run."""
    for folder in os.get_exec_path():
        found = shutil.which(name, path=folder) if folder else None
        if found:
            yield found


def _known_places(minor: int) -> Iterator[list[str]]:
    """Yield Pythons that pyenv, Homebrew and python.org put where PATH need not lead."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"))
    for found in sorted(pyenv.glob(f"versions/3.{minor}.*/bin/python3.{minor}"), reverse=True):
        yield [str(found)]
    fixed = [
        f"/opt/homebrew/bin/python3.{minor}",
        f"/usr/local/bin/python3.{minor}",
        f"/Library/Frameworks/Python.framework/Versions/3.{minor}/bin/python3.{minor}",
        os.path.join(
            os.environ.get("LOCALAPPDATA", ""), "Programs", "Python", f"Python3{minor}", "python.exe"
        ),
    ]
    for place in fixed:
        if os.path.isabs(place) and os.path.exists(place):
            yield [place]


def _uv_pythons(minors: tuple[int, ...]) -> Iterator[list[str]]:
    uv = shutil.which("uv")
    if not uv:
        return
    for minor in minors:
        done = subprocess.run(
            [uv, "python", "find", "--no-project", f"3.{minor}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
        found = os.fsdecode(done.stdout).strip()
        if done.returncode == 0 and found:
            yield [found]


def _is_pyenv_shim(program: str) -> bool:
    return os.path.basename(os.path.dirname(program)) == "shims"


def install_advice() -> str:
    """Return how to get a suitable Python on this platform without an administrator."""
    ways = {
        "win32": "install Python 3.11 (64 bit) from python.org or with: winget install Python.Python.3.11",
        "darwin": "install Python 3.11 from python.org, or run: brew install python@3.11",
    }
    way = ways.get(sys.platform, "install Python 3.11 with your package manager (with its venv package)")
    return (
        f"Without an administrator: uv python install 3.11 (where uv is). Or {way}. Then run this again, "
        f"or name one: --python PATH, or {PYTHON_VARIABLE}=PATH."
    )
