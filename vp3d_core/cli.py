# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``vp3d``. What a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from . import __version__
from .capture.interruption import EXIT_CANCELLED, leave
from .capture.options import add_capture_options
from .errors import VP3DError
from .standard_streams import open_missing_streams, write_to_nowhere

if TYPE_CHECKING:
    from .capture.worker import Work

__all__ = ["main"]

# Each module has add_arguments(parser) and run(options) -> exit code.
TRAINING_COMMANDS = {
    "train": (".train.command", "train the lifter on motion capture, or, with --paper, as in the paper"),
    "evaluate": (
        ".train.evaluate_command",
        "measure a lifter on held-out motion capture, or, with --paper, as in it",
    ),
    "paper-data": (".paper.data_command", "make a data set for 'train --paper' from motion capture"),
    "convert-checkpoint": (
        ".paper.convert_command",
        "convert your own VideoPose3D checkpoint, or back to one",
    ),
}
# The same words with --paper: the experiments of the paper on Human3.6M, HumanEva or one's own data.
PAPER_COMMANDS = {"train": ".paper.train_command", "evaluate": ".paper.evaluate_command"}

# For other programs, such as the add-on: events on stdout, a closed stdin cancels.
QUICK_COMMANDS = {
    "preview": "write some small pictures of a job's video, and what is known of it",
    "people": "look at some frames of a job's video and write who is there",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 1 on an error, 2 on wrong options, 130 when cancelled.

    Args:
        argv: The words after the program's name; None takes those of the process.
    """
    open_missing_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    code = EXIT_CANCELLED
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:  # nobody listens any more, as behind "| head -1"
        write_to_nowhere()
    except VP3DError as error:
        print(f"Error: {error.message}\n{error.hint}".rstrip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        code = EXIT_CANCELLED
    if code == EXIT_CANCELLED:
        leave(code)  # a second Ctrl-C while Python takes itself down would end it by SIGINT
    return code


def _run(words: list[str]) -> int:
    if words and words[0] in TRAINING_COMMANDS:
        return _run_training(words[0], words[1:])
    parser = argparse.ArgumentParser(prog="vp3d", description="Motion capture from ordinary video.")
    parser.add_argument("--version", action="version", version=f"vp3d {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    capture = commands.add_parser("capture", help="make motions from a video")
    add_capture_options(capture)
    for name, text in QUICK_COMMANDS.items():
        quick = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        quick.add_argument("--job", metavar="DIR", type=Path, required=True, help="folder with job.json")
    doctor = commands.add_parser("doctor", help="say what is installed, which device, which weights")
    doctor.add_argument("--json", action="store_true", help="print JSON instead of text")
    weights = commands.add_parser("weights", help="fetch the weights of the MMPose detector")
    weights.add_argument(
        "--from-file", metavar="FILE", type=Path, nargs="+", help="checkpoints fetched elsewhere"
    )
    weights.add_argument(
        "--model", metavar="NAME", help="another model than the default ones, or what a file is for"
    )
    for name, (_, text) in TRAINING_COMMANDS.items():
        commands.add_parser(name, help=text)
    options = parser.parse_args(words)
    if options.command == "capture":
        return _run_capture(capture, options, words)
    if options.command in QUICK_COMMANDS:
        _run_quick(options.command, options.job)
    if options.command == "doctor":
        from .doctor import run_doctor

        return run_doctor(sys.stdout.write, as_json=options.json)
    return _run_weights(options.from_file or [], options.model)


def _run_capture(parser: argparse.ArgumentParser, options: argparse.Namespace, words: list[str]) -> int:
    from .capture.command import run_capture_command

    if options.job is not None:
        _run_worker(options.job)
    if options.video is None:
        parser.error("give a video: vp3d capture CLIP")
    return run_capture_command(options, words, usage_error=parser.error)


def _run_quick(name: str, job_dir: Path) -> NoReturn:
    if name == "people":
        from .capture.people_command import find_people as work
    else:
        from .capture.preview_command import write_preview as work
    _run_worker(job_dir, work)


def _run_worker(job_dir: Path, work: Work | None = None) -> NoReturn:
    from .capture.command import run_worker_command

    try:
        code = run_worker_command(job_dir, work)
    except KeyboardInterrupt:  # before the work began
        code = EXIT_CANCELLED
    leave(code)


def _run_weights(paths: list[Path], model: str | None) -> int:
    from .installer.weights_command import fetch_weights, import_weights

    if not paths:
        return fetch_weights(print, names=[model] if model else [])
    return max(import_weights(path, print, name=model) for path in paths)


def _run_training(name: str, words: list[str]) -> int:
    module_name, text = TRAINING_COMMANDS[name]
    if "--paper" in words:
        module_name = PAPER_COMMANDS.get(name, module_name)
    module = importlib.import_module(module_name, __package__)
    parser = argparse.ArgumentParser(prog=f"vp3d {name}", description=text.capitalize() + ".")
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(words)) or 0)
