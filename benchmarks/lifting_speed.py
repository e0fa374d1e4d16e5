# SPDX-License-Identifier: GPL-3.0-or-later
"""Time lifting against a plain network of the original's size, in one run.

Ours is the whole of ``Lifter.lift`` as a capture does it: rays, features, one pass, back to camera axes;
and the same with ``--mirror``. The other is the paper's network alone (243 frames, 1,024 channels, 17
keypoints in, 17 joints out) with random weights, on as many frames, with the mirrored pass of the paper's
tests in the same batch. They take turns, so that a busy machine slows all. Ratios are medians over the
rounds, of the wall time and of the process's CPU time; on a machine that is busy with other work, one
thread's CPU time is the one to look at.
Run: python benchmarks/lifting_speed.py [--lifter FILE] [--frames 900] [--rounds 7] [--threads 1 2]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vp3d_core.camera import Camera, intrinsics_from_focal
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.lift.lifter import Lifter
from vp3d_core.lift.model import TemporalModel, count_parameters
from vp3d_core.skeletons import SLOTS

IMAGE_SIZE = (1920, 1080)
FRAME_RATE_HZ = 30.0


def made_up_keypoints(num_frames: int) -> Keypoints2D:
    """Return keypoints (T, 28, 2) px of something that moves; what it is does not change the time."""
    rng = np.random.default_rng(0)
    times_s = np.arange(num_frames) / FRAME_RATE_HZ
    body, phase = rng.normal(size=(28, 2)), rng.uniform(0, 6, size=(28, 2))
    xy = np.array(IMAGE_SIZE) / 2 + 200 * (body + 0.3 * np.sin(3.0 * times_s[:, None, None] + phase))
    return Keypoints2D(xy, rng.uniform(0.3, 1.0, xy.shape[:2]), times_s, IMAGE_SIZE, SLOTS)


def plain_network(num_frames: int) -> tuple[Callable[[], None], int]:
    """Return a function that lifts ``num_frames`` with the original's network, and its parameter count."""
    model = TemporalModel(17, 2, 17, (3, 3, 3, 3, 3), channels=1024).eval()
    keypoints = torch.randn(1, num_frames + model.receptive_field - 1, 17, 2)
    both = torch.cat([keypoints, keypoints * torch.tensor([-1.0, 1.0])])

    def lift() -> None:
        with torch.inference_mode():
            model(both)

    return lift, count_parameters(model)


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Return how long a call takes: wall time and the process's CPU time."""
    start, cpu_start = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - cpu_start


def print_rows(ways: dict[str, Callable[[], object]], threads: int, options: argparse.Namespace) -> None:
    """Time all ways in turns; print frames per second, and ratios to the last way."""
    torch.set_num_threads(threads)
    for way in ways.values():
        way()
    rounds = [{name: seconds(way) for name, way in ways.items()} for _ in range(options.rounds)]
    *ours, plain = ways
    for name in ways:
        fps = options.frames / statistics.median(row[name][0] for row in rounds)
        text = f"{threads:7} {name:24} {fps:9.0f}"
        if name in ours:
            ratios = sorted(row[plain][0] / row[name][0] for row in rounds)
            cpu_ratio = statistics.median(row[plain][1] / row[name][1] for row in rounds)
            listed = " ".join(f"{ratio:.1f}" for ratio in ratios)
            text += f" {statistics.median(ratios):7.1f} {cpu_ratio:10.1f}  {listed}"
        print(text, flush=True)


def main() -> None:
    """Print rows for each number of threads."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lifter", default=None, help="weights (default: the shipped ones)")
    parser.add_argument("--frames", type=int, default=900)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    lifter = Lifter.load(arguments.lifter, device="cpu")
    mirrored = Lifter.load(arguments.lifter, device="cpu", mirror=True)
    keypoints = made_up_keypoints(arguments.frames)
    camera = Camera(intrinsics_from_focal(1500.0, image_size=IMAGE_SIZE))
    plain, parameters = plain_network(arguments.frames)
    print(f"lifter {lifter.model_id}; plain network of {parameters:,} parameters; {arguments.frames} frames")
    print(f"{'threads':>7} {'':24} {'frames/s':>9} {'ratio':>7} {'CPU ratio':>10}  ratios, sorted")
    ways: dict[str, Callable[[], object]] = {
        "VP3D": lambda: lifter.lift(keypoints, camera),
        "VP3D, mirrored pass too": lambda: mirrored.lift(keypoints, camera),
        "plain, both passes": plain,
    }
    for threads in arguments.threads:
        print_rows(ways, threads, arguments)


if __name__ == "__main__":
    main()
