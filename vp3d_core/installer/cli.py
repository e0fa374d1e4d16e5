# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of install.py.

``capture`` and ``test`` pass what follows them on; the installer's own options may stand anywhere.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from ..errors import VP3DError, WorkerNotInstalled
from ..standard_streams import open_missing_streams, write_to_nowhere
from ..user_folders import weights_folder, worker_folder, worker_python
from .blender_tests import is_for_blender, run_in_real_blender, run_to_end, run_with_bpy
from .build_command import build_zip
from .demo_command import parse_demo_options, run_demo
from .environment import Progress, ensure_worker, remove_worker
from .installation import Installation, installation
from .interpreters import find_interpreter
from .link import (
    COMMAND_VARIABLE,
    is_linked,
    launcher_path,
    link_checkout,
    path_advice,
    worker_arguments,
)
from .pip_process import child_environment
from .steps import TORCH_BUILDS, TorchChoice

__all__ = ["main"]

CHECKOUT = Path(__file__).resolve().parents[2]
INTERRUPTED = 130
OLDEST_FOR_CORE = (3, 10)  # the installer starts on 3.9, the rest of vp3d_core does not
NO_TESTS = 5  # pytest's exit code when a selection matches none
TORCH_INDEX_VARIABLE = "VP3D_TORCH_INDEX"
COMMANDS = """\
commands:
  demo [-o OUT]             install what is needed, capture the clip that comes along, compare with the truth
  capture CLIP [options]    install what is needed, then capture (vp3d capture --help)
  test [pytest options]     install what is needed, then run the tests
  doctor                    say what is installed, on which device it runs, and what is missing
  weights [--from-file F]   fetch MMPose's weights, or import them from a file
  install                   make, update or mend the worker environment, nothing else
  build [--out DIR]         build the Blender extension, dist/vp3d-X.Y.Z.zip
  python                    print the path of the worker's Python
  uninstall --yes           remove the worker environment (weights and captures stay)
"""


def main(arguments: list[str]) -> int:
    """Run a command of install.py and return its exit code."""
    open_missing_streams()
    parser = _make_parser()
    options, rest = parser.parse_known_args(arguments)
    if not rest or rest[0] not in HANDLERS:
        parser.print_help()
        if rest and rest[0] not in ("-h", "--help"):
            print(f"\ninstall.py: there is no command {rest[0]!r}", file=sys.stderr)
        return 0 if rest[:1] in (["-h"], ["--help"]) else 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = INTERRUPTED
    try:
        code = HANDLERS[rest[0]](options, rest[1:])
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # nobody listens any more, as behind "| head -1"
        write_to_nowhere()
        return code
    except VP3DError as error:
        print(f"\nerror: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"What to do: {error.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        print(
            "What to do: check that the folder can be written and has room, or set VP3D_HOME.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on where this one stopped.", file=sys.stderr)
        return INTERRUPTED


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="install.py",
        usage="python install.py [options] COMMAND ...",
        description="Set VP3D up and run it. It all goes into the user's data folder, or VP3D_HOME.",
        epilog=COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("--python", metavar="PATH", help="Python 3.10-3.12 for the worker (or VP3D_PYTHON)")
    parser.add_argument(
        "--torch", choices=TORCH_BUILDS, help="build of PyTorch: cpu, or the platform's default"
    )
    parser.add_argument(
        "--torch-index", metavar="URL", help=f"further package index for it (or {TORCH_INDEX_VARIABLE})"
    )
    parser.add_argument("--rebuild", action="store_true", help="make the worker environment anew")
    return parser


def _ensure(options: argparse.Namespace, *, with_tests: bool = False, verify: bool = False) -> Installation:
    """Bring the worker environment up to date, showing the steps on stderr."""
    index = options.torch_index or os.environ.get(TORCH_INDEX_VARIABLE)
    torch = TorchChoice(options.torch or "auto", index or "") if options.torch or index else None
    wanted = installation(CHECKOUT, torch=torch, with_tests=with_tests)
    rebuild = options.rebuild or _another_python(wanted, options.python)
    display = StepDisplay()
    try:
        ensure_worker(
            wanted,
            find_python=lambda: find_interpreter(options.python),
            rebuild=rebuild,
            on_progress=display.show,
            verify=verify,
        )
    finally:
        display.end_line()
    return wanted


def _another_python(wanted: Installation, told: str | None) -> bool:
    """Return whether ``--python`` names another Python than the environment was made with."""
    made_with = wanted.state().get("python")
    if not told or not made_with:
        return False
    return os.path.realpath(find_interpreter(told).path) != os.path.realpath(made_with)


class StepDisplay:
    """Shows the installation's steps: on a terminal in place, else one line a step."""

    def __init__(self) -> None:
        self._width = 0
        self._on_terminal = sys.stderr.isatty()

    def show(self, progress: Progress) -> None:
        """Show one step's start, detail or end."""
        head = f"[{progress.index}/{progress.count}] " if progress.count else ""
        if progress.seconds is not None:
            self._overwrite(f"{head}{progress.title}: {progress.seconds:.0f} s")
            self.end_line()
        elif self._on_terminal:
            self._overwrite(f"{head}{progress.title} {progress.detail}".rstrip())
        elif not progress.detail:
            print(f"{head}{progress.title} ...", file=sys.stderr, flush=True)

    def end_line(self) -> None:
        """Leave the line that is being overwritten."""
        if self._width:
            print(file=sys.stderr, flush=True)
        self._width = 0

    def _overwrite(self, text: str) -> None:
        text = text[: max(20, _terminal_columns() - 1)]
        print(
            "\r" + text.ljust(self._width) if self._on_terminal else text, end="", file=sys.stderr, flush=True
        )
        self._width = len(text)


def _terminal_columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        return 120


def _hand_over(command: list[str], *, folder: Path | None = None) -> int:
    """Run the worker's Python in place of this process, so that it owns the terminal and Ctrl-C."""
    environment = child_environment(os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform != "win32":
        if folder is not None:
            os.chdir(folder)
        os.execve(command[0], command, environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # os.exec on Windows returns to the shell at once
    return subprocess.call(command, env=environment, cwd=folder)


def _call_newer_python(options: argparse.Namespace, words: list[str]) -> int:
    """Run install.py in a Python that reads all of vp3d_core; it needs no packages."""
    python = find_interpreter(options.python)
    return subprocess.call([str(python.path), str(CHECKOUT / "install.py"), *words])


def _capture(options: argparse.Namespace, rest: list[str]) -> int:
    if not {"-h", "--help"}.isdisjoint(rest):
        return _capture_help(options)
    wanted = _ensure(options)
    os.environ[COMMAND_VARIABLE] = shlex.join(["python", sys.argv[0]])  # to say how to go on after Ctrl-C
    return _hand_over(worker_arguments(wanted.python, "-m", "vp3d_core", "capture", *rest))


def _capture_help(options: argparse.Namespace) -> int:
    """Show the options of a capture, without an environment."""
    words = ["capture", "--help"]
    if sys.version_info < OLDEST_FOR_CORE:
        return _call_newer_python(options, words)
    from ..cli import main as run_vp3d

    return run_vp3d(words)


def _demo(options: argparse.Namespace, rest: list[str]) -> int:
    chosen = parse_demo_options(rest)
    return run_demo(_ensure(options), chosen, lambda text: print(text, flush=True))


def _test(options: argparse.Namespace, rest: list[str]) -> int:
    """Run pytest in the worker environment, and for tests/blender where there is a Blender."""
    wanted = _ensure(options, with_tests=True)
    named = [word for word in rest if not word.startswith("-") and Path(word.split("::")[0]).exists()]
    in_blender = [word for word in named if is_for_blender(word)]
    switches = [word for word in rest if word not in named]
    codes: list[int] = []
    if not named or len(in_blender) < len(named):
        words = [word for word in rest if word not in in_blender]
        codes.append(run_to_end(worker_arguments(wanted.python, "-m", "pytest", *words), CHECKOUT))
    if not named or in_blender:
        words = [*switches, *in_blender]
        codes.append(run_with_bpy(CHECKOUT, words, _say))
        codes.append(run_in_real_blender(CHECKOUT, words, _say, pip_python=wanted.python))
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    return failed[0] if failed else min(codes)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _doctor(options: argparse.Namespace, rest: list[str]) -> int:
    wanted = installation(CHECKOUT)
    if not wanted.is_ready():
        missing = [step.title for step in wanted.steps if wanted.state().get(step.name) != step.key]
        print(f"MISSING  worker environment in {wanted.folder}")
        print(f"         not done: {'; '.join(missing) or 'self-check'}. Run: python install.py install")
        # Linking comes after all steps: nothing can be run before.
        if not wanted.is_made() or not is_linked(wanted.environment):
            return 1
    else:
        print(f"ok       worker environment in {wanted.folder}")
    link_checkout(wanted.environment, CHECKOUT)  # it may have been installed from where VP3D was before
    command = worker_arguments(wanted.python, "-m", "vp3d_core", "doctor", *rest)
    code = subprocess.call(command, env=child_environment(os.environ))
    return code if wanted.is_ready() else 1


def _install(options: argparse.Namespace, rest: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="install.py install")
    parser.add_argument("--tests", action="store_true", help="add the test tools")
    wanted = _ensure(options, with_tests=parser.parse_args(rest).tests, verify=True)
    launcher = launcher_path(wanted.environment)
    print(f"Installed in {wanted.folder}")
    print(f"The command vp3d is {launcher}")
    print(path_advice(launcher))
    return 0


def _build(options: argparse.Namespace, rest: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="install.py build")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=CHECKOUT / "dist", help="where to write it"
    )
    path = build_zip(CHECKOUT, parser.parse_args(rest).out)
    print(
        f"Built {path} ({path.stat().st_size / 1e6:.1f} MB). Drop it into Blender 4.2 or later to install it."
    )
    return 0


def _python(options: argparse.Namespace, rest: list[str]) -> int:
    python = worker_python()
    if not python.exists():
        hint = "Run: python install.py install"
        raise WorkerNotInstalled(f"There is no worker environment; its Python would be {python}", hint=hint)
    print(python)
    return 0


def _weights(options: argparse.Namespace, rest: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="install.py weights")
    add = parser.add_argument
    add("--from-file", metavar="FILE", type=Path, nargs="+", help="checkpoints that were fetched elsewhere")
    add("--model", metavar="NAME", help="another model than the default ones, or what a file is for")
    chosen = parser.parse_args(rest)
    if sys.version_info < OLDEST_FOR_CORE:
        return _call_newer_python(options, ["weights", *rest])
    from .weights_command import fetch_weights, import_weights

    if not chosen.from_file:
        return fetch_weights(print, names=[chosen.model] if chosen.model else [])
    return max(import_weights(path, print, name=chosen.model) for path in chosen.from_file)


def _uninstall(options: argparse.Namespace, rest: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="install.py uninstall")
    parser.add_argument("--yes", action="store_true", help="really remove it")
    if not parser.parse_args(rest).yes:
        print(f"This removes {worker_folder()} (weights in {weights_folder()} stay). Add --yes to do it.")
        return 2
    print(f"Removed {remove_worker()}")
    return 0


HANDLERS = {
    "demo": _demo,
    "capture": _capture,
    "test": _test,
    "doctor": _doctor,
    "weights": _weights,
    "install": _install,
    "build": _build,
    "python": _python,
    "uninstall": _uninstall,
}
