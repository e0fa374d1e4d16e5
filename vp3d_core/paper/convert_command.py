# SPDX-License-Identifier: GPL-3.0-or-later
"""``vp3d convert-checkpoint``: an original VideoPose3D checkpoint to our weights, or back."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputError

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``vp3d convert-checkpoint``."""
    add = parser.add_argument
    add("source", metavar="IN", type=Path, help="original checkpoint (.bin), or our .safetensors to go back")
    add("target", metavar="OUT", type=Path, help=".safetensors, or .bin to go back")
    add("--causal", action="store_true", help="the original was trained with --causal; its file does not say")
    add("--dense", action="store_true", help="the original was trained with --dense; its file does not say")
    add("--keypoints", type=int, help="number of keypoints, where the weights leave it open")


def run(options: argparse.Namespace) -> int:
    """Convert, and say what was in it."""
    from ..lift.model import count_parameters
    from .convert import to_original, to_ours

    ours_in, ours_out = (path.suffix == ".safetensors" for path in (options.source, options.target))
    if ours_in == ours_out:
        raise InputError(
            f"{options.source} and {options.target} are files of the same kind",
            hint="One of the two ends in .safetensors.",
        )
    if ours_in:
        models = to_original(options.source, options.target)
    else:
        models = to_ours(
            options.source,
            options.target,
            causal=options.causal,
            dense=options.dense,
            num_keypoints=options.keypoints,
        )
    built = models.architecture
    parts = [f"{count_parameters(network):,} parameters" for network in models.networks]
    print(
        f"{options.target}: {built.num_joints_in} keypoints of {built.in_features} values, "
        f"{built.num_joints_out} joints, widths {','.join(map(str, built.filter_widths))}, "
        f"{built.channels} channels, {'causal' if built.causal else 'symmetric'}; {' + '.join(parts)}"
    )
    return 0
