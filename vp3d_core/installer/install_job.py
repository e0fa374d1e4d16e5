# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer as another program's worker: the protocol on stdout, a closed stdin cancels.

``python -m vp3d_core.installer.install_job install``, or fetch-weights, import-weights FILE ..., examine.
Blender runs it behind its buttons. Needs Python 3.10; the rest of the installer starts
on 3.9. Standard library only.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .. import __version__
from ..capture.interruption import EXIT_CANCELLED, Interruption
from ..capture.worker import error_event
from ..errors import WorkerNotInstalled
from ..protocol import (
    PROTOCOL_VERSION,
    ErrorEvent,
    Event,
    EventWriter,
    HelloEvent,
    ProgressEvent,
    ResultEvent,
    StageEvent,
    take_stdout,
)
from ..user_folders import environment_python, weights_folder, worker_folder
from .cli import CHECKOUT
from .environment import Progress, ensure_worker
from .installation import installation
from .interpreters import find_interpreter
from .link import worker_arguments

__all__ = ["main"]

MEGABYTES = re.compile(r"(\d+) of (\d+) MB")

Emit = Callable[[Event], None]


def main(words: list[str]) -> int:
    """Do one piece of the installation and return the exit code."""
    parser = argparse.ArgumentParser(prog="install_job")
    parser.add_argument("action", choices=sorted(ACTIONS))
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--python")
    options = parser.parse_args(words)
    interruption = Interruption()
    interruption.listen()
    with take_stdout() as stream:
        writer = EventWriter(stream)
        interruption.watch_stdin()
        emit = interruption.guard(writer.write)
        try:
            emit(HelloEvent(PROTOCOL_VERSION, __version__, "cpu"))
            folder = ACTIONS[options.action](options, emit)
        except BaseException as error:  # noqa: BLE001  the last words must be said whatever happened
            interruption.ignore()
            event = error_event(error)
            if event.code == "cancelled":
                event = ErrorEvent(
                    event.code,
                    "The installation was stopped",
                    "Started again, it goes on there.",
                    event.trace,
                )
            sys.stderr.write(event.trace)
            writer.write(event)
            return EXIT_CANCELLED if event.code == "cancelled" else 1
        interruption.ignore()
        writer.write(ResultEvent(str(folder)))
        return 0


def _install(options: argparse.Namespace, emit: Emit) -> Path:
    def show(progress: Progress) -> None:
        sys.stderr.write(f"[{progress.index}/{progress.count}] {progress.title} {progress.detail}\n")
        count = MEGABYTES.search(progress.detail)
        if count is not None:
            emit(ProgressEvent(progress.title, int(count[1]), int(count[2]), "MB"))
        elif progress.seconds is None:
            text = f"{progress.title}: {progress.detail}" if progress.detail else progress.title
            emit(StageEvent(text, progress.index, progress.count))

    wanted = installation(CHECKOUT)
    ensure_worker(
        wanted,
        find_python=lambda: find_interpreter(options.python),
        rebuild=False,
        on_progress=show,
        verify=True,
    )
    return wanted.folder


def _fetch_weights(options: argparse.Namespace, emit: Emit) -> Path:
    del options
    from ..detect import mmpose_weights

    names = mmpose_weights.missing()
    for index, name in enumerate(names, start=1):
        emit(StageEvent(name, index, len(names)))

        def show(model: str, done: int, total: int | None) -> None:
            emit(ProgressEvent(model, done // 1_000_000, None if total is None else total // 1_000_000, "MB"))

        mmpose_weights.fetch([name], on_progress=show)
    return weights_folder()


def _import_weights(options: argparse.Namespace, emit: Emit) -> Path:
    from ..detect import mmpose_weights

    for index, path in enumerate(options.files, start=1):
        emit(StageEvent(path.name, index, len(options.files)))
        mmpose_weights.import_file(path)
    return weights_folder()


def _examine(options: argparse.Namespace, emit: Emit) -> Path:
    """Write what ``vp3d doctor`` finds to the log."""
    emit(StageEvent("Looking at the worker environment", 1, 1))
    python = options.python or str(environment_python(worker_folder() / "env"))
    command = [python, "-m", "vp3d_core", "doctor"]
    if not options.python:
        command = worker_arguments(Path(python), "-m", "vp3d_core", "doctor")
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        raise WorkerNotInstalled(
            f"{python} does not run: {error}", hint="Install the worker environment."
        ) from error
    sys.stderr.write(done.stdout + done.stderr)
    if done.returncode:
        missing = [line for line in done.stdout.splitlines() if line.startswith("MISSING")]
        raise WorkerNotInstalled(
            "Something is missing:\n" + "\n".join(missing or done.stderr.splitlines()[-3:]),
            hint="Install the worker environment again.",
        )
    return worker_folder()


ACTIONS: dict[str, Callable[[argparse.Namespace, Emit], Path]] = {
    "install": _install,
    "fetch-weights": _fetch_weights,
    "import-weights": _import_weights,
    "examine": _examine,
}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
