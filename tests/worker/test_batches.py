# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool of sequences: windows and targets belong together, and new sequences take the oldest's place."""

from __future__ import annotations

import pytest
import torch

from vp3d_core.lift.model import LifterModel
from vp3d_core.train.batches import WindowPool


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("stack", [1, 2, 3])
def test_targets_are_those_of_the_windows_outputs(stack: int, causal: bool) -> None:
    model = LifterModel(2, 1, (3, 3), channels=4, causal=causal, stack=stack)
    pool = WindowPool(8, model.window, stack, model.frames_before, torch.Generator().manual_seed(0))
    row, frame = torch.meshgrid(torch.arange(5), torch.arange(60), indexing="ij")
    pool.add((torch.stack([row, frame], dim=-1).float(), torch.stack([row, frame], dim=-1)))
    windows, targets = pool.draw(900, 2)
    assert windows.shape == (1800, model.window, 2)
    assert targets.shape == (900, 2 * stack, 2)
    # Where the network puts its outputs: after frames_before frames of each window, one step after the other.
    outputs = (
        windows[:, model.frames_before : model.frames_before + stack].unflatten(0, (900, 2)).flatten(1, 2)
    )
    assert torch.equal(outputs.long(), targets)
    assert targets[..., 1].min() == model.frames_before
    assert targets[..., 1].max() == 60 - 1 - model.frames_after


def test_new_sequences_take_the_place_of_the_oldest() -> None:
    pool = WindowPool(4, 1, 1, 0, torch.Generator().manual_seed(0))
    for value in range(3):
        pool.add((torch.full((2, 5, 1), float(value)),))
    (windows,) = pool.draw(200, 1)
    assert set(windows.flatten().tolist()) == {1.0, 2.0}
