# SPDX-License-Identifier: GPL-3.0-or-later
"""``vp3d train``: read mocap once, then train the lifter."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, MotionFormatError
from .mocap import MocapClip, read_mocap

if TYPE_CHECKING:
    from .settings import TrainSettings

__all__ = ["add_arguments", "prepare_bank", "run", "settings_of"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``vp3d train``."""
    add = parser.add_argument
    add("mocap", metavar="FOLDER", nargs="+", type=Path, help="folders of BVH and ASF/AMC files")
    add("-o", "--out", metavar="OUT", type=Path, help="folder for checkpoint and weights")
    add("--device", default="auto", help="auto, cpu, cuda or mps")
    add(
        "--minutes",
        type=float,
        default=0.0,
        help="wall time after which the learning rate has reached its end",
    )
    add("--steps", type=int, default=30_000, help="optimiser steps (default: %(default)s)")
    add("--widths", default="3,3,3,3", help="filter widths; their product is the receptive field in steps")
    add("--channels", type=int, default=384, help="width of the hidden layers")
    add("--stack", type=int, default=1, help="frames that a step of the network holds")
    add("--causal", action="store_true", help="see the past only")
    add(
        "--start",
        metavar="LIFTER",
        default=None,
        help="trained lifter to start from: name or .safetensors file",
    )
    add("--learning-rate", type=float, default=1e-3, help="highest (default: %(default)s)")
    add("--seed", type=int, default=0)
    add("--threads", type=int, default=0, help="CPU threads; 0 lets torch choose")
    add(
        "--sheet",
        metavar="PNG",
        type=Path,
        help="only draw some frames of every file, to be looked at, and end",
    )


def run(options: argparse.Namespace) -> int:
    """Train; resumes from OUT's checkpoint when there is one."""
    import torch

    from ..lift.lifter import choose_device
    from .train import train_lifter

    if options.sheet is not None:
        from .contact_sheet import draw_contact_sheet

        draw_contact_sheet(options.sheet, [clip for clip in _read_all(options.mocap) if len(clip.joints) > 0])
        print(options.sheet)
        return 0
    if options.out is None:
        raise InputError("There is no folder for the weights", hint="Give one with -o OUT.")
    settings = settings_of(options)
    device = choose_device(options.device)
    if device.type != "cpu":
        settings = settings.on_gpu()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    options.out.mkdir(parents=True, exist_ok=True)
    bank = prepare_bank(options.mocap, options.out / "bank.npz")
    started = time.monotonic()

    def show(step: int, steps: int, parts: dict[str, float]) -> None:
        elapsed = time.monotonic() - started
        left = elapsed / max(parts["done"], 1e-6) * (1 - parts["done"])
        values = "  ".join(f"{name} {value:.4g}" for name, value in parts.items() if name != "done")
        print(f"step {step}/{steps}  {parts['done']:.1%}  {left / 60:.0f} min left  {values}", flush=True)

    print(train_lifter(bank, options.out, settings, device=device, start=options.start, on_progress=show))
    return 0


def settings_of(options: argparse.Namespace) -> TrainSettings:
    """Return the settings that the options ask for."""
    from .settings import TrainSettings

    return TrainSettings(
        filter_widths=tuple(int(width) for width in options.widths.split(",")),
        channels=options.channels,
        stack=options.stack,
        causal=options.causal,
        minutes=options.minutes,
        learning_rate=options.learning_rate,
        seed=options.seed,
        steps=options.steps,
    )


def prepare_bank(folders: list[Path], path: Path) -> Path:
    """Read all mocap once into ``path``; a file that is there already is used as it is."""
    from .dataset import save_bank
    from .knees import with_straight_knees

    if not path.is_file():
        save_bank(path, [with_straight_knees(clip) for clip in _read_all(folders)])
    return path


def _read_all(folders: list[Path]) -> Iterator[MocapClip]:
    count = 0
    for folder in folders:
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".bvh", ".amc"))
        for i, file in enumerate(files):
            try:
                clip = read_mocap(file, name=f"{folder.resolve().name}/{file.relative_to(folder).as_posix()}")
            except MotionFormatError as error:
                print(f"Left out: {error.message}", file=sys.stderr)
                continue
            count += 1
            if i % 20 == 0:
                print(f"reading mocap: {i}/{len(files)} files of {folder.name}", file=sys.stderr, flush=True)
            yield clip
    if not count:
        raise InputError(
            f"No mocap that can be read in {', '.join(str(f) for f in folders)}",
            hint="Give folders of BVH or AMC files.",
        )
