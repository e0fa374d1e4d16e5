# SPDX-License-Identifier: GPL-3.0-or-later
"""``vp3d evaluate --paper``: the paper's protocols on data in VideoPose3D's formats."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SkeletonMismatch
from ..output_file import replaced_when_done
from .options import add_data_options, load_data_of, views_of

if TYPE_CHECKING:
    from .datasets import PaperData
    from .evaluation import ActionScores
    from .models import PaperModels

__all__ = ["add_arguments", "add_protocol_options", "print_scores", "run"]

_COLUMNS = ("p1", "p2", "p3", "velocity", "absolute", "trajectory")


def add_protocol_options(parser: argparse.ArgumentParser) -> None:
    """Add how results are measured and shown."""
    parser.add_argument("--no-test-mirror", action="store_true", help="measure without mirrored sequences")
    parser.add_argument(
        "--by-subject", action="store_true", help="a row for each subject's action (HumanEva)"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the numbers there too")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``vp3d evaluate --paper``."""
    add_data_options(parser)
    parser.add_argument("--model", metavar="FILE", type=Path, required=True, help="model.safetensors")
    parser.add_argument("--test", metavar="SUBJECTS", default="S9,S11")
    parser.add_argument("--downsample", type=int, default=1, help="use every n-th frame")
    add_protocol_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print the errors of every action, and their mean."""
    import torch

    from ..lift.lifter import choose_device
    from .evaluation import evaluate_views
    from .models import load_models

    if options.threads:
        torch.set_num_threads(options.threads)
    models, _ = load_models(options.model, choose_device(options.device))
    data = load_data_of(options)
    _check_fit(models, data)
    views = views_of(data, options, options.test)
    scores = evaluate_views(
        models, data, views, mirror=not options.no_test_mirror, by_subject=options.by_subject
    )
    print_scores(scores, json_path=options.json)
    return 0


def _check_fit(models: PaperModels, data: PaperData) -> None:
    found = (*data.views[0].keypoints.shape[1:], len(data.joints.parents))
    wanted = models.architecture
    expected = (wanted.num_joints_in, wanted.in_features, wanted.num_joints_out)
    if found != expected:
        raise SkeletonMismatch(
            f"The data has (keypoints, values, joints) {found}, the model expects {expected}",
            hint="Choose the detector and data set that the model was trained on.",
        )


def print_scores(scores: dict[str, ActionScores], *, json_path: Path | None) -> None:
    """Print a table: mm, and mm a frame for the velocity; also write it as JSON, whole or not at all."""
    from .evaluation import mean_scores

    total = mean_scores(scores)
    columns = [name for name in _COLUMNS if getattr(total, name) is not None]
    width = max(len("mean of actions"), *(len(name) for name in scores))
    print(f"{'mm':{width}}{'frames':>9}" + "".join(f"{name:>12}" for name in columns))
    for name, row in [*scores.items(), ("mean of actions", total)]:
        print(
            f"{name:{width}}{row.frames:9}" + "".join(f"{getattr(row, column):12.2f}" for column in columns)
        )
    if json_path is not None:
        content = {name: asdict(row) for name, row in scores.items()}
        with replaced_when_done(json_path) as temporary:
            temporary.write_text(json.dumps({"actions": content, "mean": asdict(total)}, indent=1), "utf-8")
