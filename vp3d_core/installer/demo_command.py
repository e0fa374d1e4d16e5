# SPDX-License-Identifier: GPL-3.0-or-later
"""``install.py demo``: the clip that comes with VP3D, from its pixels to a .blend, beside the truth.

Runs with any Python that install.py runs with (3.9); the work is done in child processes.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import WorkerNotInstalled
from .blender import BLENDER_VARIABLE, Blender, find_blender, script_command
from .blender_tests import bpy_python
from .installation import Installation
from .link import COMMAND_VARIABLE, worker_arguments
from .pip_process import child_environment

__all__ = ["DemoOptions", "parse_demo_options", "run_demo"]

CLIP = Path("examples", "demo.mp4")
TRUTH = Path("examples", "demo_truth.npz")
BLEND_SCRIPT = Path("addon", "write_capture.py")
CAPTURE_OPTIONS = ("--detector", "mediapipe", "--person", "largest")
DEFAULT_OUT = "demo-vp3d"
BLEND_NAME, PICTURE_NAME, BLENDER_LOG_NAME = "demo.blend", "demo.png", "blender.log"
CAPTURED_NAMES = ("motion.npz", "motion.bvh", "overlay.mp4", "report.html")
BLEND_TIMEOUT_S = 300.0
FILE_TEXTS = {
    BLEND_NAME: "open it in Blender: armature, action, matched camera, the video behind it",
    "motion.npz": "the motion, for VP3D",
    "motion.bvh": "the same for other programs",
    "overlay.mp4": "keypoints and skeleton over the footage",
    "report.html": "path from above, foot heights, confidence",
    PICTURE_NAME: "some frames of the overlay",
}

Say = Callable[[str], None]


@dataclass(frozen=True)
class DemoOptions:
    """What ``install.py demo`` was asked for.

    Attributes:
        out: Output folder, absolute.
        blend: Whether to write a .blend.
        overwrite: Whether to capture from scratch.
    """

    out: Path
    blend: bool = True
    overwrite: bool = False


def parse_demo_options(words: list[str]) -> DemoOptions:
    """Return the options in the words after ``demo``; wrong ones end the process with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="install.py demo",
        description="Capture the clip that comes with VP3D, write a .blend, and compare with the truth.",
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="OUT",
        default=DEFAULT_OUT,
        help="folder to write to (default: %(default)s, here)",
    )
    parser.add_argument("--no-blend", dest="blend", action="store_false", help="do not look for Blender")
    parser.add_argument("--overwrite", action="store_true", help="capture again from scratch")
    chosen = parser.parse_args(words)
    out = Path(os.path.abspath(os.path.expanduser(chosen.out)))
    return DemoOptions(out, bool(chosen.blend), bool(chosen.overwrite))


def run_demo(wanted: Installation, options: DemoOptions, say: Say) -> int:
    """Capture, write the .blend, compare, and name the files; return the exit code.

    Args:
        wanted: The worker environment, up to date.
        options: What was asked for.
        say: Receives lines for the user.
    """
    clip, truth = wanted.checkout / CLIP, wanted.checkout / TRUTH
    captured = [options.out / name for name in CAPTURED_NAMES]
    if (
        not options.overwrite
        and _is_of(clip, options.out)
        and _is_newer(captured, _code(wanted.checkout), clip)
    ):
        say(f"{clip} was captured before (--overwrite does it again)")
    else:
        say(f"Capturing {clip}")
        mode = "--overwrite" if options.overwrite else "--resume"
        words = (str(clip), "-o", str(options.out), *CAPTURE_OPTIONS, mode)
        code = _run(worker_arguments(wanted.python, "-m", "vp3d_core", "capture", *words))
        if code:
            return code
    if options.blend:
        _write_blend(wanted.checkout, clip, options.out, say)
    say("\nThe clip is rendered, so that the truth is known. The capture is off by:")
    files = (str(options.out / "motion.npz"), str(truth))
    pictures = ("--overlay", str(options.out / "overlay.mp4"), "--picture", str(options.out / PICTURE_NAME))
    code = _run(worker_arguments(wanted.python, "-m", "vp3d_core.accuracy.demo_report", *files, *pictures))
    if code == 0:
        say(f"\nFiles in {options.out}:")
        there = [name for name in FILE_TEXTS if _is_newer([options.out / name], [clip])]
        say("\n".join(f"  {name:<14}{FILE_TEXTS[name]}" for name in there))
    return code


def _is_of(clip: Path, out: Path) -> bool:
    """Return whether a folder holds a capture of a clip."""
    try:
        job = json.loads((out / "job.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(job, dict) and job.get("video") == str(clip)


def _code(checkout: Path) -> Iterator[Path]:
    """Yield the files that a capture or a .blend is made with, besides its own input."""
    for folder in ("vp3d_core", "addon"):
        yield from (checkout / folder).rglob("*.py")
    yield from (checkout / "vp3d_core" / "weights").glob("*")


def _is_newer(made: Iterable[Path], sources: Iterable[Path], *more_sources: Path) -> bool:
    """Return whether all of the files that were made exist and are newer than what they were made from."""
    try:
        oldest = min(path.stat().st_mtime for path in made)
    except OSError:
        return False
    return all(path.stat().st_mtime < oldest for path in (*sources, *more_sources))


def _write_blend(checkout: Path, clip: Path, out: Path, say: Say) -> None:
    """Write the .blend where there is a Blender; say why not where there is none."""
    if _is_newer([out / BLEND_NAME], _code(checkout), out / "motion.npz"):
        return
    script, log = checkout / BLEND_SCRIPT, out / BLENDER_LOG_NAME
    words = (str(out / "motion.npz"), "--video", str(clip), "-o", str(out / BLEND_NAME))
    blender = find_blender()
    if isinstance(blender, Blender):
        say(f"Writing {BLEND_NAME} with Blender {blender.version_text} ({blender.program})")
        command = script_command(blender, script, *words)
    else:
        if blender is not None:
            say(f"{blender.program} cannot be used: {blender.reason}")
        python = _bpy(checkout, say)
        if python is None:
            say(f"With Blender 4.2 or newer, on PATH or named in {BLENDER_VARIABLE}, this command writes it.")
            return
        say(f"Writing {BLEND_NAME} with Blender's module")
        command = worker_arguments(python, str(script), *words)
    code = _run_logged(command, log)
    if code:
        say(f"No {BLEND_NAME}: Blender ended with {code}. What it said is in {log}")


def _bpy(checkout: Path, say: Say) -> Path | None:
    """Return a Python with Blender's module; None where there is none, which was said."""
    try:
        return bpy_python(checkout, say, skipped=BLEND_NAME)
    except WorkerNotInstalled as error:  # the rest of the demo goes on without
        say(f"Skipped: {BLEND_NAME}. {error.message}")
        return None


def _run(command: list[str]) -> int:
    """Run a child at this terminal; on Ctrl-C wait for it to end in order."""
    environment = child_environment(os.environ)
    environment[COMMAND_VARIABLE] = shlex.join(["python", sys.argv[0]])
    sys.stdout.flush()
    with subprocess.Popen(command, env=environment) as child:
        return _wait(child)


def _run_logged(command: list[str], log: Path) -> int:
    with (
        log.open("wb") as sink,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=child_environment(os.environ),
        ) as child,
    ):
        try:
            return child.wait(BLEND_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()
        except BaseException:
            child.kill()
            raise


def _wait(child: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a child that gets the same Ctrl-C from the terminal."""
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue
