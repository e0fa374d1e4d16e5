# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's experiments in small, on free mocap: the runs behind docs/paper.md.

Usage: python benchmarks/paper_mocap.py DATA OUT [NAME...]

DATA is made by ``vp3d paper-data MOCAP -o DATA``. Each run is a ``vp3d train --paper`` of 2,100 to 2,400
steps of 128 frames with 128 channels; one that is done (OUT/NAME.json) is not run again. Prints a table.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

LABELLED, UNLABELLED = "05,indian", "01,03,07,131,salsa,rawmotion,fair1,motion,90"
TEST = "02,06,135,martial"
COMMON = [
    "-d", "mocap", "--test", TEST, "--channels", "128", "--dropout", "0.1", "--batch", "128",
    "--threads", "1",
]  # fmt: skip
# Part of the labels: epochs of about 2,400 steps in all, the rate falling to a hundredth.
EPOCHS = {"0.01": 400, "0.05": 88, "0.1": 44}
FAMILIES = {1: "1,1,1", 9: "3,3", 27: "3,3,3", 81: "3,3,3,3", 243: "3,3,3,3,3"}


def _few_labels(part: str, *extra: str) -> list[str]:
    epochs = EPOCHS[part]
    return [
        "-k", "gt", "--train", LABELLED, "--subset", part, "--widths", FAMILIES[27], "--epochs", str(epochs),
        "--decay", f"{0.01 ** (1 / epochs):.5f}", "--warmup", str(max(1, epochs // 30)), *extra,
    ]  # fmt: skip


def _many_labels(frames: int, keypoints: str, *extra: str) -> list[str]:
    return [
        "-k", keypoints, "--train", f"{LABELLED},{UNLABELLED}", "--subset", "0.05",
        "--widths", FAMILIES[frames], "--epochs", "9", "--decay", "0.6", *extra,
    ]  # fmt: skip


RUNS: dict[str, list[str]] = {}
for _part in ("0.01", "0.05", "0.1"):
    RUNS[f"supervised-{_part}"] = _few_labels(_part)
    RUNS[f"semi-{_part}"] = _few_labels(_part, "--unlabelled", UNLABELLED)
for _frames in (1, 9, 27, 81):
    RUNS[f"frames-{_frames}"] = _many_labels(_frames, "noise5")
RUNS["causal-27"] = _many_labels(27, "noise5", "--causal")
for _level in ("gt", "noise10", "noise20"):
    RUNS[f"{_level}-1"] = _many_labels(1, _level)
    RUNS[f"{_level}-27"] = _many_labels(27, _level)
RUNS["semi-0.01-no-bones"] = _few_labels("0.01", "--unlabelled", UNLABELLED, "--no-bone-lengths")
RUNS["semi-0.01-linear"] = _few_labels("0.01", "--unlabelled", UNLABELLED, "--linear-projection")
RUNS["causal-81"] = _many_labels(81, "noise5", "--causal")
RUNS["dense-27"] = _many_labels(27, "noise5", "--dense")
RUNS["no-mirror-27"] = _many_labels(27, "noise5", "--no-mirror", "--no-test-mirror")
RUNS["frames-243"] = _many_labels(243, "noise5")


def main() -> int:
    """Run what is not done, then print the table."""
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    names = sys.argv[3:] or list(RUNS)
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        result = out / f"{name}.json"
        if not result.is_file():
            started = time.monotonic()
            command = [
                sys.executable, "-m", "vp3d_core", "train", "--paper", str(data), *COMMON, *RUNS[name],
                "-o", str(out / name), "--json", str(result),
            ]  # fmt: skip
            with (out / f"{name}.log").open("w") as log:
                subprocess.run(command, check=True, stdout=log, stderr=subprocess.STDOUT)
            print(f"{name}: {(time.monotonic() - started) / 60:.1f} min", file=sys.stderr, flush=True)
    print(f"{'run':24}{'MPJPE':>9}{'P-MPJPE':>9}{'N-MPJPE':>9}{'MPJVE':>9}")
    for name in names:
        mean = json.loads((out / f"{name}.json").read_text("utf-8"))["mean"]
        print(
            f"{name:24}"
            + "".join(f"{mean[key]:9.1f}" for key in ("p1", "p2", "p3"))
            + f"{mean['velocity']:9.2f}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
