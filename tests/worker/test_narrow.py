# SPDX-License-Identifier: GPL-3.0-or-later
"""Narrowing a lifter: what does not matter goes first, and what is left out leaves its mean."""

from __future__ import annotations

import pytest
import torch

from tests.worker.lifters import as_if_trained
from vp3d_core.lift.model import LifterModel
from vp3d_core.train.narrow import narrowed

DEAD = [1, 4, 5, 10]


def wide_lifter() -> LifterModel:
    torch.manual_seed(0)
    model = LifterModel(6, 3, (3, 3, 3), channels=12, stack=2)
    return as_if_trained(model)


def test_channels_that_say_nothing_are_left_out_without_loss() -> None:
    model, features = wide_lifter(), torch.randn(4, 80, 6)
    with torch.no_grad():
        for norm in (model.expand_bn, *model.layers_bn):
            assert isinstance(norm, torch.nn.BatchNorm1d)
            norm.weight[DEAD], norm.bias[DEAD] = 0.0, 0.7  # the same all the time
        narrow = narrowed(model, 8, features)
        assert narrow.channels == 8
        for name, value in model(features).items():
            assert torch.allclose(narrow(features)[name], value, atol=1e-5)


def test_the_least_channels_go_first() -> None:
    model, features = wide_lifter(), torch.randn(4, 80, 6)
    with torch.no_grad():
        true = model(features)["joints"]
        errors = [float((narrowed(model, n, features)(features)["joints"] - true).std()) for n in (12, 10, 6)]
    assert errors[0] < 1e-6 < errors[1] < errors[2] < float(true.std())


def test_a_lifter_is_not_widened() -> None:
    with pytest.raises(ValueError, match="12 channels, 16 are asked for"):
        narrowed(wide_lifter(), 16, torch.randn(1, 80, 6))
