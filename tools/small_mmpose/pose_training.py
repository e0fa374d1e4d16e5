# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of a narrow RTMPose-t with MMPose's own transforms, codec, head and loss.

The backbone's early layers stay as they were initialised: random filters serve there. What they make of each
picture, shifted, turned and mirrored in some ways, is computed once; the later stages and the head learn from
that, which is ten times cheaper than training all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vp3d_core.detect import mmpose_models

from .lessons import Lesson
from .narrow import POSE, narrow_model

if TYPE_CHECKING:
    import torch

__all__ = ["PoseTraining"]

SETTLING = 12  # batches that BatchNorm of the early layers sees
CHUNK = 32  # pictures at once


class PoseTraining:
    """A narrow RTMPose-t and its batches.

    Args:
        lessons: Pictures, cut out or whole.
        rng: Chooses the batches. The transforms draw from NumPy's global generator.
        variants: How often each picture is distorted anew.
        start: Weights to go on from.
    """

    def __init__(
        self,
        lessons: Sequence[Lesson],
        rng: np.random.Generator,
        *,
        variants: int = 3,
        start: dict[str, torch.Tensor] | None = None,
    ) -> None:
        import torch

        self.model, config = narrow_model(POSE, start)
        backbone = self.model.backbone
        self._early = torch.nn.Sequential(backbone.stem, backbone.stage1, backbone.stage2)
        self.learning = torch.nn.ModuleList([backbone.stage3, backbone.stage4, self.model.head])
        self._rng = rng
        self._meta = mmpose_models._dataset_meta(config)  # pyright: ignore[reportPrivateUsage]
        self._pipeline = mmpose_models._compose(  # pyright: ignore[reportPrivateUsage]
            [
                {"type": "GetBBoxCenterScale"},
                {"type": "RandomFlip", "direction": "horizontal"},
                {"type": "RandomBBoxTransform", "shift_factor": 0.08, "scale_factor": [0.85, 1.2],
                 "rotate_factor": 20, "rotate_prob": 0.4},
                {"type": "TopdownAffine", "input_size": config.codec.input_size},
                {"type": "GenerateTarget", "encoder": config.codec},
                {"type": "PackPoseInputs"},
            ],
            scope="mmpose",
        )  # fmt: skip
        self._early.eval()
        if start is None:
            self._settle(lessons)
        self._features, self._targets, self._weights = self._distorted(lessons, variants)

    def loss(self, size: int) -> torch.Tensor:
        """Return the loss of a batch."""
        import torch

        chosen = torch.from_numpy(self._rng.choice(len(self._features), size, replace=True))
        late = self.learning[1](self.learning[0](self._features[chosen].float()))
        head: Any = self.model.head
        targets = tuple(labels[chosen].float() for labels in self._targets)
        return head.loss_module(head.forward((late,)), targets, self._weights[chosen])

    def _settle(self, lessons: Sequence[Lesson]) -> None:
        import torch

        self._early.train()
        with torch.no_grad():
            for _ in range(SETTLING):
                chosen = self._rng.choice(len(lessons), CHUNK)
                self._early(self._batch([lessons[index] for index in chosen])[0])
        self._early.eval()

    def _distorted(
        self, lessons: Sequence[Lesson], variants: int
    ) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
        """Return features (N, C, H, W), labels along x and y (N, 26, bins), and weights (N, 26)."""
        import torch

        order = list(lessons) * variants
        parts: list[list[torch.Tensor]] = [[], [], [], []]
        with torch.inference_mode():
            for start in range(0, len(order), CHUNK):
                inputs, samples = self._batch(order[start : start + CHUNK])
                labels = [sample.gt_instance_labels for sample in samples]
                parts[0].append(self._early(inputs).half())
                parts[1].append(torch.cat([label.keypoint_x_labels for label in labels]).half())
                parts[2].append(torch.cat([label.keypoint_y_labels for label in labels]).half())
                parts[3].append(torch.cat([label.keypoint_weights for label in labels]))
        features, x_labels, y_labels, weights = (torch.cat(part).clone() for part in parts)
        return features, [x_labels, y_labels], weights

    def _batch(self, lessons: Sequence[Lesson]) -> tuple[torch.Tensor, Any]:
        from mmengine.dataset import pseudo_collate

        samples = [self._pipeline(self._sample(lesson)) for lesson in lessons]
        data = self.model.data_preprocessor(pseudo_collate(samples), True)
        return data["inputs"], data["data_samples"]

    def _sample(self, lesson: Lesson) -> dict[str, Any]:
        return {
            "img": lesson.picture,
            "img_shape": lesson.picture.shape[:2],
            "bbox": lesson.box[None].astype(np.float32),
            "bbox_score": np.ones(1, np.float32),
            "keypoints": lesson.keypoints[None].astype(np.float32),
            "keypoints_visible": lesson.weights[None].astype(np.float32),
        } | self._meta
