# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of ``vp3d train --paper`` and ``vp3d evaluate --paper``, and what they make."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .settings import Experiment

if TYPE_CHECKING:
    from .datasets import PaperData, View

__all__ = ["add_data_options", "add_experiment_options", "experiment_of", "load_data_of", "views_of"]


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which data is read."""
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder of data_3d_*.npz and data_2d_*.npz")
    add("--paper", action="store_true", help="the experiments of the paper (this help is theirs)")
    add("-d", "--dataset", default="h36m", help="<set> of data_3d_<set>.npz (default: %(default)s)")
    add("-k", "--keypoints", default="cpn_ft_h36m_dbb", help="<detector> of data_2d_<set>_<detector>.npz")
    add(
        "--cameras",
        metavar="FILE",
        type=Path,
        help="cameras_<set>.json (default: in DATA), or VideoPose3D's .py file that holds them",
    )
    add("--all-joints", action="store_true", help="Human3.6M's 32 joints instead of the 17 that move")
    add("--actions", default="*", help="only actions that begin so, separated by commas")
    add("--device", default="auto", help="auto, cpu, cuda or mps")
    add("--threads", type=int, default=0, help="CPU threads; 0 lets torch choose")


def add_experiment_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which network is trained and how; the defaults are the paper's."""
    add, default = parser.add_argument, Experiment()
    add("--widths", default="3,3,3,3,3", help="filter widths; their product is the receptive field")
    add("--channels", type=int, default=default.channels)
    add("--dropout", type=float, default=default.dropout)
    add("--causal", action="store_true", help="see the past only")
    add("--dense", action="store_true", help="undilated kernels of the same receptive field")
    add("--no-strided", action="store_true", help="train with the dilated network in any case")
    add("--epochs", type=int, default=default.epochs)
    add("--batch", type=int, default=default.batch, help="output frames a step")
    add("--stride", type=int, default=default.stride, help="output frames of a chunk")
    add("--learning-rate", type=float, default=default.learning_rate)
    add("--decay", type=float, default=default.decay, help="of the learning rate, an epoch")
    add("--no-mirror", action="store_true", help="train without mirrored copies")
    add("--seed", type=int, default=default.seed)
    add("--trajectory", action="store_true", help="train the trajectory network too")
    add("--subset", type=float, default=1.0, help="part of each labelled sequence that is used")
    add("--downsample", type=int, default=1, help="use every n-th frame")
    semi = parser.add_argument_group("semi-supervised")
    semi.add_argument("--unlabelled", metavar="SUBJECTS", default="", help="their 2D is used, not their 3D")
    semi.add_argument("--warmup", type=int, default=default.warmup, help="epochs with labels only")
    semi.add_argument("--no-projection", action="store_true", help="leave the reprojection loss out")
    semi.add_argument("--no-bone-lengths", action="store_true", help="leave the bone-length loss out")
    semi.add_argument("--linear-projection", action="store_true", help="project without distortion")


def experiment_of(options: argparse.Namespace) -> Experiment:
    """Return the settings that the options mean.

    Raises:
        InputError: They fit no experiment.
    """
    try:
        return Experiment(
            filter_widths=tuple(int(width) for width in options.widths.split(",")),
            channels=options.channels, dropout=options.dropout, causal=options.causal, dense=options.dense,
            strided=not options.no_strided, epochs=options.epochs, batch=options.batch, stride=options.stride,
            learning_rate=options.learning_rate, decay=options.decay, mirror=not options.no_mirror,
            seed=options.seed, trajectory=options.trajectory, warmup=options.warmup,
            reprojection=not options.no_projection, bone_lengths=not options.no_bone_lengths,
            linear_projection=options.linear_projection,
        )  # fmt: skip
    except ValueError as error:
        raise InputError(
            f"These options make no experiment: {error}", hint="See 'vp3d train --paper -h'."
        ) from error


def load_data_of(options: argparse.Namespace) -> PaperData:
    """Read the data set that the options name."""
    from .datasets import load_data

    return load_data(
        options.data,
        options.dataset,
        options.keypoints,
        cameras=options.cameras,
        all_joints=options.all_joints,
    )


def views_of(
    data: PaperData, options: argparse.Namespace, subjects: str, *, fraction: float = 1.0
) -> list[View]:
    """Return the views of subjects that the options leave.

    Raises:
        InputError: A name fits nothing, nothing is left, or the part is none.
    """
    from .datasets import select_views, subset_views

    if not 0.0 < fraction <= 1.0 or options.downsample < 1:
        raise InputError(
            f"A subset of {fraction:g} at every {options.downsample}th frame is none",
            hint="--subset is above 0 and at most 1, --downsample at least 1.",
        )
    views = select_views(data, subjects, actions=options.actions)
    kept = subset_views(views, fraction=fraction, step=options.downsample)
    if views and not kept:
        raise InputError(
            f"{fraction:g} of each sequence is less than a frame", hint="Give a larger --subset."
        )
    return kept
