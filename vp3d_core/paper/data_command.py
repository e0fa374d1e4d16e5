# SPDX-License-Identifier: GPL-3.0-or-later
"""``vp3d paper-data``: mocap as a data set for ``vp3d train --paper``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..train.command import prepare_bank

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``vp3d paper-data``."""
    add = parser.add_argument
    add("mocap", metavar="FOLDER", nargs="+", type=Path, help="folders of BVH and ASF/AMC files")
    add("-o", "--out", metavar="OUT", type=Path, required=True, help="folder for the data set")
    add(
        "--bank",
        metavar="NPZ",
        type=Path,
        help="the mocap read by 'vp3d train' already (default: OUT/bank.npz)",
    )
    add("--noise", metavar="PX", type=float, nargs="*", default=[5.0, 10.0, 20.0], help="levels of 2D errors")
    add("--seed", type=int, default=0, help="of cameras and errors")


def run(options: argparse.Namespace) -> int:
    """Write the data set and say who is in it."""
    import torch

    from ..train.dataset import load_bank
    from .mocap_data import DATASET, RATE_HZ, write_mocap_data

    options.out.mkdir(parents=True, exist_ok=True)
    bank = load_bank(
        prepare_bank(options.mocap, options.bank or options.out / "bank.npz"), torch.device("cpu")
    )
    frames = write_mocap_data(options.out, bank, noise_px=options.noise, seed=options.seed)
    for person, count in sorted(frames.items()):
        print(f"{person:24}{count:8} frames{count / RATE_HZ / 60.0:8.1f} min")
    print(f"\nvp3d train --paper {options.out} -d {DATASET} -k gt --train SUBJECTS --test SUBJECTS -o OUT")
    return 0
