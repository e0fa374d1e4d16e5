# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's experiments in small, on free mocap: the runs behind docs/paper.md.

Usage: python benchmarks/paper_mocap.py DATA OUT [NAME...]

DATA is made by ``vp3d paper-data MOCAP -o DATA``. Each run is what ``vp3d train --paper DATA`` does with its
words (printed), some 9,000 or 12,000 steps of 128 frames with 128 channels. One that is done (OUT/NAME.json)
is not run again, one that was stopped goes on. Ends with a table.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import cache
from pathlib import Path

import torch

from vp3d_core.paper import train_command
from vp3d_core.paper.datasets import PaperData, load_data, select_views, subset_views
from vp3d_core.paper.evaluate_command import print_scores
from vp3d_core.paper.evaluation import evaluate_views
from vp3d_core.paper.options import experiment_of
from vp3d_core.paper.training import train_experiment

LABELLED, UNLABELLED = "05,indian", "01,03,07,131,salsa,rawmotion,fair1,motion,90"
TEST = "02,06,135,martial"
COMMON = [
    "-d", "mocap", "--test", TEST, "--channels", "128", "--dropout", "0.1", "--batch", "128",
]  # fmt: skip
# Part of the labels: epochs of about 12,000 steps in all, the rate falling to a hundredth.
EPOCHS = {"0.01": 2000, "0.05": 440, "0.1": 220}
FAMILIES = {1: "1,1,1", 9: "3,3", 27: "3,3,3", 81: "3,3,3,3", 243: "3,3,3,3,3"}


def _few_labels(part: str, *extra: str) -> list[str]:
    epochs = EPOCHS[part]
    return [
        "-k", "gt", "--train", LABELLED, "--subset", part, "--widths", FAMILIES[9], "--epochs", str(epochs),
        "--decay", f"{0.01 ** (1 / epochs):.5f}", "--warmup", str(max(1, epochs // 10)), *extra,
    ]  # fmt: skip


def _many_labels(frames: int, keypoints: str, *extra: str) -> list[str]:
    return [
        "-k", keypoints, "--train", f"{LABELLED},{UNLABELLED}", "--subset", "0.2",
        "--widths", FAMILIES[frames], "--epochs", "10", "--decay", "0.63", *extra,
    ]  # fmt: skip


RUNS: dict[str, list[str]] = {}
for _part in EPOCHS:
    RUNS[f"supervised-{_part}"] = _few_labels(_part)
    RUNS[f"semi-{_part}"] = _few_labels(_part, "--unlabelled", UNLABELLED)
for _level in ("gt", "noise5", "noise10", "noise20"):
    RUNS[f"{_level}-1"] = _many_labels(1, _level)
    RUNS[f"{_level}-9"] = _many_labels(9, _level)
RUNS["noise5-27"] = _many_labels(27, "noise5")
RUNS["noise5-9-causal"] = _many_labels(9, "noise5", "--causal")
RUNS["noise5-9-no-mirror"] = _many_labels(9, "noise5", "--no-mirror", "--no-test-mirror")
RUNS["noise5-27-causal"] = _many_labels(27, "noise5", "--causal")
RUNS["noise5-81"] = _many_labels(81, "noise5")
RUNS["semi-0.01-no-bones"] = _few_labels("0.01", "--unlabelled", UNLABELLED, "--no-bone-lengths")
RUNS["semi-0.01-linear"] = _few_labels("0.01", "--unlabelled", UNLABELLED, "--linear-projection")


@cache
def _data(folder: Path, keypoints: str) -> PaperData:
    return load_data(folder, "mocap", keypoints)


def _run(folder: Path, out: Path, words: list[str], result: Path) -> None:
    parser = argparse.ArgumentParser()
    train_command.add_arguments(parser)
    options = parser.parse_args([str(folder), *COMMON, *words, "-o", str(out)])
    data = _data(folder, options.keypoints)
    models = train_experiment(
        data,
        subset_views(select_views(data, options.train), fraction=options.subset),
        experiment_of(options),
        out,
        device=torch.device("cpu"),
        unlabelled=select_views(data, options.unlabelled),
    )
    scores = evaluate_views(models, data, select_views(data, TEST), mirror=not options.no_test_mirror)
    print_scores(scores, json_path=result)


def main() -> int:
    """Run what is not done, then print the table."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    names = sys.argv[3:] or list(RUNS)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        result = out / f"{name}.json"
        if not result.is_file():
            started, cpu = time.monotonic(), time.process_time()
            print(f"{name}: {' '.join(RUNS[name])}", flush=True)
            _run(folder, out / name, RUNS[name], result)
            minutes = (time.monotonic() - started) / 60, (time.process_time() - cpu) / 60
            print(f"{name}: {minutes[0]:.1f} min, {minutes[1]:.1f} min of CPU time\n", flush=True)
    print(f"{'run':24}{'MPJPE':>9}{'P-MPJPE':>9}{'N-MPJPE':>9}{'MPJVE':>9}")
    for name in names:
        mean = json.loads((out / f"{name}.json").read_text("utf-8"))["mean"]
        values = "".join(f"{mean[key]:9.1f}" for key in ("p1", "p2", "p3"))
        print(f"{name:24}{values}{mean['velocity']:9.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
