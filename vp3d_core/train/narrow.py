# SPDX-License-Identifier: GPL-3.0-or-later
"""Take hidden channels away from a trained lifter: less work, to be trained on from there.

Of a wide network's channels many matter little. What a channel matters is how much it varies over time and
people, times the weights that read it; the least are left out everywhere alike, and the mean of what they
gave is kept. Source: activations times weights, as Wanda (Sun et al., ICLR 2024), for whole channels.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from ..lift.model import LifterModel

__all__ = ["narrowed"]

_NORM_VALUES = ("weight", "bias", "running_mean", "running_var")


@torch.no_grad()
def narrowed(model: LifterModel, channels: int, features: torch.Tensor) -> LifterModel:
    """Return a lifter of ``channels`` hidden channels, as like a wider one as that allows, ready to lift.

    Args:
        model: A trained lifter.
        channels: As many or fewer.
        features: (B, T, FEATURES) of usual people, on the model's device.

    Raises:
        ValueError: when more channels are asked for than there are.
    """
    if channels > model.channels:
        raise ValueError(f"the lifter has {model.channels} channels, {channels} are asked for")
    blocks = range(len(model.layers_conv) // 2)
    firsts = [cast(nn.Conv1d, model.layers_conv[2 * block]) for block in blocks]
    seconds = [cast(nn.Conv1d, model.layers_conv[2 * block + 1]) for block in blocks]
    readers = [*firsts, model.shrink]
    into = _inputs(model.eval(), [*readers, *seconds], features)
    between = sum(_share(into[reader], reader.weight) for reader in readers)
    kept = _largest(cast(torch.Tensor, between), channels)
    old = model.state_dict()
    new = {"expand_conv.weight": old["expand_conv.weight"][kept], **_norm(old, "expand_bn", kept)}
    for block, (first, second) in enumerate(zip(firsts, seconds, strict=True)):
        inner = _largest(_share(into[second], second.weight), channels)
        for index, conv, inputs, outputs in (
            (2 * block, first, kept, inner),
            (2 * block + 1, second, inner, kept),
        ):
            new[f"layers_conv.{index}.weight"] = conv.weight[outputs][:, inputs]
            norm = _norm(old, f"layers_bn.{index}", outputs)
            norm[f"layers_bn.{index}.running_mean"] -= _mean_lost(conv.weight, into[conv], inputs)[outputs]
            new |= norm
    new["shrink.weight"] = model.shrink.weight[:, kept]
    bias = cast(torch.Tensor, model.shrink.bias)
    new["shrink.bias"] = bias + _mean_lost(model.shrink.weight, into[model.shrink], kept)
    narrow = LifterModel(
        model.in_channels, model.num_joints_out, model.filter_widths,
        causal=model.causal, dropout=model.drop.p, channels=channels, stack=model.stack,
    )  # fmt: skip
    narrow.load_state_dict(new)
    return narrow.to(features.device).eval()


def _inputs(
    model: LifterModel, layers: list[nn.Conv1d], features: torch.Tensor
) -> dict[nn.Conv1d, torch.Tensor]:
    """Return what goes into layers (B, C, T) when the model lifts features."""
    seen: dict[nn.Conv1d, torch.Tensor] = {}

    def keep(layer: nn.Module, inputs: tuple[torch.Tensor, ...], _: torch.Tensor) -> None:
        seen[cast(nn.Conv1d, layer)] = inputs[0]

    hooks = [layer.register_forward_hook(keep) for layer in layers]
    model(features)
    for hook in hooks:
        hook.remove()
    return seen


def _share(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return each input channel's share (C,) of what a layer gets from its inputs (B, C, T)."""
    given = values.std((0, 2)) * weight.square().sum((0, 2)).sqrt()
    return given.square() / given.square().sum().clamp_min(1e-12)


def _largest(shares: torch.Tensor, count: int) -> torch.Tensor:
    return shares.argsort(descending=True)[:count].sort().values


def _norm(old: dict[str, torch.Tensor], name: str, kept: torch.Tensor) -> dict[str, torch.Tensor]:
    values = {f"{name}.{value}": old[f"{name}.{value}"][kept].clone() for value in _NORM_VALUES}
    return values | {f"{name}.num_batches_tracked": old[f"{name}.num_batches_tracked"]}


def _mean_lost(weight: torch.Tensor, values: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """Return what the inputs that are left out gave to each output on average."""
    means = values.mean((0, 2))
    means[kept] = 0.0
    return weight.sum(2) @ means
