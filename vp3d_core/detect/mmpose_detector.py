# SPDX-License-Identifier: GPL-3.0-or-later
"""MMPose as a detector: RTMDet and RTMPose with Halpe-26, or RTMO in one pass; frames go in batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..keypoints import Detections2D, Frame
from ..skeletons import COCO_17, HALPE_26, KeypointSkeleton
from . import mmpose_weights
from .boxes import box_iou
from .detector import no_detections
from .mmpose_models import OnePassModel, People, PersonModel, PoseModel, choose_device

__all__ = ["MMPoseDetector", "calibrated_scores"]

BATCH_SIZE = 16  # frames
CROPS_PER_PASS = {"cpu": 16, "cuda": 64}  # on a CPU nothing is gained beyond 8 to 16
MIN_PERSON_SCORE = 0.3  # as in MMPose's own demos
MAX_BOX_OVERLAP = 0.55  # IoU; people who cross overlap, two boxes of one person overlap more
MAX_PEOPLE = 20
# RTMPose's scores are maxima of SimCC outputs: 0 to about 1, for a clear keypoint 0.7 and more; 0.3 is the
# threshold that MMPose draws with. Kept below it, stretched above it so that clear ones reach 1.
RAW_SCORES, CALIBRATED_SCORES = (0.0, 0.3, 0.8), (0.0, 0.3, 1.0)


class MMPoseDetector:
    """MMPose 1.3.2 with the weights that were fetched or imported.

    Args:
        device: "auto", "cpu", "cuda" or "mps".
        threads: CPU threads of torch and OpenCV, for this whole process; 0 leaves them as they are.
        person: Name of the person finder in the catalogue, or None: see ``mmpose_weights.models``.
        pose: Name of the pose model, "pose" or "one-pass" (then no person finder is used), or None likewise.
        flip_test: Average with the mirrored picture: a little better, twice as slow. Not with RTMO.

    Raises:
        InputError: There is no such model.
        WeightsMissing: Their weights are not on this machine.
        WeightsCorrupt: Their weights do not fit.
        WorkerNotInstalled: MMPose cannot be imported.
    """

    def __init__(
        self,
        *,
        device: str = "auto",
        threads: int = 0,
        person: str | None = None,
        pose: str | None = None,
        flip_test: bool = False,
    ) -> None:
        _limit_threads(threads)
        place = choose_device(device)
        *finder, pose = mmpose_weights.models(pose, person=person)
        for name in (pose, *finder):  # before any is loaded
            mmpose_weights.require(name)
        self._crops_per_pass = CROPS_PER_PASS.get(place, CROPS_PER_PASS["cpu"])
        self._person: PersonModel | None = None
        self._pose: PoseModel | None = None
        self._one_pass: OnePassModel | None = None
        if not finder:
            self._skeleton = COCO_17
            self._one_pass = OnePassModel(pose, device=place)
            self._model_id = f"mmpose-{pose}-{self._one_pass.sha256[:8]}-r1"
            return
        (person,) = finder
        self._skeleton = HALPE_26
        self._person = PersonModel(person, device=place)
        self._pose = PoseModel(pose, device=place, flip_test=flip_test, num_points=len(HALPE_26.points))
        hashes = f"{self._person.sha256[:8]}-{pose}-{self._pose.sha256[:8]}"
        self._model_id = f"mmpose-{person}-{hashes}{'-flip' if flip_test else ''}-r1"

    @property
    def name(self) -> str:
        """The backend."""
        return "mmpose"

    @property
    def model_id(self) -> str:
        """Names models, their weights and settings."""
        return self._model_id

    @property
    def skeleton(self) -> KeypointSkeleton:
        """Halpe-26; COCO-17 for RTMO."""
        return self._skeleton

    @property
    def batch_size(self) -> int:
        """Frames per call."""
        return BATCH_SIZE

    def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
        """Return the people in each frame; see Detector."""
        import cv2

        pictures = [np.asarray(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR), np.uint8) for frame in frames]
        if not pictures:
            return []
        if self._one_pass is not None:
            return [
                self._one_pass_detections(people, picture)
                for people, picture in zip(self._one_pass.find(pictures), pictures, strict=True)
            ]
        return self._top_down(pictures)

    def close(self) -> None:
        """Free the models."""
        self._person = self._pose = self._one_pass = None

    def _top_down(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> list[Detections2D]:
        if self._person is None or self._pose is None:
            raise ValueError("the detector was closed")
        boxes = [
            (found[rows], scores[rows])
            for found, scores in self._person.find(pictures)
            for rows in [_chosen(found, scores)]
        ]
        crops = [(picture, box) for picture, (kept, _) in zip(pictures, boxes, strict=True) for box in kept]
        step = self._crops_per_pass
        passes = [self._pose.keypoints(crops[k : k + step]) for k in range(0, len(crops), step)]
        empty = np.zeros((0, len(HALPE_26.points)), np.float32)
        xy = np.concatenate([np.zeros((*empty.shape, 2), np.float32), *(points for points, _ in passes)])
        raw = np.concatenate([empty, *(scores for _, scores in passes)])
        results: list[Detections2D] = []
        start = 0
        for picture, (kept, scores) in zip(pictures, boxes, strict=True):
            rows = slice(start, start + len(kept))
            start += len(kept)
            results.append(self._detections(kept, scores, xy[rows], calibrated_scores(raw[rows]), picture))
        return results

    def _one_pass_detections(self, people: People, picture: npt.NDArray[np.uint8]) -> Detections2D:
        rows = _chosen(people.boxes_xyxy, people.scores)
        return self._detections(
            people.boxes_xyxy[rows],
            people.scores[rows],
            people.keypoints_xy[rows],
            people.keypoint_scores[rows],  # RTMO's are probabilities already
            picture,
        )

    def _detections(
        self, boxes: Array, scores: Array, xy: Array, keypoint_scores: Array, picture: npt.NDArray[np.uint8]
    ) -> Detections2D:
        if not len(boxes):
            return no_detections(self._skeleton)
        limit = np.array([picture.shape[1], picture.shape[0]]) - 0.5
        inside = ((xy >= -0.5) & (xy < limit)).all(axis=-1)
        return Detections2D(
            boxes_xyxy=boxes,
            scores=np.clip(scores, 0.0, 1.0),
            keypoints_xy=xy,
            keypoint_scores=np.where(inside, np.clip(keypoint_scores, 0.0, 1.0), 0.0).astype(np.float32),
            skeleton=self._skeleton,
        )


def calibrated_scores(raw: Array) -> Array:
    """Map RTMPose's raw SimCC maxima, any shape, to [0, 1], monotonically."""
    return np.interp(raw, RAW_SCORES, CALIBRATED_SCORES).astype(np.float32)


def _chosen(boxes: Array, scores: Array) -> list[int]:
    """Return the rows of the boxes (D, 4) that are sure enough and no doubles, best first."""
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= MIN_PERSON_SCORE]
    overlaps = box_iou(boxes[order], boxes[order])
    kept: list[int] = []
    for rank in range(len(order)):  # each box's fate hangs on those before it
        if len(kept) < MAX_PEOPLE and (overlaps[rank, kept] <= MAX_BOX_OVERLAP).all():
            kept.append(rank)
    return order[kept].tolist()


def _limit_threads(threads: int) -> None:
    if threads <= 0:
        return
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
