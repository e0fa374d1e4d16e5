# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keypoints a projected pose is compared with.

Joints and keypoints may be as many and yet mean other points: 17 of COCO are not the 17 of Human3.6M. They
are matched by what they are; a joint that the detector does not see is left out of the loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ..errors import SkeletonMismatch
from .layouts import H36M_17, JointLayout, KeypointLayout

__all__ = ["ReprojectionMap", "reprojection_map"]

# Human3.6M joint: the keypoints whose mean it is. COCO has no spine, thorax or head top.
_COCO = {
    0: (11, 12), 1: (12,), 2: (14,), 3: (16,), 4: (11,), 5: (13,), 6: (15,), 9: (0,),
    11: (5,), 12: (7,), 13: (9,), 14: (6,), 15: (8,), 16: (10,),
}  # fmt: skip
_MPII = {
    0: (6,), 1: (2,), 2: (1,), 3: (0,), 4: (3,), 5: (4,), 6: (5,), 8: (7,), 10: (9,),
    11: (13,), 12: (14,), 13: (15,), 14: (12,), 15: (11,), 16: (10,),
}  # fmt: skip
_OF_H36M: Mapping[str, Mapping[int, tuple[int, ...]]] = {"coco": _COCO, "mpii": _MPII}


@dataclass(frozen=True, slots=True, eq=False)
class ReprojectionMap:
    """Joints and the keypoints they are compared with.

    Attributes:
        joints: Indices of n joints.
        weights: (n, K) of the keypoints; each row sums to 1.
    """

    joints: tuple[int, ...]
    weights: torch.Tensor

    def targets(self, keypoints: torch.Tensor) -> torch.Tensor:
        """Return keypoints (..., K, F) as the targets (..., n, 2) of the joints."""
        return torch.einsum("nk,...kc->...nc", self.weights.to(keypoints.device), keypoints[..., :2])


def reprojection_map(joints: JointLayout, keypoints: KeypointLayout) -> ReprojectionMap:
    """Match joints with keypoints.

    Raises:
        SkeletonMismatch: It is not known which keypoint is which joint.
    """
    if joints.name == keypoints.name:
        count = len(joints.parents)
        return ReprojectionMap(tuple(range(count)), torch.eye(count))
    table = _OF_H36M.get(keypoints.name) if joints is H36M_17 else None
    if table is None:
        raise SkeletonMismatch(
            f"{keypoints.name!r} keypoints cannot be compared with {joints.name!r} joints",
            hint="Semi-supervised training needs 2D in the joints' own order, COCO's or MPII's.",
        )
    weights = torch.zeros(len(table), keypoints.count)
    for row, sources in enumerate(table.values()):
        weights[row, list(sources)] = 1.0 / len(sources)
    return ReprojectionMap(tuple(table), weights)
