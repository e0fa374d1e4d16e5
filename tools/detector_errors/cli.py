# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``python -m tools.detector_errors``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

TESTED_EVERY = 5  # one clip in so many is kept apart for the figure that is printed


def main(arguments: Sequence[str] | None = None) -> int:
    """Render, detect and fit."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.detector_errors",
        description="Render people who do training motions, detect them with MediaPipe, and fit what of its "
        "errors follows from pose and view: the file that `vp3d train` uses. For the worker's Python.",
    )
    parser.add_argument("--bank", type=Path, required=True, help="bank.npz of `vp3d train`")
    parser.add_argument(
        "--clips", type=Path, required=True, help="folder of the clips; what is there is kept"
    )
    parser.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    parser.add_argument("--count", type=int, default=150, help="clips, default %(default)s")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--bpy-python", type=Path, required=True, help="a Python with Blender's module")
    parser.add_argument(
        "--assets", type=Path, required=True, help="the body's files, see tools/render_person"
    )
    parser.add_argument("--mocap", type=Path, required=True, help="the folder that the bank was made from")
    _run(parser.parse_args(arguments))
    return 0


def _run(options: argparse.Namespace) -> None:
    import torch

    from tools.render_person.process import render_clips
    from vp3d_core.detect.mediapipe_detector import MediaPipeDetector
    from vp3d_core.train.dataset import load_bank

    from .fit import explained, fit, joined
    from .measured import measure
    from .scenes import random_scenes

    training = load_bank(options.bank, torch.device("cpu")).subset(held_out=False)
    scenes = random_scenes(training, options.count, seed=options.seed)
    files = render_clips(
        scenes, options.clips, python=options.bpy_python, assets=options.assets, mocap=options.mocap
    )
    detector = MediaPipeDetector()
    clips = [found for each in files if (found := measure(each.video, detector)) is not None]
    detector.close()
    tested = clips[::TESTED_EVERY]
    rest = [clip for i, clip in enumerate(clips) if i % TESTED_EVERY]
    share = explained(fit(rest), joined(tested))
    frames = sum(len(clip.poses) for clip in clips)
    print(
        f"{len(clips)} clips, {frames} frames; {share:.0%} of the errors in {len(tested)} others explained"
    )
    fit(clips).save(options.out)
    print(options.out)
