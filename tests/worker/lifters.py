# SPDX-License-Identifier: GPL-3.0-or-later
"""A lifter with random weights: the real network and the real file, quick to run."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch

from vp3d_core.lift.model import LifterModel
from vp3d_core.lift.normalise import FEATURES
from vp3d_core.lift.weights import save_lifter_model
from vp3d_core.skeletons import JOINTS

Model = TypeVar("Model", bound=torch.nn.Module)


def save_random_lifter(path: Path) -> Path:
    """Write a small lifter with random weights."""
    torch.manual_seed(0)
    model = LifterModel(FEATURES, len(JOINTS.points), [3, 3, 3], channels=32)
    save_lifter_model(path, model, training={"note": "random weights, for tests"})
    return path


def as_if_trained(model: Model) -> Model:
    """Give a model's BatchNorm layers random statistics, as data would, and return it ready to run."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return model.eval()
