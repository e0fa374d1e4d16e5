# SPDX-License-Identifier: GPL-3.0-or-later
"""The two networks of an experiment, pose and trajectory, and their file (safetensors)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ..errors import WeightsCorrupt, WeightsMissing
from ..lift.model import TemporalModel
from ..output_file import replaced_when_done

__all__ = ["Architecture", "PaperModels", "load_models", "save_models"]

FORMAT, VERSION = "vp3d.paper", 1
POSE, TRAJECTORY = "model_pos.", "model_traj."


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a network is built from; see TemporalModel."""

    num_joints_in: int
    in_features: int
    num_joints_out: int
    filter_widths: tuple[int, ...]
    causal: bool = False
    channels: int = 1024
    dense: bool = False

    def build(self, *, num_joints_out: int | None = None, dropout: float = 0.25) -> TemporalModel:
        """Make a network with new weights; ``num_joints_out`` 1 for the trajectory's."""
        return TemporalModel(
            self.num_joints_in, self.in_features, num_joints_out or self.num_joints_out, self.filter_widths,
            causal=self.causal, channels=self.channels, dense=self.dense, dropout=dropout,
        )  # fmt: skip


@dataclass(slots=True, eq=False)
class PaperModels:
    """Pose network and, where it was trained, trajectory network."""

    architecture: Architecture
    pose: TemporalModel
    trajectory: TemporalModel | None = None

    @property
    def networks(self) -> list[TemporalModel]:
        """Those that are there."""
        return [self.pose] if self.trajectory is None else [self.pose, self.trajectory]


def save_models(path: Path, models: PaperModels, *, training: Mapping[str, object]) -> None:
    """Write networks and settings.

    Args:
        path: Ends in .safetensors.
        models: The networks.
        training: Plain values for the header.
    """
    import safetensors.torch

    tensors = {POSE + name: value for name, value in models.pose.state_dict().items()}
    if models.trajectory is not None:
        tensors |= {TRAJECTORY + name: value for name, value in models.trajectory.state_dict().items()}
    header = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": asdict(models.architecture),
        "training": training,
    }
    content = safetensors.torch.save(
        {name: value.detach().cpu().contiguous() for name, value in tensors.items()},
        metadata={"vp3d": json.dumps(header)},
    )
    with replaced_when_done(path) as temporary:
        temporary.write_bytes(content)


def load_models(path: Path, device: torch.device) -> tuple[PaperModels, dict[str, Any]]:
    """Read ``save_models``'s file: networks in evaluation mode, and the header.

    Raises:
        WeightsMissing: There is no such file.
        WeightsCorrupt: It is something else, or tensors are missing.
    """
    import safetensors
    import safetensors.torch

    if not path.is_file():
        raise WeightsMissing(f"There is no file {path}", hint="Give weights of 'vp3d train --paper'.")
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("vp3d", "{}"))
        if (header.get("format"), header.get("version")) != (FORMAT, VERSION):
            raise ValueError(f"it is {header.get('format')!r} version {header.get('version')!r}")
        fields = header["architecture"] | {"filter_widths": tuple(header["architecture"]["filter_widths"])}
        architecture = Architecture(**fields)
        tensors = safetensors.torch.load_file(str(path))
        pose = _filled(architecture.build(), tensors, POSE)
        trajectory = None
        if any(name.startswith(TRAJECTORY) for name in tensors):
            trajectory = _filled(architecture.build(num_joints_out=1), tensors, TRAJECTORY)
    except (safetensors.SafetensorError, KeyError, RuntimeError, ValueError, TypeError) as error:
        raise WeightsCorrupt(
            f"{path} does not hold networks of the paper: {error}",
            hint="Give weights of 'vp3d train --paper' or of 'vp3d convert-checkpoint'.",
        ) from error
    models = PaperModels(architecture, pose.to(device), trajectory)
    if trajectory is not None:
        models.trajectory = trajectory.to(device)
    return models, header


def _filled(model: TemporalModel, tensors: Mapping[str, torch.Tensor], prefix: str) -> TemporalModel:
    state = {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
    model.load_state_dict(state)
    model.eval()
    return model
