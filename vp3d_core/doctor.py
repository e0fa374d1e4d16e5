# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what is installed, on which device it runs, which weights are there, and what is missing.

Runs in the worker's Python. ``examine`` only looks: it fetches and changes nothing. Packages are looked up
by their metadata and the files that those list; torch alone is imported, as only it knows the devices.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import platform
import shutil
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from . import __version__
from .errors import VP3DError
from .installer.package_faults import incomplete_packages, pinned_names
from .installer.steps import WORKER_FILES
from .user_folders import data_folder

__all__ = ["Finding", "examine", "exit_code", "format_findings", "run_doctor"]

State = Literal["ok", "note", "missing"]
MARKS: dict[State, str] = {"ok": "ok     ", "note": "note   ", "missing": "MISSING"}
PACKAGES = {
    "torch": "every model runs on it",
    "numpy": "arrays",
    "scipy": "tracking, trajectory",
    "av": "reading and writing video",
    "opencv-contrib-python": "drawing, image resizing",
    "safetensors": "the lifter's weights",
    "matplotlib": "MMPose",
    "mediapipe": "the detector that needs no download",
    "mmengine": "MMPose",
    "mmcv-lite": "MMPose",
    "mmdet": "MMPose's person detector",
    "mmpose": "the better detector",
}
INSTALL_HINT = "Run: python install.py install"
BROKEN_IMPORT = (ImportError, OSError, AttributeError)  # the last: a folder left without its __init__.py
LOW_DISK_BYTES = 1_000_000_000  # a capture's overlay and cache stay well below this


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What was looked at.
        state: "ok", "note" (works, could be better) or "missing" (capture will not work).
        text: What was found.
        remedy: What to do, or "".
    """

    name: str
    state: State
    text: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at Python, packages, device, weights and disk, in that order."""
    python = Finding("python", "ok", f"{platform.python_version()} at {sys.executable}")
    home = Path(__file__).resolve().parent.parent
    return [
        Finding("vp3d", "ok", f"{__version__} from {home}"),
        python,
        *_examine_packages(home / "requirements"),
        _examine_device(),
        _examine_lifter_weights(),
        _examine_mmpose_weights(),
        examine_data_folder(),
    ]


def exit_code(findings: list[Finding]) -> int:
    """Return 1 when anything needed for a capture is missing, else 0."""
    return int(any(finding.state == "missing" for finding in findings))


def format_findings(findings: list[Finding]) -> str:
    """Return one line a finding, the remedy indented below it."""
    width = max((len(finding.name) for finding in findings), default=0)
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{MARKS[finding.state]}  {finding.name:<{width}}  {finding.text}")
        if finding.remedy:
            lines.append(f"{'':<{width + 11}}{finding.remedy}")
    return "\n".join(lines)


def run_doctor(write: Callable[[str], object], *, as_json: bool = False) -> int:
    """Write what ``examine`` finds and return the exit code.

    Args:
        write: Takes text, e.g. ``sys.stdout.write``.
        as_json: Write a JSON list instead of lines.
    """
    findings = examine()
    if as_json:
        write(json.dumps([dataclasses.asdict(finding) for finding in findings]) + "\n")
    else:
        write(format_findings(findings) + "\n")
    return exit_code(findings)


def examine_data_folder() -> Finding:
    """Look at the data folder: where it is and how much room it has."""
    folder = data_folder()
    existing = next((place for place in (folder, *folder.parents) if place.exists()), None)
    if existing is None:
        return Finding(
            "data folder", "missing", f"{folder} lies on no drive of this machine", "Set VP3D_HOME."
        )
    free = shutil.disk_usage(existing).free
    text = f"{folder} ({free / 1e9:.1f} GB free)"
    if free < LOW_DISK_BYTES:
        return Finding("data folder", "note", text, "Free some space, or set VP3D_HOME to another drive.")
    return Finding("data folder", "ok", text)


def _examine_packages(requirements: Path) -> list[Finding]:
    """Look at each of PACKAGES; of the other packages only those are told that something is wrong with."""
    incomplete = incomplete_packages(Path(sysconfig.get_path("purelib")))
    found = [_examine_package(name, purpose, incomplete) for name, purpose in PACKAGES.items()]
    pinned: list[str] = []
    if requirements.is_dir():  # not beside a vp3d_core that pip installed
        pinned = pinned_names(requirements, WORKER_FILES, minor=sys.version_info.minor)
    others = sorted({*pinned, *incomplete} - {*PACKAGES})
    further = [_examine_package(name, "needed by the above", incomplete) for name in others]
    return [*found, *(finding for finding in further if finding.state != "ok")]


def _examine_package(name: str, purpose: str, incomplete: dict[str, str]) -> Finding:
    if name in incomplete:
        return Finding(name, "missing", f"incomplete: {incomplete[name]} ({purpose})", INSTALL_HINT)
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "missing", f"not installed ({purpose})", INSTALL_HINT)
    return Finding(name, "ok", version)


def _examine_device() -> Finding:
    try:
        import torch

        has_cuda = torch.cuda.is_available()
    except BROKEN_IMPORT as error:
        return Finding("device", "missing", f"torch cannot be imported: {error}", INSTALL_HINT + " --rebuild")
    if has_cuda:
        properties = torch.cuda.get_device_properties(0)
        return Finding("device", "ok", f"cuda: {properties.name}, {properties.total_memory / 1e9:.0f} GB")
    if torch.backends.mps.is_available():
        return Finding("device", "ok", "mps: Apple GPU")
    text = f"cpu, {torch.get_num_threads()} threads (torch {torch.__version__})"
    if shutil.which("nvidia-smi"):
        remedy = "If it has an NVIDIA GPU: python install.py install --torch default (README, 'GPU')."
        return Finding("device", "note", text + "; torch sees no GPU although nvidia-smi is here", remedy)
    return Finding("device", "ok", text)


def _examine_lifter_weights() -> Finding:
    try:
        import torch

        from .lift.weights import load_lifter_model

        _, header = load_lifter_model(None, torch.device("cpu"))
    except VP3DError as error:
        return Finding("lifter weights", "missing", error.message, "Take a complete copy of VP3D.")
    except BROKEN_IMPORT as error:
        return Finding("lifter weights", "missing", f"cannot be loaded: {error}", INSTALL_HINT)
    return Finding("lifter weights", "ok", str(header["id"]))


def _examine_mmpose_weights() -> Finding:
    from .detect import mmpose_weights

    try:
        missing = mmpose_weights.missing()
    except (VP3DError, OSError) as error:
        return Finding("mmpose weights", "note", f"cannot be read: {error}", "Run: python install.py weights")
    if missing:
        here = mmpose_weights.installed()
        text = f"{', '.join(here)} without {' and '.join(missing)}" if here else "not here"
        further = f" --model {missing[0]}" if here else ""
        remedy = f"For better keypoints: python install.py weights{further}"
        return Finding("mmpose weights", "note", f"{text}; 'auto' uses MediaPipe", remedy)
    taken = mmpose_weights.models()
    others = [f"mmpose:{name}" for name in mmpose_weights.usable() if name not in taken]
    text = f"'auto' uses MMPose with {' and '.join(taken)}"
    return Finding("mmpose weights", "ok", f"{text}; there is also {', '.join(others)}" if others else text)
