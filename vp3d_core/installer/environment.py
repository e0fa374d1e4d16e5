# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the worker environment up to date, step by step, so that an interrupted installation goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import WorkerNotInstalled
from ..file_lock import exclusive
from ..user_folders import logs_folder, worker_folder
from .installation import LAYOUT, Installation, write_state
from .interpreters import Interpreter
from .link import link_checkout, remove_half_installed, site_packages, worker_arguments
from .pip_process import NO_SUCH_BUILD, LineHandler, describe_pip_line, remedy_for, run_logged, tail
from .steps import Step, TorchChoice, has_nvidia_gpu

__all__ = ["Progress", "ProgressHandler", "ensure_worker", "remove_worker"]

ASIDE = "before"  # in the worker folder: what is kept while the environment is made anew
ASIDE_NAMES = ("ready.json", "state.json", "env")  # ready.json goes first and comes back last
PIP_WITH_RAW_BAR = (24, 1)  # the progress bar that is one plain line a step; a Python may bring an older pip
NO_CPU_BUILD = re.compile(r"No matching distribution found for \S+\+cpu")
NO_CPU_BUILD_HINT = (
    "The package index has no CPU build of PyTorch: name one that has (--torch-index, README 'GPU'), "
    "or take the platform's own build: --torch default."
)
NEEDED_BYTES_CPU = 4_000_000_000  # environment 1.9 GB, unpacking and pip's cache
NEEDED_BYTES_CUDA = 14_000_000_000  # the CUDA libraries are 3 GB to fetch and 7 GB unpacked


@dataclass(frozen=True)
class Progress:
    """What the installation does now.

    Attributes:
        index: Number of the step, from 1.
        count: How many steps there are.
        title: The step, for a person.
        detail: What goes on inside it; "" at its start.
        seconds: How long the step took, once it is done; else None.
    """

    index: int
    count: int
    title: str
    detail: str = ""
    seconds: float | None = None


ProgressHandler = Callable[[Progress], None]


def ensure_worker(
    wanted: Installation,
    *,
    find_python: Callable[[], Interpreter],
    rebuild: bool,
    on_progress: ProgressHandler,
    verify: bool = False,
) -> None:
    """Bring the worker environment up to date; return at once when it is.

    Args:
        wanted: What to install.
        find_python: Called for the Python to make the environment with, only when it has to be made.
        rebuild: Make the environment anew even if it looks complete.
        on_progress: Called at each step's start, during it, and at its end.
        verify: Look for the files of every package, too, and install again what lacks some.

    Raises:
        WorkerNotInstalled: A step failed; the message names it and its log, the hint what to do.
    """
    if not rebuild and wanted.is_ready() and not (verify and wanted.damaged_packages()):
        link_checkout(wanted.environment, wanted.checkout)
        return
    wanted.folder.mkdir(parents=True, exist_ok=True)
    with exclusive(
        wanted.folder / "lock",
        on_wait=lambda: on_progress(Progress(0, 0, "waiting for another installation")),
    ):
        _put_back(wanted, on_progress)
        if rebuild:
            _rebuild(wanted, find_python, on_progress)
        elif verify and wanted.is_ready():
            _forget_steps_if_damaged(wanted, on_progress)
        if not wanted.is_ready():
            _install(wanted, find_python, on_progress)
        link_checkout(wanted.environment, wanted.checkout)


def remove_worker() -> Path:
    """Remove the worker environment and its state, and return the folder that is gone."""
    folder = worker_folder()
    if folder.exists():
        # The markers first: a removal that is cut off must not leave a "ready" behind.
        for name in ("ready.json", "state.json"):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder)
    return folder


def _install(
    wanted: Installation, find_python: Callable[[], Interpreter], on_progress: ProgressHandler
) -> None:
    (wanted.folder / "ready.json").unlink(missing_ok=True)
    state = wanted.state()
    steps = wanted.steps
    count = len(steps) + 2
    if state.get("layout") != LAYOUT or not wanted.is_made():
        state = {}
    if not state:
        with _timed(Progress(1, count, "virtual environment"), on_progress) as report:
            state = _make_environment(wanted, find_python(), report)
    for number, step in enumerate(steps, 2):
        if state.get(step.name) == step.key:
            continue
        with _timed(Progress(number, count, step.title), on_progress) as report:
            _run_step(wanted, step, state, report)
        state[step.name] = step.key
        write_state(wanted.folder / "state.json", state)
    link_checkout(wanted.environment, wanted.checkout)
    with _timed(Progress(count, count, "self-check"), on_progress) as report:
        _self_check(wanted, report)
    write_state(wanted.folder / "ready.json", state)


def _rebuild(
    wanted: Installation, find_python: Callable[[], Interpreter], on_progress: ProgressHandler
) -> None:
    """Make the environment anew. One that works is kept until then, and put back when that fails."""
    ready = wanted.folder / "ready.json"
    if not ready.exists():
        (wanted.folder / "state.json").unlink(missing_ok=True)
        _install(wanted, find_python, on_progress)
        return
    aside = wanted.folder / ASIDE
    aside.mkdir()
    try:
        for name in ASIDE_NAMES:
            if (wanted.folder / name).exists():
                os.replace(wanted.folder / name, aside / name)
        _install(wanted, find_python, on_progress)
    except BaseException as error:
        _put_back(wanted, on_progress)
        if isinstance(error, WorkerNotInstalled):
            error.hint += " The environment from before is in its place again."
        raise
    shutil.rmtree(aside)


def _put_back(wanted: Installation, on_progress: ProgressHandler) -> None:
    """Put back what ``_rebuild`` kept, unless the new environment is complete."""
    aside = wanted.folder / ASIDE
    if not aside.exists():
        return
    if not (wanted.folder / "ready.json").exists():
        on_progress(Progress(0, 0, "putting the environment from before back"))
        if (aside / "env").exists() and wanted.environment.exists():
            shutil.rmtree(wanted.environment)
        for name in reversed(ASIDE_NAMES):
            if (aside / name).exists():
                os.replace(aside / name, wanted.folder / name)
    shutil.rmtree(aside)


def _make_environment(wanted: Installation, python: Interpreter, report: LineHandler) -> dict[str, str]:
    report(f"Python {python.version_text}")
    _check_room(wanted.folder, wanted.torch)
    if wanted.environment.exists():
        shutil.rmtree(wanted.environment)
    log = _log_of("environment")
    code = run_logged([str(python.path), "-I", "-m", "venv", str(wanted.environment)], log, on_line=report)
    if code:
        raise _failure("virtual environment", log, log.read_text(encoding="utf-8"))
    state = {
        "layout": LAYOUT,
        "python": str(python.path),
        "version": python.version_text,
        "torch_build": wanted.torch.build,
        "torch_index": wanted.torch.index,
    }
    write_state(wanted.folder / "state.json", state)
    return state


def _run_step(wanted: Installation, step: Step, state: dict[str, str], report: LineHandler) -> None:
    remove_half_installed(wanted.environment)
    log = _log_of(step.name)
    if step.name == "torch":
        _remove_other_torch(wanted, state, log)
    output = ""
    for attempt in step.attempts:
        lines: list[str] = []

        def on_line(line: str, lines: list[str] = lines) -> None:
            lines.append(line)
            detail = describe_pip_line(line)
            if detail:
                report(detail)

        bar = ("--progress-bar", "raw") if _pip_version(wanted) >= PIP_WITH_RAW_BAR else ()
        command = worker_arguments(wanted.python, "-m", "pip", "install", *bar, *attempt)
        if run_logged(command, log, on_line=on_line) == 0:
            return
        output = "\n".join(lines)
        if not any(sign in output for sign in NO_SUCH_BUILD):
            break
    failure = _failure(step.title, log, output)
    if step.name == "torch" and wanted.torch.build == "cpu" and NO_CPU_BUILD.search(output):
        failure.hint = NO_CPU_BUILD_HINT
    raise failure


def _pip_version(wanted: Installation) -> tuple[int, ...]:
    names = [path.name for path in site_packages(wanted.environment).glob("pip-*.dist-info")]
    numbers = re.findall(r"\d+", names[0]) if names else []
    return tuple(int(number) for number in numbers)


def _remove_other_torch(wanted: Installation, state: dict[str, str], log: Path) -> None:
    """Uninstall torch when another build is wanted: to pip both are the same version."""
    before = (state.get("torch_build"), state.get("torch_index"))
    if before == (wanted.torch.build, wanted.torch.index):
        return
    command = worker_arguments(wanted.python, "-m", "pip", "uninstall", "-y", "torch")
    run_logged(command, log, on_line=lambda line: None)
    state.update(torch_build=wanted.torch.build, torch_index=wanted.torch.index)


def _self_check(wanted: Installation, report: LineHandler) -> None:
    log = _log_of("selfcheck")
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if line.startswith("ok "):
            report(line[3:])

    command = worker_arguments(wanted.python, "-m", "vp3d_core.installer.selfcheck")
    if run_logged(command, log, on_line=on_line):
        failed = [line for line in lines if line.startswith("FAILED")] or lines[-1:]
        raise WorkerNotInstalled(
            "Everything was installed, but not everything works:\n"
            + "\n".join(f"  {line}" for line in failed)
            + f"\nLog: {log}",
            hint="Run: python install.py install --rebuild. If that does not help, report the log.",
        )


def _failure(title: str, log: Path, output: str) -> WorkerNotInstalled:
    return WorkerNotInstalled(
        f"The step '{title}' failed:\n{tail(output)}\nLog: {log}", hint=remedy_for(output)
    )


def _check_room(folder: Path, torch: TorchChoice) -> None:
    cuda = torch.build == "default" or (torch.build == "auto" and has_nvidia_gpu())
    needed = NEEDED_BYTES_CUDA if cuda else NEEDED_BYTES_CPU
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise WorkerNotInstalled(
            f"{folder} has {free / 1e9:.1f} GB free; the installation needs {needed / 1e9:.0f} GB",
            hint="Free some space, or set VP3D_HOME to a folder on another drive.",
        )


def _forget_steps_if_damaged(wanted: Installation, on_progress: ProgressHandler) -> None:
    """Make all steps run again where a package lacks something; pip leaves alone what is complete."""
    damaged = wanted.damaged_packages()
    if not damaged:
        return
    on_progress(Progress(0, 0, f"installing again: {', '.join(damaged)}"))
    (wanted.folder / "ready.json").unlink(missing_ok=True)
    steps = {step.name for step in dataclasses.replace(wanted, with_tests=True).steps}
    kept = {name: value for name, value in wanted.state().items() if name not in steps}
    write_state(wanted.folder / "state.json", kept)


def _log_of(name: str) -> Path:
    return logs_folder() / f"install-{name}.log"


@contextlib.contextmanager
def _timed(step: Progress, on_progress: ProgressHandler) -> Iterator[LineHandler]:
    started = time.monotonic()
    on_progress(step)
    yield lambda detail: on_progress(dataclasses.replace(step, detail=detail))
    on_progress(dataclasses.replace(step, seconds=time.monotonic() - started))
