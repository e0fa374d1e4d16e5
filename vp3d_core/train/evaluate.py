# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure a lifter on held-out mocap, through the same ``Lifter.lift`` that a capture uses."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from ..arrays import Array
from ..camera import Camera
from ..keypoints import Keypoints2D
from ..lift.lifter import Lifter
from ..lift.normalise import LIFT_RATE_HZ
from ..pose import Pose3D
from ..skeletons import JOINTS, SLOTS
from .dataset import Batch, MocapBank, make_batch
from .metrics import jitter, mpjpe, mpjve, n_mpjpe, p_mpjpe

__all__ = ["Scores", "evaluate_lifter"]

WINDOW_FRAMES = 240  # 8 s
H36M_JOINTS = 17  # the first of JOINTS


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over windows. Lengths in mm, the pelvis (always zero) not counted.

    Attributes:
        mpjpe, p_mpjpe, n_mpjpe: mm, all 25 joints.
        mpjpe_17: mm, the 17 joints of Human3.6M only.
        mpjve: mm/s.
        jitter_ratio: Third differences, predicted over true.
        bone_spread: Standard deviation over mean of a bone's length within a window, mean over bones.
        up_error_deg: Angle between predicted and true vertical.
        contact_f1: Of contacts at probability 0.5, where the floor is flat.
        per_joint: MPJPE of each joint, mm.
        windows: How many.
    """

    mpjpe: float
    mpjpe_17: float
    p_mpjpe: float
    n_mpjpe: float
    mpjve: float
    jitter_ratio: float
    bone_spread: float
    up_error_deg: float
    contact_f1: float
    windows: int
    per_joint: dict[str, float] = field(default_factory=dict)


def evaluate_lifter(
    lifter: Lifter, bank: MocapBank, *, noise: float, windows: int = 200, seed: int = 1
) -> Scores:
    """Lift windows of 8 s from a bank's clips, each seen by its own random camera.

    Args:
        lifter: A trained lifter.
        bank: Clips that it was not trained on.
        noise: Level of the detector's errors; 0 for exact 2D.
        windows: How many.
        seed: Of the cameras and errors.
    """
    generator = torch.Generator(bank.joints.device).manual_seed(seed)
    rows: list[dict[str, float]] = []
    per_joint: list[Array] = []
    counts = np.zeros(3)
    while len(rows) < windows:
        batch = make_batch(bank, 8, WINDOW_FRAMES, generator, noise=noise, augment=False)
        for b in range(8):
            pose = _lift(lifter, batch, b)
            camera_from_virtual = np.swapaxes(batch.virtual_from_camera[b].cpu().numpy(), -1, -2)
            target = np.einsum("tij,tkj->tki", camera_from_virtual, batch.joints[b].cpu().numpy())
            up = np.einsum("tij,tj->ti", camera_from_virtual, batch.up[b].cpu().numpy())
            rows.append(_scores(pose, target, up))
            per_joint.append(np.linalg.norm(pose.joints - target, axis=-1).mean(0))
            counts += _contact_counts(pose.contacts, batch.contacts[b].cpu().numpy())
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    joint_means = 1000 * np.mean(per_joint, axis=0)
    return Scores(
        **means,
        contact_f1=float(2 * counts[0] / max(2 * counts[0] + counts[1] + counts[2], 1)),
        windows=len(rows),
        per_joint={
            name: round(float(value), 1) for name, value in zip(JOINTS.points, joint_means, strict=True)
        },
    )


def _lift(lifter: Lifter, batch: Batch, b: int) -> Pose3D:
    scores = batch.scores[b].cpu().numpy().astype(np.float64)
    xy = np.where(scores[..., None] > 0, batch.rays[b].cpu().numpy(), np.nan)
    times = np.arange(len(xy)) / LIFT_RATE_HZ
    # A camera of focal length 1 px: pixels are rays.
    return lifter.lift(Keypoints2D(xy, scores, times, (1, 1), SLOTS), Camera(np.eye(3)))


def _scores(pose: Pose3D, target: Array, up: Array) -> dict[str, float]:
    predicted, true = pose.joints[:, 1:], target[:, 1:]
    first, second = (list(index) for index in zip(*JOINTS.edge_indices, strict=True))
    lengths = np.linalg.norm(pose.joints[:, first] - pose.joints[:, second], axis=-1)
    cosine = np.clip((pose.up * up).sum(-1), -1.0, 1.0)
    return {
        "mpjpe": 1000 * mpjpe(predicted, true),
        "mpjpe_17": 1000 * mpjpe(predicted[:, : H36M_JOINTS - 1], true[:, : H36M_JOINTS - 1]),
        "p_mpjpe": 1000 * p_mpjpe(pose.joints, target),
        "n_mpjpe": 1000 * n_mpjpe(predicted, true),
        "mpjve": 1000 * mpjve(predicted, true, rate_hz=LIFT_RATE_HZ),
        "jitter_ratio": jitter(predicted, rate_hz=LIFT_RATE_HZ)
        / max(jitter(true, rate_hz=LIFT_RATE_HZ), 1.0),
        "bone_spread": float((lengths.std(0) / lengths.mean(0)).mean()),
        "up_error_deg": float(np.degrees(np.arccos(cosine)).mean()),
    }


def _contact_counts(predicted: Array, true: Array) -> Array:
    known = np.isfinite(true)
    p, t = predicted[known] > 0.5, true[known] > 0.5
    return np.array([(p & t).sum(), (p & ~t).sum(), (~p & t).sum()], dtype=np.float64)
