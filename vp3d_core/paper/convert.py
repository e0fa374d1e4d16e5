# SPDX-License-Identifier: GPL-3.0-or-later
"""Original VideoPose3D checkpoints to our weights and back; the numbers are not changed.

What a checkpoint does not say is read from shapes: blocks, widths, channels, keypoints, joints. Whether the
network is causal or dense is nowhere in it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch

from ..errors import WeightsCorrupt
from ..lift.model import TemporalModel
from ..output_file import replaced_when_done
from .models import POSE, TRAJECTORY, Architecture, PaperModels, load_models, save_models
from .original_checkpoint import convert_in_own_process

__all__ = ["architecture_of", "read_original_models", "to_original", "to_ours"]

# Keypoints that detectors and data sets have; decide between (x, y) and (x, y, score).
_KEYPOINT_COUNTS = (17, 15, 16, 20, 32)


def architecture_of(
    tensors: Mapping[str, torch.Tensor], *, causal: bool, dense: bool, num_keypoints: int | None = None
) -> Architecture:
    """Read the architecture from the pose network's shapes.

    Args:
        tensors: state_dict of ``model_pos``.
        causal: Whether it was trained so.
        dense: Whether it was trained so.
        num_keypoints: K, where the number of inputs leaves it open.

    Raises:
        WeightsCorrupt: The shapes are of another network.
    """
    try:
        channels, inputs, first = tensors["expand_conv.weight"].shape
        blocks = sum(name.startswith("layers_conv.") for name in tensors) // 2
        kernels = [tensors[f"layers_conv.{2 * block}.weight"].shape[2] for block in range(blocks)]
        outputs = tensors["shrink.weight"].shape[0]
    except (KeyError, ValueError) as error:
        raise WeightsCorrupt(
            f"The checkpoint is of another network: {error}", hint="Give one of VideoPose3D."
        ) from error
    widths = [first]
    for kernel in kernels:
        dilation = torch.tensor(widths).prod().item()
        widths.append(int((kernel - 1) // dilation + 1) if dense else kernel)
    count, features = _keypoints(inputs, num_keypoints)
    return Architecture(
        count, features, outputs // 3, tuple(widths), causal=causal, channels=channels, dense=dense
    )


def _keypoints(inputs: int, num_keypoints: int | None) -> tuple[int, int]:
    """Return number of keypoints and values of each."""
    if num_keypoints is not None:
        if num_keypoints <= 0 or inputs % num_keypoints:
            raise WeightsCorrupt(
                f"{inputs} inputs are not those of {num_keypoints} keypoints",
                hint="Give another --keypoints.",
            )
        return num_keypoints, inputs // num_keypoints
    for features in (2, 3):
        if inputs % features == 0 and inputs // features in _KEYPOINT_COUNTS:
            return inputs // features, features
    return (inputs // 2, 2) if inputs % 2 == 0 else (inputs // 3, 3)


def read_original_models(
    path: Path, *, causal: bool = False, dense: bool = False, num_keypoints: int | None = None
) -> tuple[PaperModels, int]:
    """Read an original checkpoint in a process of its own.

    Returns:
        The networks in evaluation mode, and the epochs that they were trained for.

    Raises:
        WeightsMissing, WeightsCorrupt: See ``original_checkpoint.py``.
    """
    import safetensors.torch

    with tempfile.TemporaryDirectory(prefix="vp3d-") as folder:
        copy = Path(folder) / "weights.safetensors"
        epochs = convert_in_own_process(path, copy)
        tensors = safetensors.torch.load(copy.read_bytes())
    parts = {
        prefix: {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
        for prefix in (POSE, TRAJECTORY)
    }
    architecture = architecture_of(parts[POSE], causal=causal, dense=dense, num_keypoints=num_keypoints)
    pose = _filled(architecture.build(), parts[POSE])
    trajectory = None
    if parts[TRAJECTORY]:
        trajectory = _filled(architecture.build(num_joints_out=1), parts[TRAJECTORY])
    return PaperModels(architecture, pose, trajectory), epochs


def _filled(model: TemporalModel, state: Mapping[str, torch.Tensor]) -> TemporalModel:
    # Torch before 0.4.1 did not count batches.
    counts = {
        name: value for name, value in model.state_dict().items() if name.endswith("num_batches_tracked")
    }
    try:
        model.load_state_dict(counts | dict(state))
    except RuntimeError as error:
        raise WeightsCorrupt(
            f"The checkpoint does not fit its own shapes: {error}", hint="Was it trained with --dense?"
        ) from error
    model.eval()
    return model


def to_ours(
    source: Path, target: Path, *, causal: bool = False, dense: bool = False, num_keypoints: int | None = None
) -> PaperModels:
    """Convert an original checkpoint to our safetensors."""
    models, epochs = read_original_models(source, causal=causal, dense=dense, num_keypoints=num_keypoints)
    save_models(target, models, training={"converted_from": source.name, "epochs_done": epochs})
    return models


def to_original(source: Path, target: Path) -> PaperModels:
    """Convert our safetensors to a checkpoint that the original program loads.

    It holds weights only: no optimiser, no random state. ``model_traj`` is left out where there is none, as
    the original trips over None.
    """
    models, header = load_models(source, torch.device("cpu"))
    content: dict[str, object] = {
        "epoch": int(header["training"].get("epochs_done", 0)),
        "lr": float(header["training"].get("learning_rate", 1e-3)),
        "random_state": None,
        "optimizer": None,
        "model_pos": models.pose.state_dict(),
        "random_state_semi": None,
    }
    if models.trajectory is not None:
        content["model_traj"] = models.trajectory.state_dict()
    with replaced_when_done(target) as temporary:
        torch.save(content, temporary)
    return models
