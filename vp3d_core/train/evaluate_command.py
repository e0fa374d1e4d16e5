# SPDX-License-Identifier: GPL-3.0-or-later
"""``vp3d evaluate``: a lifter's errors on the held-out trials of some mocap."""

from __future__ import annotations

import argparse
from pathlib import Path

from .command import prepare_bank

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``vp3d evaluate``."""
    add = parser.add_argument
    add("mocap", metavar="FOLDER", nargs="+", type=Path, help="the folders that the lifter was trained on")
    add("--bank", metavar="NPZ", type=Path, required=True, help="file that the mocap is read into once")
    add("--lifter", metavar="FILE", default=None, help="weights (default: the shipped ones)")
    add("--windows", type=int, default=200, help="windows of 8 s, each with its own camera")
    add("--device", default="auto", help="auto, cpu, cuda or mps")
    add("--seed", type=int, default=1)


def run(options: argparse.Namespace) -> int:
    """Print the errors with and without detector noise, and each joint's."""
    import torch

    from ..lift.lifter import Lifter
    from .dataset import load_bank
    from .evaluate import Scores, evaluate_lifter

    lifter = Lifter.load(options.lifter, device=options.device)
    bank = load_bank(prepare_bank(options.mocap, options.bank), torch.device("cpu")).subset(held_out=True)
    print(f"lifter {lifter.model_id}; {len(bank.names)} held-out clips; {options.windows} windows")
    print("means over all joints but the pelvis")
    names = (
        "mpjpe", "mpjpe_17", "p_mpjpe", "n_mpjpe", "mpjve",
        "jitter_ratio", "bone_spread", "up_error_deg", "contact_f1",
    )  # fmt: skip
    print(f"{'2D':8}" + "".join(f"{name:>14}" for name in names))
    results: dict[str, Scores] = {}
    for label, noise in (("noisy", 1.0), ("exact", 0.0)):
        results[label] = scores = evaluate_lifter(
            lifter, bank, noise=noise, windows=options.windows, seed=options.seed
        )
        print(f"{label:8}" + "".join(f"{getattr(scores, name):14.3f}" for name in names))
    print(f"\n{'joint':16}{'noisy mm':>10}{'exact mm':>10}")
    for joint, value in results["noisy"].per_joint.items():
        print(f"{joint:16}{value:10.1f}{results['exact'].per_joint[joint]:10.1f}")
    return 0
