# SPDX-License-Identifier: GPL-3.0-or-later
"""Narrow models that fit a wide config: trained with few channels, saved in the shapes of the official model.

A wide model whose further channels have zero weights and zero BatchNorm scale and shift computes exactly what
the narrow one does: SiLU keeps zeros, and sums, products, concatenations and pooling of zeros are zeros. So a
model that is small to train and to store goes through the official config, its checks and its loading.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from vp3d_core.detect import mmpose_models

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

__all__ = [
    "PERSON",
    "POSE",
    "SCOPES",
    "load_narrow",
    "narrow_model",
    "save_checkpoint",
    "save_narrow",
    "widened",
]

POSE, PERSON = "rtmpose-t-halpe26", "rtmdet-nano"
SCOPES = {POSE: "mmpose", PERSON: "mmdet"}
PERSON_NARROWING = 2  # how many times fewer channels
# The stages of CSPNeXt: channels in and out (before widening), blocks (before deepening), identity, pyramid.
# The early ones are the official ones, for they do not learn; 144 channels come out instead of 384.
POSE_STAGES = [
    [64, 128, 3, True, False],
    [128, 256, 6, True, False],
    [256, 192, 6, True, False],
    [192, 384, 3, False, True],
]
# Where several tensors of equal width come one after the other: (name, how many along outputs, along inputs).
_CONCATENATED = (
    (re.compile(r"\.final_conv\.conv\.weight$"), 1, 2),
    (re.compile(r"\.attention\.fc\.(weight|bias)$"), 2, 2),
    (re.compile(r"^backbone\.stage4\.1\.conv2\.conv\.weight$"), 1, 4),
    (re.compile(r"^neck\.(top_down|bottom_up)_blocks\.\d\.(main|short)_conv\.conv\.weight$"), 1, 2),
)


def narrow_model(name: str, start: dict[str, torch.Tensor] | None = None) -> tuple[Any, Any]:
    """Return a narrow model and its config, which is the official one but for its channels.

    Args:
        name: In the catalogue.
        start: The model's weights; None initialises them.
    """
    from mmengine.logging import MMLogger
    from mmengine.model import revert_sync_batchnorm
    from mmengine.registry import MODELS, DefaultScope

    _, config = mmpose_models._build(name, SCOPES[name], for_training=True)  # pyright: ignore[reportPrivateUsage]
    model, factor = config.model, PERSON_NARROWING
    if name == POSE:
        model.backbone.arch_ovewrite = POSE_STAGES  # so spelt in MMDetection
        model.head.in_channels = int(POSE_STAGES[-1][1] * model.backbone.widen_factor)
    else:
        model.backbone.widen_factor /= factor
        model.neck.in_channels = [channels // factor for channels in model.neck.in_channels]
        model.neck.out_channels //= factor
        model.bbox_head.in_channels //= factor
        model.bbox_head.feat_channels //= factor
    MMLogger.get_current_instance().setLevel("WARNING")  # else it tells of every parameter's start
    with DefaultScope.overwrite_default_scope(SCOPES[name]):
        built = revert_sync_batchnorm(MODELS.build(model))
    if start is None:
        cast("Callable[[], None]", built.init_weights)()
    else:
        built.load_state_dict(start, strict=False)  # the preprocessor's constants are not kept
    return built, config


def widened(name: str, narrow: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a narrow model's state in the shapes of the official model."""
    import torch

    model, _ = mmpose_models._build(name, SCOPES[name])  # pyright: ignore[reportPrivateUsage]
    state: dict[str, torch.Tensor] = {}
    for key, like in model.state_dict().items():
        if key.startswith(mmpose_models.IGNORED_PREFIX):
            state[key] = like
            continue
        values = narrow[key].to(like.dtype)
        wide = torch.ones_like(like) if key.endswith("running_var") else torch.zeros_like(like)
        places = _places(key, tuple(values.shape), tuple(like.shape))
        if places:
            wide[np.ix_(*places)] = values
        else:
            wide = values
        state[key] = wide
    return state


def _places(key: str, narrow: tuple[int, ...], wide: tuple[int, ...]) -> list[list[int]]:
    """Return, for each axis, where the narrow values go."""
    groups = next(((a, b) for pattern, a, b in _CONCATENATED if pattern.search(key)), (1, 1))
    places: list[list[int]] = []
    for axis, (few, many) in enumerate(zip(narrow, wide, strict=True)):
        count = 1 if few == many or axis > 1 else groups[axis]
        places.append([g * (many // count) + c for g in range(count) for c in range(few // count)])
    return places


def save_narrow(path: Path, model: Any) -> None:
    """Write a narrow model's weights, 16 bits a number."""
    arrays: dict[str, Any] = {
        key: value.detach().numpy().astype(np.float16 if value.is_floating_point() else np.int64)
        for key, value in model.state_dict().items()
        if not key.startswith(mmpose_models.IGNORED_PREFIX)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)


def load_narrow(path: Path) -> dict[str, torch.Tensor]:
    """Read what ``save_narrow`` wrote, 32 bits a number."""
    import torch

    with np.load(path, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    return {
        key: torch.from_numpy(values.astype(np.float32) if values.dtype == np.float16 else values)
        for key, values in arrays.items()
    }


def save_checkpoint(path: Path, state: dict[str, torch.Tensor]) -> Path:
    """Save as mmengine's training does, with what its checkpoints hold besides weights."""
    from mmengine.logging import HistoryBuffer
    from mmengine.runner.checkpoint import save_checkpoint as save

    content = {
        "state_dict": state,
        "meta": {"epoch": 1, "iter": np.int64(3), "dataset_meta": {"classes": ("person",)}},
        "message_hub": {"loss": HistoryBuffer([1.0, 0.5], [1, 1]), "rate": np.float64(0.1)},
    }
    save(content, str(path))
    return path
