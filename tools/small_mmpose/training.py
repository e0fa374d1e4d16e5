# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the narrow models: the person finder's batches, and the steps of both."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .lessons import Lesson
from .narrow import PERSON, narrow_model
from .pose_training import PoseTraining

if TYPE_CHECKING:
    import torch

__all__ = ["PersonTraining", "run_training"]

WARM_UP = 0.05  # of the training
LAST_RATE = 0.02  # of the highest learning rate
AVERAGED = 0.98  # of the running average of the weights, each step, in the last part
PICTURE_SIZE = (
    320,
    192,
)  # px, width and height: the config's square without what a wide picture leaves empty
MOMENTUM = 0.1  # of BatchNorm: the config's 0.03 is for longer training


class PersonTraining:
    """A narrow RTMDet-nano and its batches."""

    def __init__(
        self,
        lessons: Sequence[Lesson],
        rng: np.random.Generator,
        *,
        start: dict[str, torch.Tensor] | None = None,
    ) -> None:
        import torch

        self.model, _ = narrow_model(PERSON, start)
        for module in self.model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = MOMENTUM
        self.model.to(memory_format=torch.channels_last)
        self.learning = self.model
        self._lessons, self._rng = lessons, rng

    def loss(self, size: int) -> torch.Tensor:
        """Return the loss of a batch of whole pictures, resized and padded as the config does."""
        from mmengine.dataset import pseudo_collate

        chosen = self._rng.choice(len(self._lessons), size)
        samples = [self._sample(self._lessons[index]) for index in chosen]
        data = self.model.data_preprocessor(pseudo_collate(samples), True)
        return _total(self.model.loss(data["inputs"], data["data_samples"]))

    def _sample(self, lesson: Lesson) -> dict[str, Any]:
        import cv2
        import torch
        from mmdet.structures import DetDataSample
        from mmengine.structures import InstanceData

        height, width = lesson.picture.shape[:2]
        scale = min(PICTURE_SIZE[0] / width, PICTURE_SIZE[1] / height) * self._rng.uniform(0.75, 1.0)
        picture = cv2.resize(lesson.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        box = lesson.box * scale
        if self._rng.random() < 0.5:
            picture = picture[:, ::-1]
            box = np.array([picture.shape[1] - box[2], box[1], picture.shape[1] - box[0], box[3]])
        lit = picture * self._rng.uniform(0.7, 1.3) * self._rng.uniform(0.9, 1.1, 3)
        padded = np.full((*PICTURE_SIZE[::-1], 3), 114, np.uint8)
        padded[: picture.shape[0], : picture.shape[1]] = np.clip(lit, 0, 255)
        sample = DetDataSample(metainfo={"img_shape": PICTURE_SIZE[::-1], "ori_shape": PICTURE_SIZE[::-1]})
        sample.gt_instances = InstanceData(
            bboxes=torch.from_numpy(box[None]).float(), labels=torch.zeros(1, dtype=torch.long)
        )
        sample.ignored_instances = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0))
        return {"inputs": torch.from_numpy(padded).permute(2, 0, 1).contiguous(), "data_samples": sample}


def run_training(
    lesson: PoseTraining | PersonTraining,
    *,
    minutes: float,
    batch_size: int,
    rate: float,
    tell: Callable[[int, float, float], None],
    max_steps: int | None = None,
) -> Any:
    """Train a model for some minutes, or a number of steps where that is less; the rate follows the clock.

    Args:
        lesson: The model and its batches.
        minutes: Of training.
        batch_size: Pictures in a step.
        rate: The highest learning rate.
        tell: Called after each step with its number, its loss and the part that is done, in [0, 1].
        max_steps: Steps at most.

    Returns:
        The model, with the average of its weights over the last steps.
    """
    import torch

    model = lesson.learning.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    averaged = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGED), use_buffers=True
    )
    started, step, done = time.monotonic(), 0, 0.0
    while done < 1.0:
        for group in optimiser.param_groups:
            group["lr"] = rate * _rate_at(done)
        loss = lesson.loss(batch_size)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 35.0)
        optimiser.step()
        averaged.update_parameters(model)
        step += 1
        done = max((time.monotonic() - started) / (60 * minutes), step / max_steps if max_steps else 0.0)
        tell(step, float(loss.detach()), min(done, 1.0))
    model.load_state_dict(averaged.module.state_dict())
    return lesson.model.eval()


def _rate_at(done: float) -> float:
    if done < WARM_UP:
        return max(done / WARM_UP, LAST_RATE)
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def _total(losses: dict[str, Any]) -> torch.Tensor:
    import torch

    parts = [
        torch.stack(list(v)).sum() if isinstance(v, list) else v for k, v in losses.items() if "loss" in k
    ]
    return torch.stack(parts).sum()
