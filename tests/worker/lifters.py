# SPDX-License-Identifier: GPL-3.0-or-later
"""A lifter with random weights: the real network and the real file, quick to run."""

from __future__ import annotations

from pathlib import Path

import torch

from vp3d_core.lift.model import LifterModel
from vp3d_core.lift.normalise import FEATURES
from vp3d_core.lift.weights import save_lifter_model
from vp3d_core.skeletons import JOINTS


def save_random_lifter(path: Path) -> Path:
    """Write a small lifter with random weights."""
    torch.manual_seed(0)
    model = LifterModel(FEATURES, len(JOINTS.points), [3, 3, 3], channels=32)
    save_lifter_model(path, model, training={"note": "random weights, for tests"})
    return path
