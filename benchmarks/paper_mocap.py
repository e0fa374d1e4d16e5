# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's experiments in small, on free mocap: the runs behind docs/paper.md.

    python benchmarks/paper_mocap.py DATA OUT [NAME...] [--seeds 3] [--longer 5] [--processes 4]

DATA is made by ``vp3d paper-data MOCAP -o DATA``. Each run is what ``vp3d train --paper DATA`` does with its
words (printed), some 9,000 or 12,000 steps of 128 frames with 128 channels, or ``--longer`` times as many.
One that is done (OUT/NAME-SEED.json) is not run again, one that was stopped goes on. Ends with a table: means
over the seeds, and how far the seeds' MPJPE are apart.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from functools import cache, partial
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
# Part of the labels: epochs of about 12,000 steps in all.
EPOCHS = {"0.01": 2000, "0.05": 440, "0.1": 220}
FAMILIES = {1: "1,1,1", 9: "3,3", 27: "3,3,3", 81: "3,3,3,3", 243: "3,3,3,3,3"}
EPOCHS_MANY = 10  # about 9,000 steps
LAST_RATE = 0.01  # of the first


def _few_labels(part: str, *extra: str) -> list[str]:
    return [
        "-k", "gt", "--train", LABELLED, "--subset", part, "--widths", FAMILIES[9],
        "--epochs", str(EPOCHS[part]), "--warmup", str(EPOCHS[part] // 10), *extra,
    ]  # fmt: skip


def _many_labels(frames: int, keypoints: str, *extra: str) -> list[str]:
    return [
        "-k", keypoints, "--train", f"{LABELLED},{UNLABELLED}", "--subset", "0.2",
        "--widths", FAMILIES[frames], "--epochs", str(EPOCHS_MANY), *extra,
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
RUNS["noise5-243"] = _many_labels(243, "noise5")
RUNS["noise5-27-dense"] = _many_labels(27, "noise5", "--dense")
RUNS["semi-0.01-no-bones"] = _few_labels("0.01", "--unlabelled", UNLABELLED, "--no-bone-lengths")
RUNS["semi-0.01-linear"] = _few_labels("0.01", "--unlabelled", UNLABELLED, "--linear-projection")
RUNS["semi-0.01-no-projection"] = _few_labels("0.01", "--unlabelled", UNLABELLED, "--no-projection")


@cache
def _data(folder: Path, keypoints: str) -> PaperData:
    return load_data(folder, "mocap", keypoints)


def _run(folder: Path, out: Path, longer: int, run: tuple[str, int]) -> None:
    name, seed = run
    result = out / f"{name}-{seed}.json"
    if result.is_file():
        return
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    parser = argparse.ArgumentParser()
    train_command.add_arguments(parser)
    words = [str(folder), *COMMON, *RUNS[name], "-o", str(out / f"{name}-{seed}"), "--seed", str(seed)]
    options = parser.parse_args(words)
    options.epochs, options.warmup = longer * options.epochs, max(1, longer * options.warmup)
    options.decay = LAST_RATE ** (1 / options.epochs)
    started, cpu = time.monotonic(), time.process_time()
    data = _data(folder, options.keypoints)
    models = train_experiment(
        data,
        subset_views(select_views(data, options.train), fraction=options.subset),
        experiment_of(options),
        options.out,
        device=torch.device("cpu"),
        unlabelled=select_views(data, options.unlabelled),
    )
    scores = evaluate_views(models, data, select_views(data, TEST), mirror=not options.no_test_mirror)
    print(f"{name}, seed {seed}: {' '.join(words)}, {options.epochs} epochs", flush=True)
    print_scores(scores, json_path=result)
    minutes = (time.monotonic() - started) / 60, (time.process_time() - cpu) / 60
    print(f"{minutes[0]:.1f} min, {minutes[1]:.1f} min of CPU time\n", flush=True)


def _print_table(out: Path, names: list[str]) -> None:
    columns = {
        "MPJPE": "p1",
        "P-MPJPE": "p2",
        "N-MPJPE": "p3",
        "MPJVE": "velocity",
        "trajectory": "trajectory",
    }
    print(f"{'run':26}{'seeds':>6}" + "".join(f"{name:>11}" for name in columns) + f"{'apart':>9}")
    for name in names:
        files = sorted(out.glob(f"{name}-[0-9]*.json"))
        if not files:
            continue
        rows = [json.loads(file.read_text("utf-8"))["mean"] for file in files]
        known = [[row[key] for row in rows if row[key] is not None] for key in columns.values()]
        means = "".join(f"{statistics.mean(k):11.2f}" if k else f"{'':11}" for k in known)
        apart = max(row["p1"] for row in rows) - min(row["p1"] for row in rows)
        print(f"{name:26}{len(rows):6}{means}{apart:9.2f}")


def main() -> None:
    """Run what is not done, then print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(RUNS)} (default: all)")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--longer", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(RUNS))
    if unknown:
        parser.error(f"there are no runs {', '.join(unknown)}; choose from {', '.join(RUNS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    names = options.names or list(RUNS)
    runs = [(name, seed) for seed in range(options.seeds) for name in names]
    work = partial(_run, options.data, options.out, options.longer)
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        pool.map(work, runs, chunksize=1)
    _print_table(options.out, names)


if __name__ == "__main__":
    main()
