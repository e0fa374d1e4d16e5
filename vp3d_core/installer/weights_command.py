# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch MMPose's weights, or import them from a file: what ``install.py weights`` and ``vp3d weights`` run.

Needs Python 3.10, as the catalogue does; the rest of the installer starts on 3.9.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..detect import mmpose_weights

__all__ = ["fetch_weights", "import_weights"]

Write = Callable[[str], object]
STEP_BYTES = 10_000_000  # progress is told every so often: the default models are 60 MB together


def fetch_weights(write: Write, *, names: Sequence[str] = ()) -> int:
    """Fetch models that are not here yet, and return the exit code.

    Args:
        write: Takes a line of text.
        names: Names from the catalogue; none means the default models.

    Raises:
        VP3DError: The network failed, or a file is not what it should be.
    """
    told: dict[str, int] = {}

    def on_progress(name: str, done: int, total: int | None) -> None:
        step = done // STEP_BYTES
        if told.get(name) == step and done != total:
            return
        told[name] = step
        write(
            f"{name}: {done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else f"{name}: {done / 1e6:.0f} MB"
        )

    for path in mmpose_weights.fetch(names or mmpose_weights.DEFAULT_NAMES, on_progress=on_progress):
        write(f"{path.stem} is in {path}")
    return _say_what_is_taken(write)


def import_weights(path: Path, write: Write, *, name: str | None = None) -> int:
    """Import a checkpoint that is on this machine, and return the exit code.

    Args:
        path: An official .pth file, or a .safetensors file out of another weights folder.
        write: Takes a line of text.
        name: The model that a checkpoint of one's own is for.

    Raises:
        VP3DError: The file is missing, or not what it should be.
    """
    target = mmpose_weights.import_file(path, name=name)
    write(f"{target.stem} is in {target}")
    return _say_what_is_taken(write)


def _say_what_is_taken(write: Write) -> int:
    missing = mmpose_weights.missing()
    if missing:
        write(f"Before --detector auto takes MMPose, it also needs {' and '.join(missing)}:")
        write(f"python install.py weights --model {missing[0]}")
        return 0
    taken, usable = mmpose_weights.models(), mmpose_weights.usable()
    write(f"--detector auto now takes MMPose with {' and '.join(taken)}.")
    others = [f"mmpose:{name}" for name in usable if name not in taken]
    if others:
        write(f"--detector can also be {', '.join(others)}.")
    for name in mmpose_weights.installed("pose"):
        if name not in usable:
            finder = mmpose_weights.missing(name)[0]
            write(f"Before mmpose:{name}: python install.py weights --model {finder}")
    return 0
