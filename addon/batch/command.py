# SPDX-License-Identifier: GPL-3.0-or-later
"""The headless command: options in, exit code out. ``blender --command vp3d`` and ``headless.py`` run it."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import IO

import bpy

from ...vp3d_core.batch.batch_file import BatchPlan
from ...vp3d_core.batch.console import BatchConsole, JsonLines
from ...vp3d_core.batch.options import make_parser, plan_from_options, policy_from_options
from ...vp3d_core.batch.run import run_batch
from ...vp3d_core.batch.summary import write_summary
from ...vp3d_core.batch.worker_capture import capture_with_worker
from ...vp3d_core.capture.output_folder import make_folder
from ...vp3d_core.errors import VP3DError
from ...vp3d_core.output_file import output_error
from ..preferences import choices
from .exporters import check_formats
from .scenes import BlenderScenes

__all__ = ["COMMAND_NAME", "register", "run", "unregister"]

COMMAND_NAME = "vp3d"
EXIT_FAILED = 1
EXIT_CANCELLED = 130
LOGS_NAME = "logs"

_handles: list[object] = []  # what Blender gave for the registered command


def run(words: list[str], *, prog: str) -> int:
    """Convert what the words name.

    Args:
        words: The options.
        prog: The command as the user typed it, for --help.

    Returns:
        0, 1 when a clip failed or nothing could go on, 130 when cancelled; wrong options raise SystemExit(2).
    """
    options = make_parser(prog, usage=f"{prog} CLIP... -o OUT [options]").parse_args(words)
    view_of: Callable[[IO[str]], BatchConsole | JsonLines] = JsonLines if "json" in options else BatchConsole
    try:
        plan = plan_from_options(options, open_file=bpy.data.filepath)
        check_formats(plan.scene.export)
        log_path = _log_path(plan.out_dir)
    except VP3DError as error:
        view_of(sys.stdout).refuse(error)
        return EXIT_FAILED
    with _output_to_log(log_path) as stream, _interruptible():
        return _convert(plan, options, view_of(stream))


def _convert(plan: BatchPlan, options: argparse.Namespace, view: BatchConsole | JsonLines) -> int:
    policy = policy_from_options(options)
    python = vars(options).get("worker_python") or choices().worker_python
    try:
        view.begin_batch(plan)
        scenes = BlenderScenes(plan.scene)
        summary = run_batch(
            plan, capture=capture_with_worker(python), scenes=scenes, view=view, policy=policy
        )
        view.end_batch(summary, write_summary(summary, plan.out_dir))
    except VP3DError as error:
        view.refuse(error)
        return EXIT_FAILED
    except KeyboardInterrupt:  # before the first clip, or after the last
        return EXIT_CANCELLED
    return summary.exit_code


def _log_path(out_dir: Path) -> Path:
    folder = out_dir / LOGS_NAME
    make_folder(folder)
    return folder / f"{platform.node() or 'machine'}-{os.getpid()}.log"


@contextlib.contextmanager
def _output_to_log(path: Path) -> Iterator[IO[str]]:
    """Point fd 1 and fd 2 at a log, where exporters may print, and give a stream on what fd 1 was."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        log_file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError as error:
        raise output_error(path, error) from error
    os.dup2(log_file, 1)
    os.dup2(log_file, 2)
    os.close(log_file)
    handler = logging.StreamHandler(sys.stderr)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with os.fdopen(os.dup(saved[0]), "w", encoding=encoding, errors="replace") as stream:
            yield stream
    finally:
        root.removeHandler(handler)
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in enumerate(saved, start=1):
            os.dup2(copy, number)
            os.close(copy)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Turn Ctrl-C, and the SIGTERM of a scheduler, into KeyboardInterrupt; the second one ends at once.

    Blender's own handler under -b would only set a flag for the renderer.
    """
    asked = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        del number, frame
        if asked:
            os._exit(EXIT_CANCELLED)
        asked = True
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _run_registered(words: list[str]) -> int:
    """Run as ``blender --command vp3d``; wrong options must not end Blender in the middle."""
    try:
        return run(words, prog="blender --command vp3d")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else EXIT_FAILED


def register() -> None:
    """Add the command line's command."""
    _handles.append(bpy.utils.register_cli_command(COMMAND_NAME, _run_registered))


def unregister() -> None:
    """Take it away."""
    while _handles:
        bpy.utils.unregister_cli_command(_handles.pop())
