# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a detector's keypoints of rendered people lie from their true joints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vp3d_core.accuracy.ground_truth import GroundTruth, load_truth
from vp3d_core.capture.progress import Progress
from vp3d_core.detect.detector import Detector
from vp3d_core.errors import NoPersonFound
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.pipeline import CAPTURE_STAGES, capture_people
from vp3d_core.settings import CaptureSettings
from vp3d_core.skeletons import JOINTS, SLOTS
from vp3d_core.train.detector_errors import ERROR_SLOTS, BlazePoseErrors, looking_at
from vp3d_core.train.mocap import LEG_FRACTION

__all__ = ["Measured", "both_ways", "measure"]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What was measured in N frames.

    Attributes:
        poses: (N, 75) inputs of ``BlazePoseErrors``.
        errors: (N, 21, 2) in heights, right and down.
    """

    poses: torch.Tensor
    errors: torch.Tensor


def measure(video: Path, detector: Detector) -> Measured | None:
    """Detect in a clip with ``NAME_truth.npz`` beside it; None when nobody was found."""
    truth = load_truth(video.with_name(f"{video.stem}_truth.npz"))
    settings = CaptureSettings(person=("largest",), focal_px=float(truth.camera.intrinsics[0, 0]))
    try:
        found = capture_people(video, settings, Progress(None, CAPTURE_STAGES), detector=detector)
    except NoPersonFound:
        return None
    return compare(max((one.keypoints for one in found.people), key=lambda k: len(k.times_s)), truth)


def compare(keypoints: Keypoints2D, truth: GroundTruth) -> Measured:
    """Compare cleaned keypoints (T, 28) with the truth; frames in which all of ``ERROR_SLOTS`` are there."""
    slots = [SLOTS.index(slot) for slot in ERROR_SLOTS]
    own = [JOINTS.index(joint) for joint in ERROR_SLOTS.values()]
    last = len(truth.joints_world) - 1
    rows = np.clip(np.round(keypoints.times_s * truth.frame_rate_hz).astype(int), 0, last)
    complete = (keypoints.scores[:, slots] > 0).all(axis=1)
    rows, xy = rows[complete], keypoints.xy[complete][:, slots]
    joints = torch.from_numpy(truth.camera.camera_points(truth.joints_world)[rows]).float()
    up = torch.from_numpy(truth.camera.world_from_camera[rows, 2, :3]).float()
    turn = looking_at(joints[:, 0])
    height_m = _legs_m(joints) / LEG_FRACTION
    seen = _turned_rays(torch.from_numpy(truth.camera.rays(xy)).float(), turn)
    true = _turned_rays(joints[:, own, :2] / joints[:, own, 2:], turn)
    distance = joints[:, 0].norm(dim=-1)[:, None, None]
    poses = BlazePoseErrors.inputs(joints, up, turn, height_m=height_m)
    return Measured(poses, (seen - true) * distance / height_m)


def _turned_rays(rays: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    points = torch.cat([rays, torch.ones_like(rays[..., :1])], dim=-1)
    turned = torch.einsum("tij,tkj->tki", turn, points)
    return turned[..., :2] / turned[..., 2:]


def _legs_m(joints: torch.Tensor) -> float:
    """Return the median length of a leg, m."""
    hip, knee, ankle = (joints[:, JOINTS.index(f"left_{part}")] for part in ("hip", "knee", "ankle"))
    return float(((hip - knee).norm(dim=-1) + (knee - ankle).norm(dim=-1)).median())


def both_ways(measured: Measured) -> Measured:
    """Return the frames, and after them the same mirrored."""
    order = [j - 1 for j in JOINTS.mirror[1:]]
    sign = torch.tensor([-1.0, 1.0, 1.0])
    joints = measured.poses[:, :-3].unflatten(1, (-1, 3))
    mirrored = torch.cat([(joints[:, order] * sign).flatten(1), measured.poses[:, -3:] * sign], dim=1)
    slots = [SLOTS.index(slot) for slot in ERROR_SLOTS]
    other = [slots.index(SLOTS.mirror[slot]) for slot in slots]
    errors = measured.errors[:, other] * sign[:2]
    return Measured(torch.cat([measured.poses, mirrored]), torch.cat([measured.errors, errors]))
