# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of the paper: sizes, twins, receptive field, causality."""

from __future__ import annotations

import pytest
import torch

from tests.worker.lifters import as_if_trained
from vp3d_core.lift.model import LifterModel, TemporalModel, count_parameters, receptive_field

WIDTHS = {27: (3, 3, 3), 81: (3, 3, 3, 3), 243: (3, 3, 3, 3, 3)}


def small_model(widths: tuple[int, ...], **options: object) -> TemporalModel:
    torch.manual_seed(0)
    model = TemporalModel(5, 2, 4, widths, channels=16, **options)  # type: ignore[arg-type]
    return as_if_trained(model)


@pytest.mark.parametrize(("frames", "parameters"), [(27, 8_555_571), (81, 12_753_971), (243, 16_952_371)])
def test_parameter_counts_are_the_papers(frames: int, parameters: int) -> None:
    model = TemporalModel(17, 2, 17, WIDTHS[frames])
    assert count_parameters(model) == parameters
    assert model.receptive_field == frames


def test_state_dict_has_the_original_names() -> None:
    names = set(TemporalModel(17, 2, 17, WIDTHS[27], channels=8).state_dict())
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {"expand_conv.weight", "shrink.weight", "shrink.bias"} | {f"expand_bn.{n}" for n in norm}
    expected |= {f"layers_conv.{k}.weight" for k in range(4)} | {
        f"layers_bn.{k}.{n}" for k in range(4) for n in norm
    }
    assert names == expected


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", [(3, 3, 3), (3, 5, 3), (1, 1, 1), (5,), (3, 3, 7)])
def test_the_strided_twin_gives_the_same_numbers(widths: tuple[int, ...], causal: bool) -> None:
    model = small_model(widths, causal=causal)
    twin = small_model(widths, causal=causal, strided=True)
    twin.load_state_dict(model.state_dict())
    keypoints = torch.randn(3, receptive_field(widths), 5, 2)
    assert torch.allclose(model(keypoints), twin(keypoints), atol=1e-5)


@pytest.mark.parametrize(("causal", "before", "after"), [(False, 13, 13), (True, 26, 0)])
def test_an_output_sees_its_receptive_field_and_nothing_else(causal: bool, before: int, after: int) -> None:
    model = small_model(WIDTHS[27], causal=causal)
    frames = 27 + 40
    keypoints = torch.randn(1, frames, 5, 2, requires_grad=True)
    output = model(keypoints)
    assert output.shape == (1, frames - 26, 4, 3)
    t = 20
    output[0, t].sum().backward()
    assert keypoints.grad is not None
    seen = keypoints.grad[0].abs().sum((1, 2)).nonzero().flatten().tolist()
    own = t + model.frames_before
    assert seen == list(range(own - before, own + after + 1))


def test_dense_kernels_cover_the_same_frames_with_more_parameters() -> None:
    dilated, dense = small_model(WIDTHS[27]), small_model(WIDTHS[27], dense=True)
    keypoints = torch.randn(1, 40, 5, 2)
    assert dense(keypoints).shape == dilated(keypoints).shape
    assert count_parameters(dense) > count_parameters(dilated)


def test_wrong_shapes_say_what_was_expected() -> None:
    model = small_model(WIDTHS[27])
    with pytest.raises(ValueError, match="expected 5 x 2"):
        model(torch.randn(1, 27, 4, 2))
    with pytest.raises(ValueError, match="receptive field is 27"):
        model(torch.randn(1, 26, 5, 2))
    with pytest.raises(ValueError, match="must be odd"):
        TemporalModel(5, 2, 4, (3, 2))


@pytest.mark.parametrize("causal", [False, True])
def test_steps_of_several_frames(causal: bool) -> None:
    torch.manual_seed(0)
    model = LifterModel(5, 4, (3, 3), channels=64, causal=causal, stack=3).eval()
    assert (model.window, model.frames_before, model.frames_after) == (
        27,
        24 if causal else 12,
        0 if causal else 12,
    )
    features = torch.randn(1, 60, 5, requires_grad=True)
    output = model(features)["joints"]
    assert output.shape == (1, 60 - 24, 4, 3)
    for start in (0, 12, 33):
        window = model.forward_windows(features[:, start : start + 27])["joints"]
        assert torch.allclose(output[:, start : start + 3], window, atol=1e-5)
    output[0, 12:15].square().sum().backward()
    assert features.grad is not None
    seen = features.grad[0].abs().sum(1).nonzero().flatten().tolist()
    assert seen == list(range(12, 12 + 27))


def test_the_lifter_splits_its_heads() -> None:
    model = LifterModel(87, 25, (3, 3), channels=8).eval()
    output = model(torch.randn(2, 12, 87))
    assert {name: tuple(value.shape) for name, value in output.items()} == {
        "joints": (2, 4, 25, 3),
        "log_sigma": (2, 4, 25),
        "contact_logits": (2, 4, 4),
        "up": (2, 4, 3),
    }
