# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a detector's errors that follows from pose and view: far limbs, backs and bird's-eye views.

A small network, fitted to MediaPipe's keypoints of rendered people by ``tools/detector_errors``. Errors and
poses are in heights of the person, in axes that look at the pelvis: x right, y down, z away from the camera.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..pose import CANONICAL_HEIGHT_M
from ..skeletons import JOINTS, SLOTS

__all__ = ["ERROR_SLOTS", "BlazePoseErrors", "looking_at"]

# Of the slots that the network tells: the joint from which the error counts.
ERROR_SLOTS: dict[str, str] = {
    "nose": "nose",
    **{
        f"{side}_{slot}": f"{side}_{joint}"
        for slot, joint in {
            "ear": "ear", "shoulder": "shoulder", "elbow": "elbow", "wrist": "wrist", "hand": "hand",
            "hip": "hip", "knee": "knee", "ankle": "ankle", "big_toe": "toe", "heel": "heel",
        }.items()
        for side in ("left", "right")
    },
}  # fmt: skip
_FITTED = Path(__file__).with_name("blazepose_errors.npz")


def looking_at(root: torch.Tensor) -> torch.Tensor:
    """Return (..., 3, 3) rotations from camera axes to axes whose z points at ``root`` (..., 3), x level."""
    z = torch.nn.functional.normalize(root, dim=-1)
    level = torch.stack([z[..., 2], torch.zeros_like(z[..., 2]), -z[..., 0]], dim=-1)
    x = torch.nn.functional.normalize(level, dim=-1)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=-2)


class BlazePoseErrors(torch.nn.Module):
    """Pose and view to the expected error of each of ``ERROR_SLOTS``.

    Args:
        width: Of the two hidden layers.
    """

    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(self, width: int = 128, dropout: float = 0.0) -> None:
        super().__init__()
        values = 3 * (len(JOINTS.points) - 1) + 3
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("spread", torch.ones(values))
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(values, width), torch.nn.GELU(), torch.nn.Dropout(dropout),
            torch.nn.Linear(width, width), torch.nn.GELU(), torch.nn.Dropout(dropout),
            torch.nn.Linear(width, 2 * len(ERROR_SLOTS)),
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path = _FITTED) -> BlazePoseErrors:
        """Return what ``save`` wrote; by default what was fitted for training the lifter."""
        with np.load(path, allow_pickle=False) as arrays:
            state = {name: torch.from_numpy(arrays[name]).float() for name in arrays.files}
        result = cls(width=len(state["layers.0.bias"]))
        result.load_state_dict(state)
        return result.eval().requires_grad_(False)

    def save(self, path: Path) -> None:
        """Write the network as float16."""
        np.savez(path, **{name: value.half().numpy() for name, value in self.state_dict().items()})

    def forward(self, poses: torch.Tensor) -> torch.Tensor:
        """Return errors (..., 21, 2) in heights, right and down, for poses of ``inputs``."""
        errors = self.layers((poses - self.mean) / self.spread)
        return errors.unflatten(-1, (len(ERROR_SLOTS), 2))

    @staticmethod
    def inputs(
        joints: torch.Tensor, up: torch.Tensor, turn: torch.Tensor, *, height_m: float
    ) -> torch.Tensor:
        """Return what the network sees.

        Args:
            joints: (..., 25, 3) m, camera axes.
            up: (..., 3) unit, camera axes.
            turn: (..., 3, 3) of ``looking_at``.
            height_m: Of the person.
        """
        relative = (joints[..., 1:, :] - joints[..., :1, :]) / height_m
        turned = torch.einsum("...ij,...kj->...ki", turn, relative)
        return torch.cat([turned.flatten(-2), torch.einsum("...ij,...j->...i", turn, up)], dim=-1)

    def shifts(self, joints: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """Return by how much the detector misplaces each of SLOTS: (..., 28, 3) m, camera axes.

        Eyes go with the nose; what the detector lacks stays where it is.

        Args:
            joints: (..., 25, 3) m of bodies of ``CANONICAL_HEIGHT_M``, camera axes.
            up: (..., 3) unit, camera axes.
        """
        turn = looking_at(joints[..., 0, :])
        errors = self(self.inputs(joints, up, turn, height_m=CANONICAL_HEIGHT_M))
        known = torch.einsum("...ji,...kj->...ki", turn[..., :2, :], errors * CANONICAL_HEIGHT_M)
        result = known.new_zeros(*known.shape[:-2], len(SLOTS.points), 3)
        result[..., [SLOTS.index(slot) for slot in (*ERROR_SLOTS, "left_eye", "right_eye")], :] = known[
            ..., [*range(len(ERROR_SLOTS)), 0, 0], :
        ]
        return result
