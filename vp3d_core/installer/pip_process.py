# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one installer command, keep its output in a log file, and explain its failure.

The child's lines are read as they come, for progress. On Ctrl-C the child is told to stop and waited for,
as pip puts back what it had moved away.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = [
    "NO_SUCH_BUILD",
    "LineHandler",
    "child_environment",
    "describe_pip_line",
    "remedy_for",
    "run_logged",
    "tail",
]

LineHandler = Callable[[str], None]
STOP_GRACE_S = 15.0  # pip moves packages back when it is interrupted
TAIL_LINES = 12
NO_DISTRIBUTION = "No matching distribution found"
# With a constraint on the package, the user's own included, pip calls a missing build a conflict.
NO_SUCH_BUILD = (NO_DISTRIBUTION, "ResolutionImpossible")
# Settings of the user's own shell that would lead a virtual environment's Python or pip astray.
DROPPED_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_NO_DEPS")
REMEDIES = (
    (
        r"No space left on device|Errno 28|not enough space",
        "Free some disk space, or set VP3D_HOME to a folder on another drive.",
    ),
    (
        r"Permission denied|Errno 13|Access is denied",
        "The folder cannot be written: set VP3D_HOME to a folder of your own. No administrator is needed.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "A proxy replaces certificates: name its certificate file in PIP_CERT.",
    ),
    (
        r"Temporary failure in name resolution|getaddrinfo|NewConnectionError|ConnectionReset|ProxyError"
        r"|Max retries|ReadTimeout|Read timed out",
        "The package index was not reached: check the network (behind a proxy set HTTPS_PROXY), then run the "
        "same command again. Without a network, see README, 'Offline'.",
    ),
    (
        r"conflicting dependencies|ResolutionImpossible",
        "The pins in requirements/ contradict each other: take an unchanged copy of VP3D.",
    ),
    (
        r"from versions: none",
        "Either the package index was not reached (check the network; behind a proxy set HTTPS_PROXY), or it "
        "has no wheel for this Python and system (try Python 3.11: --python PATH). Then run the same command "
        "again. Without a network, see README, 'Offline'.",
    ),
    (
        NO_DISTRIBUTION,
        "The package index has no such wheel for this Python and system: try Python 3.11 (--python PATH), or "
        "check the pin in requirements/ and the index settings (pip config list).",
    ),
)
UNKNOWN_REMEDY = (
    "Read the log, then run the same command again: it goes on at this step. If that does not help, "
    "add --rebuild."
)


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for the worker's Python: the user's, without what would lead it astray."""
    kept = {name: value for name, value in variables.items() if name not in DROPPED_VARIABLES}
    kept.update(PYTHONNOUSERSITE="1", PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    return kept


def run_logged(command: list[str], log: Path, *, on_line: LineHandler) -> int:
    """Run a command, append its output to the log, and return its exit code.

    Args:
        command: Program and arguments.
        log: File that receives the command and every line.
        on_line: Called with each line of output.

    Raises:
        KeyboardInterrupt: The user interrupted; the child has ended.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as sink:
        sink.write(f"$ {shlex.join(command)}\n")
        sink.flush()
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**child_environment(os.environ), "PYTHONUTF8": "1"},
            encoding="utf-8",
            errors="replace",
        ) as child:
            try:
                for line in child.stdout or ():
                    if not _is_download_count(line):
                        sink.write(line)
                        sink.flush()
                    on_line(line.rstrip())
                return child.wait()
            except BaseException:
                _stop(child)
                raise


def _stop(child: subprocess.Popen[str]) -> None:
    if child.poll() is None:
        if sys.platform == "win32":
            child.terminate()
        else:
            child.send_signal(signal.SIGINT)
    try:
        child.wait(STOP_GRACE_S)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        child.kill()
        child.wait()


def describe_pip_line(line: str) -> str:
    """Return what a line of pip's output tells a person about its progress, or ""."""
    count = re.match(r"Progress (\d+) of (\d+)", line)
    if count:
        done, total = int(count[1]), int(count[2])
        return f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
    found = re.match(r"\s*(Collecting|Downloading|Using cached|Processing) (\S+)", line)
    if found:
        return f"{found[1].lower()} {found[2].rsplit('/', 1)[-1].split('?')[0]}"
    if line.startswith("Installing collected packages"):
        return "installing " + str(line.count(",") + 1) + " packages"
    return ""


def remedy_for(output: str) -> str:
    """Return what the user can do about the failure that a command's output tells of."""
    for pattern, remedy in REMEDIES:
        if re.search(pattern, output):
            return remedy
    return UNKNOWN_REMEDY


def tail(output: str) -> str:
    """Return the last lines worth showing: pip's ERROR lines, else the end, shortened."""
    lines = [line for line in output.splitlines() if line.strip() and not _is_download_count(line)]
    errors = [line for line in lines if line.startswith("ERROR")]
    return "\n".join(f"  {_shorten(line)}" for line in (errors or lines)[-TAIL_LINES:])


def _shorten(line: str) -> str:
    """Cut the list of a hundred versions that pip prints when none fits."""
    return line if len(line) <= 240 else f"{line[:120]} ... {line[-100:]}"


def _is_download_count(line: str) -> bool:
    return line.startswith("Progress ")
