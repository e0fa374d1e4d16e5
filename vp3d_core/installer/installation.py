# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker environment should be, and what of it was done so far.

In the worker folder: ``env/`` the virtual environment, ``state.json`` what was done so far, ``ready.json``
that all of it was done and the self-check passed. Both files are replaced atomically; ``ready.json`` counts
only while its keys are those of the pins in ``requirements/``.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from ..user_folders import environment_python, worker_folder
from .link import site_packages
from .package_faults import incomplete_packages, package_name, pinned_names
from .steps import TEST_FILES, WORKER_FILES, Step, TorchChoice, test_step, worker_steps

__all__ = ["LAYOUT", "Installation", "installation", "read_state", "write_state"]

LAYOUT = "1"  # of the worker folder; another value makes the environment anew


@dataclass(frozen=True)
class Installation:
    """A worker environment, as it should be for one checkout.

    Attributes:
        checkout: Folder that holds vp3d_core and requirements.
        folder: The worker folder.
        torch: Which build of PyTorch was asked for, or was installed before.
        with_tests: Whether the test tools belong to it.
    """

    checkout: Path
    folder: Path
    torch: TorchChoice
    with_tests: bool

    @property
    def environment(self) -> Path:
        """The virtual environment."""
        return self.folder / "env"

    @property
    def python(self) -> Path:
        """The worker's Python."""
        return environment_python(self.environment)

    @property
    def steps(self) -> list[Step]:
        """The pip steps, in order."""
        requirements = self.checkout / "requirements"
        steps = worker_steps(requirements, self.torch)
        return [*steps, test_step(requirements)] if self.with_tests else steps

    def state(self) -> dict[str, str]:
        """What was done so far: step name to key."""
        return read_state(self.folder / "state.json")

    def is_made(self) -> bool:
        """Whether the virtual environment is there, with an interpreter that exists."""
        try:
            return self.python.exists() and site_packages(self.environment).is_dir()
        except FileNotFoundError:
            return False

    def is_ready(self) -> bool:
        """Whether everything was installed and is up to date; costs reading a few small files."""
        ready = read_state(self.folder / "ready.json")
        wanted = {"layout": LAYOUT, **{step.name: step.key for step in self.steps}}
        return self.is_made() and all(ready.get(name) == key for name, key in wanted.items())

    def damaged_packages(self) -> list[str]:
        """Names of the packages that a ready environment lacks, all or in part; takes half a second."""
        site = site_packages(self.environment)
        files = (*WORKER_FILES, *TEST_FILES) if self.with_tests else WORKER_FILES
        minor = int(read_state(self.folder / "ready.json")["version"].split(".")[1])
        wanted = pinned_names(self.checkout / "requirements", files, minor=minor)
        here = {package_name(info) for info in site.glob("*.dist-info")}
        return sorted({*wanted} - here | {*incomplete_packages(site)})


def installation(
    checkout: Path, *, torch: TorchChoice | None = None, with_tests: bool = False
) -> Installation:
    """Return the installation of this user for a checkout.

    Args:
        checkout: Folder that holds vp3d_core and requirements.
        torch: Which build of PyTorch; None keeps the choice of the last installation.
        with_tests: Whether the test tools are wanted.
    """
    folder = worker_folder()
    if torch is None:
        state = read_state(folder / "state.json")
        torch = TorchChoice(state.get("torch_build", "auto"), state.get("torch_index", ""))
    return Installation(checkout, folder, torch, with_tests)


def read_state(path: Path) -> dict[str, str]:
    """Return a state file's content; one that is missing or broken counts as empty: its steps run again."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in values.items()} if isinstance(values, dict) else {}


def write_state(path: Path, values: dict[str, str]) -> None:
    """Replace a state file in one move."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path)
