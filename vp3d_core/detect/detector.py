# SPDX-License-Identifier: GPL-3.0-or-later
"""What every 2D detector offers, and the choice of one.

A detector is a resource with a life: make it, give it consecutive batches of frames in order, close it.
Nothing heavy is imported here; each backend imports its own packages when it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..keypoints import Detections2D, Frame
from ..settings import DETECTOR_WORDS, named_model
from ..skeletons import KeypointSkeleton
from . import mmpose_weights

__all__ = ["Detector", "RememberingDetector", "make_detector", "no_detections"]


class Detector(Protocol):
    """Finds people and their keypoints in frames.

    Attributes:
        name: "mediapipe" or "mmpose".
        model_id: Names the models and settings, so that stored detections can be told apart.
        skeleton: The keypoints' names and order.
        batch_size: Frames per call that suit the backend, >= 1.
    """

    @property
    def name(self) -> str:
        """The backend."""
        ...

    @property
    def model_id(self) -> str:
        """Models and settings."""
        ...

    @property
    def skeleton(self) -> KeypointSkeleton:
        """The keypoints' names and order."""
        ...

    @property
    def batch_size(self) -> int:
        """Frames per call that suit the backend."""
        ...

    def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
        """Return one Detections2D per frame.

        Args:
            frames: Consecutive frames of one video; calls follow each other in presentation order.
        """
        ...

    def close(self) -> None:
        """Free the models; the detector cannot be used any more."""
        ...


@runtime_checkable
class RememberingDetector(Protocol):
    """A detector whose answer depends on earlier frames, and which can go on where another one stopped."""

    def state(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return what it knows after the last call of ``detect``, but for the last frame itself."""
        ...

    def restore(self, state: dict[str, npt.NDArray[np.float64]], last: Frame) -> None:
        """Take over a state, and the last frame that was detected: all that follows comes out the same."""
        ...


def make_detector(choice: str, *, device: str = "auto", threads: int = 0) -> Detector:
    """Make a detector.

    Args:
        choice: "mediapipe", "mmpose", "mmpose:MODEL" with a pose model of MMPose, or "auto": MMPose when its
            weights are on this machine, else MediaPipe. Without a name MMPose takes the best that is here.
        device: "auto", "cpu", "cuda" or "mps"; MediaPipe always runs on the CPU.
        threads: CPU threads; 0 lets the backend choose.

    Raises:
        InputError: The choice is none of these, or MMPose has no such model.
        WeightsMissing: MMPose was chosen by name and its weights are not on this machine.
        WorkerNotInstalled: The backend's packages cannot be imported.
    """
    if choice == "auto":
        choice = "mediapipe" if mmpose_weights.missing() else "mmpose"
    if choice == "mediapipe":
        from .mediapipe_detector import MediaPipeDetector

        return MediaPipeDetector(threads=threads)
    model = named_model(choice)
    if choice == "mmpose" or model is not None:
        from .mmpose_detector import MMPoseDetector

        return MMPoseDetector(device=device, threads=threads, pose=model)
    raise InputError(
        f"There is no detector named {choice!r}",
        hint=f"Choose {DETECTOR_WORDS}, or give a file or folder of keypoints.",
    )


def no_detections(skeleton: KeypointSkeleton) -> Detections2D:
    """Return the detections of a frame in which nobody was found."""
    points = len(skeleton.points)
    return Detections2D(
        boxes_xyxy=np.zeros((0, 4), np.float32),
        scores=np.zeros(0, np.float32),
        keypoints_xy=np.zeros((0, points, 2), np.float32),
        keypoint_scores=np.zeros((0, points), np.float32),
        skeleton=skeleton,
    )
