# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``python -m tools.small_mmpose``."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

VALIDATION = ("dance_oblique", "walk_side_far")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train one model and write its weights."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.small_mmpose",
        description="Train a narrow RTMPose-t (Halpe-26) or RTMDet-nano on rendered clips: NAME.mp4 with "
        "NAME_truth.npz beside it, as tools/render_person and benchmarks/end_to_end.py make them.",
    )
    parser.add_argument("model", choices=("pose", "person"))
    parser.add_argument("clips", type=Path, help="folder with the clips")
    parser.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    parser.add_argument("--minutes", type=float, default=15.0, help="of training, default %(default)s")
    parser.add_argument("--every", type=int, default=3, help="take each N-th picture, default %(default)s")
    parser.add_argument("--batch", type=int, default=16, help="pictures in a step, default %(default)s")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate, default %(default)s")
    parser.add_argument("--held-out", nargs="*", default=list(VALIDATION), help="clips not to train on")
    parser.add_argument("--start-from", type=Path, help="an .npz file of this command, to go on training")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    _train(parser.parse_args(arguments))
    return 0


def _train(options: argparse.Namespace) -> None:
    import cv2
    import numpy as np
    import torch

    from .lessons import cut_out, read_lessons
    from .narrow import load_narrow, save_narrow
    from .pose_training import PoseTraining
    from .training import PersonTraining, run_training

    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)  # noqa: NPY002 - MMPose's transforms draw from it
    videos = [v for v in sorted(options.clips.glob("*.mp4")) if v.stem not in options.held_out]
    lessons = [lesson for video in videos for lesson in read_lessons(video, every=options.every)]
    if options.model == "pose":
        lessons = [cut_out(lesson) for lesson in lessons]
    print(f"{len(lessons)} pictures of {len(videos)} clips", flush=True)
    kind = PoseTraining if options.model == "pose" else PersonTraining
    start = load_narrow(options.start_from) if options.start_from else None
    started = time.monotonic()

    def tell(step: int, loss: float, done: float) -> None:
        if step % 50 == 1 or done >= 1:
            print(f"step {step} {done:.0%} loss {loss:.4f} {time.monotonic() - started:.0f} s", flush=True)

    model = run_training(
        kind(lessons, np.random.default_rng(options.seed), start=start),
        minutes=options.minutes,
        batch_size=options.batch,
        rate=options.rate,
        tell=tell,
    )
    save_narrow(options.out, model)
    print(f"{options.out} {options.out.stat().st_size / 1e6:.2f} MB", flush=True)
