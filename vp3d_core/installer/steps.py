# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of an installation, as data: what each gives to pip, and the key that says it is up to date.

The pins live in ``requirements/``. A step's key is a hash of its pins and of all steps before it, so that a
changed pin makes that step and those after it run again; pip leaves alone what is already right.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "TEST_FILES",
    "WORKER_FILES",
    "Step",
    "TorchChoice",
    "has_nvidia_gpu",
    "pins",
    "test_step",
    "worker_steps",
]

WHEELS_ONLY = "--only-binary=:all:"  # never compile on a user's machine
# Whose pins an environment has in the end; what indirect.txt holds comes with the others.
WORKER_FILES = ("pip.txt", "torch.txt", "worker.txt", "indirect.txt", "openmm.txt")
TEST_FILES = ("test.txt",)
TORCH_BUILDS = ("auto", "cpu", "default")


@dataclass(frozen=True)
class TorchChoice:
    """Which build of PyTorch to install.

    Attributes:
        build: "cpu", "default" (the platform's own build), or "auto": default where there is an NVIDIA GPU,
            on macOS and on Windows, CPU on any other Linux.
        index: Address of a further package index to look for it in, or "".
    """

    build: str = "auto"
    index: str = ""


@dataclass(frozen=True)
class Step:
    """One step of the installation.

    Attributes:
        name: Short name: state file, log file, messages.
        title: What a person reads while it runs.
        attempts: Arguments for ``pip install``; a later attempt is made only when pip finds no distribution
            for the one before.
        key: Changes when the step has to run again.
    """

    name: str
    title: str
    attempts: tuple[tuple[str, ...], ...]
    key: str


def worker_steps(requirements: Path, torch: TorchChoice) -> list[Step]:
    """Return the pip steps of the worker environment, in order."""

    def attempt(file: str, *options: str) -> tuple[tuple[str, ...], ...]:
        return ((WHEELS_ONLY, *options, "-r", str(requirements / file)),)

    constraints = _constraints(requirements)
    return _chain(
        requirements,
        [
            ("pip", "pip", ("pip.txt",), attempt("pip.txt")),
            ("torch", "PyTorch", ("torch.txt",), torch_attempts(requirements, torch)),
            (
                "packages",
                "numpy, OpenCV and FFmpeg",
                ("worker.txt", "indirect.txt"),
                attempt("worker.txt", *constraints),
            ),
            ("detectors", "MMPose and MediaPipe", ("openmm.txt",), attempt("openmm.txt", "--no-deps")),
        ],
        salt=f"{torch.build} {torch.index}",
    )


def test_step(requirements: Path) -> Step:
    """Return the step that adds what the tests and the static checks need."""
    attempts = ((WHEELS_ONLY, *_constraints(requirements), "-r", str(requirements / "test.txt")),)
    return _chain(requirements, [("tests", "test tools", ("test.txt", "worker.txt"), attempts)], salt="")[0]


def _constraints(requirements: Path) -> tuple[str, ...]:
    """Return pip's options that hold the pins; as options, as PIP_CONSTRAINT splits at spaces."""
    return ("-c", str(requirements / "torch.txt"), *_constraints_but_torch(requirements))


def _constraints_but_torch(requirements: Path) -> tuple[str, ...]:
    """Return the same without torch's, which makes pip call a missing build a conflict of versions."""
    names = ("worker.txt", "indirect.txt")
    return tuple(word for name in names for word in ("-c", str(requirements / name)))


def torch_attempts(requirements: Path, torch: TorchChoice) -> tuple[tuple[str, ...], ...]:
    """Return what to ask pip for, best first.

    The CPU build is the one whose version ends in "+cpu". Where no index has it, as on most mirrors,
    "auto" takes the plain version, which on Linux brings the CUDA libraries; "cpu" fails instead.
    """
    pin = pins(requirements / "torch.txt")[0]
    index = ("--extra-index-url", torch.index) if torch.index else ()
    options = (WHEELS_ONLY, *_constraints_but_torch(requirements), *index)
    plain = (*options, pin)
    if sys.platform != "linux" or torch.build == "default":
        return (plain,)
    cpu = (*options, pin + "+cpu")
    if torch.build == "cpu":
        return (cpu,)
    if torch.index or has_nvidia_gpu():
        return (plain,)
    return (cpu, plain)


def has_nvidia_gpu() -> bool:
    """Return whether the machine has an NVIDIA GPU with a working driver."""
    program = shutil.which("nvidia-smi")
    if not program:
        return os.path.isdir("/proc/driver/nvidia/gpus")
    try:
        done = subprocess.run([program, "-L"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and b"GPU" in done.stdout


def _chain(
    requirements: Path,
    parts: list[tuple[str, str, tuple[str, ...], tuple[tuple[str, ...], ...]]],
    *,
    salt: str,
) -> list[Step]:
    steps: list[Step] = []
    key = ""
    for name, title, files, attempts in parts:
        lines = "\n".join(pin for file in files for pin in pins(requirements / file))
        own_salt = salt if name == "torch" else ""
        key = hashlib.sha256(f"{key}\n{name}\n{own_salt}\n{lines}".encode()).hexdigest()[:16]
        steps.append(Step(name, title, attempts, key))
    return steps


def pins(path: Path) -> list[str]:
    """Return a requirements file's lines without comments, so that a changed comment changes no key."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]
