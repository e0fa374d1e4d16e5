# SPDX-License-Identifier: GPL-3.0-or-later
"""``vp3d train --paper``: the paper's experiments on data in VideoPose3D's formats."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .evaluate_command import add_protocol_options, print_scores
from .options import add_data_options, add_experiment_options, experiment_of, load_data_of, views_of

if TYPE_CHECKING:
    from .models import PaperModels
    from .training import EpochReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``vp3d train --paper``."""
    add_data_options(parser)
    parser.add_argument("-o", "--out", metavar="OUT", type=Path, required=True, help="folder for the results")
    parser.add_argument("--train", metavar="SUBJECTS", default="S1,S5,S6,S7,S8", help="with labels")
    parser.add_argument(
        "--test", metavar="SUBJECTS", default="S9,S11", help="measured at the end; '' for none"
    )
    add_experiment_options(parser)
    add_protocol_options(parser)


def run(options: argparse.Namespace) -> int:
    """Train, going on from OUT's checkpoint when there is one, and measure."""
    import torch

    from ..lift.lifter import choose_device
    from .evaluation import evaluate_views
    from .training import train_experiment

    settings = experiment_of(options)
    device = choose_device(options.device)
    if options.threads:
        torch.set_num_threads(options.threads)
    data = load_data_of(options)
    labelled, unlabelled, test = (
        views_of(data, options, options.train, fraction=options.subset),
        views_of(data, options, options.unlabelled),
        views_of(data, options, options.test),
    )
    counts = [sum(len(view.keypoints) for view in views) for views in (labelled, unlabelled, test)]
    print("{} labelled frames, {} unlabelled, {} of test; ".format(*counts) + device.type, flush=True)

    def show(report: EpochReport, _models: PaperModels) -> None:
        parts = "  ".join(f"{name} {value:.4g}" for name, value in report.parts.items())
        print(f"epoch {report.epoch}/{settings.epochs}  {report.seconds:.1f} s  {parts}", flush=True)

    models = train_experiment(
        data, labelled, settings, options.out, device=device, unlabelled=unlabelled, on_epoch=show
    )
    print(options.out / "model.safetensors")
    if test:
        mirror = not options.no_test_mirror
        scores = evaluate_views(models, data, test, mirror=mirror, by_subject=options.by_subject)
        print_scores(scores, json_path=options.json)
    return 0
