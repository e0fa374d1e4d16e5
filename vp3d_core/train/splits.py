# SPDX-License-Identifier: GPL-3.0-or-later
"""Which trials train and which validate, over all archives together, and how often each is drawn.

The archives overlap: one trial may come as ASF/AMC, as BVH and re-rigged. A trial is therefore named by
subject and number, and all its copies fall on the same side. The community split ``cmu_actions`` renames its
trials: those that repeat a held-out one are listed below, found by ``benchmarks/mocap_overlap.py``.
"""

from __future__ import annotations

import re

import torch

__all__ = ["is_held_out", "sampling_weight", "trial_of"]

# A walker, a modern dancer's and a basketball player's later trials, martial arts, dances.
HELD_OUT_TRIALS = frozenset(
    {f"05_{n:02d}" for n in range(15, 21)}
    | {f"02_{n:02d}" for n in range(1, 11)}
    | {f"06_{n:02d}" for n in range(12, 16)}
    | {"07_11", "07_12", "135_06", "131_03", "131_04"}
)
HELD_OUT_FILES = re.compile(
    r"salsa/(2[5-9]|30)|martial/10|indian/15|MASS/.*(walk|kick)|low_walk|wide_ext|spiral_ffffast_left|fair1/wave_hello"
)
# The community split's own test half, and the files of its training half that repeat one of these or 02_01.
HELD_OUT_ACTIONS = re.compile(r"cmu_actions/(test_|train_walking_(1|3|27|28|31|32|33|34)\.)")

_SUBJECT_TRIAL = re.compile(r"(?:^|/)0?(\d{2,3})_(\d{2})\.(?:bvh|amc)$")
# Seconds of rare movement count for more than seconds of walking.
_WEIGHTS = (
    (re.compile(r"snu_walking"), 0.35),
    (re.compile(r"cmu_asfamc/88_90|MASS|makehuman"), 4.0),
    (re.compile(r"cmu_actions/\w+_walking"), 0.6),
    (re.compile(r"cmu_dance|/05_|005_"), 1.2),
)
STATIC_POSE_FRAMES = 120  # a file of one frame counts as two seconds


def trial_of(name: str) -> str:
    """Return "subject_trial" of a CMU file, whatever archive it lies in; else the name itself."""
    match = _SUBJECT_TRIAL.search(name)
    if match is None:
        return name
    return f"{int(match.group(1)):02d}_{match.group(2)}"


def is_held_out(name: str) -> bool:
    """Whether a trial is kept for validation."""
    if HELD_OUT_ACTIONS.search(name) or HELD_OUT_FILES.search(name):
        return True
    return trial_of(name) in HELD_OUT_TRIALS


def sampling_weight(names: tuple[str, ...], lengths: torch.Tensor) -> torch.Tensor:
    """Return how likely each clip (C,) is to be drawn, not normalised."""
    frames = lengths.clamp_min(STATIC_POSE_FRAMES).to(torch.float32)
    factors = [next((w for pattern, w in _WEIGHTS if pattern.search(name)), 1.0) for name in names]
    return frames * torch.tensor(factors, device=lengths.device)
