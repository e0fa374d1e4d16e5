# SPDX-License-Identifier: GPL-3.0-or-later
"""List training clips that repeat a held-out trial under another name.

Half-second windows of poses (root-relative, turned to face one way) are compared over all archives; a clip a
tenth of whose windows have a twin in a held-out clip is printed. The bank is what ``vp3d train`` makes.
Run: python benchmarks/mocap_overlap.py BANK.npz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vp3d_core.skeletons import JOINTS
from vp3d_core.train.splits import is_held_out

STEP = 6  # 10 Hz
SAMPLES = 6
TWIN_M = 0.03  # mean distance a joint
JOINTS_USED = [
    JOINTS.index(f"{s}_{p}")
    for s in ("left", "right")
    for p in ("knee", "ankle", "elbow", "wrist", "shoulder")
]


def windows(joints: np.ndarray) -> np.ndarray:
    """(W, D) descriptors of all windows of (T, 25, 3)."""
    hips = joints[:, JOINTS.index("left_hip")] - joints[:, JOINTS.index("right_hip")]
    yaw = np.arctan2(hips[:, 1], hips[:, 0])
    offsets = joints[:, JOINTS_USED] - joints[:, :1]
    cos, sin = np.cos(-yaw)[:, None], np.sin(-yaw)[:, None]
    x, y = offsets[..., 0], offsets[..., 1]
    local = np.stack([cos * x - sin * y, sin * x + cos * y, offsets[..., 2]], axis=-1).reshape(
        len(joints), -1
    )
    starts = np.arange(0, len(joints) - STEP * SAMPLES, 3)
    return np.stack([local[starts + STEP * k] for k in range(SAMPLES)], axis=1).reshape(
        len(starts), 3 * len(JOINTS_USED) * SAMPLES
    )


def main(bank: Path) -> None:
    """Print the clips of a bank that repeat a held-out one."""
    data = np.load(bank, allow_pickle=False)
    names, lengths, joints = [str(n) for n in data["names"]], data["lengths"], data["joints"]
    starts = np.cumsum(lengths) - lengths
    described = {n: windows(joints[s : s + k]) for n, s, k in zip(names, starts, lengths, strict=True)}
    held = [n for n in names if is_held_out(n)]
    rows = np.concatenate([described[n] for n in held])
    owner = np.repeat(held, [len(described[n]) for n in held])
    norms = (rows**2).sum(1)
    limit = TWIN_M**2 * len(JOINTS_USED) * SAMPLES
    for name in names:
        if is_held_out(name) or not len(described[name]):
            continue
        squared = norms - 2 * described[name] @ rows.T + (described[name] ** 2).sum(1)[:, None]
        nearest = squared.argmin(1)
        twins = squared[np.arange(len(nearest)), nearest] < limit
        if twins.mean() > 0.1:
            where, count = np.unique(owner[nearest[twins]], return_counts=True)
            print(f"{name}: {twins.mean():.0%} of its windows are in {where[count.argmax()]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
