# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols 1, 2, 3 and the velocity error on whole sequences, per action, with and without the trajectory.

Numbers as the paper reports them: joint 0 counted (its error is near zero), the mean over the frames of an
action (whatever its number), then the plain mean over actions; velocity in mm a frame at the data's own rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..arrays import Array
from ..lift.model import TemporalModel
from ..train.metrics import mpjpe, mpjve, n_mpjpe, p_mpjpe
from .chunks import mirror_points
from .datasets import PaperData, View
from .models import PaperModels

__all__ = ["ActionScores", "evaluate_views", "mean_scores", "predict"]


@dataclass(frozen=True, slots=True)
class ActionScores:
    """Errors of one action.

    Attributes:
        frames: Over which the means are taken.
        p1, p2, p3: MPJPE, P-MPJPE, N-MPJPE, mm.
        velocity: MPJVE, mm a frame.
        absolute: MPJPE in camera space with the predicted trajectory, mm; None without a trajectory network.
        trajectory: Mean distance of the root, mm; None likewise.
    """

    frames: int
    p1: float
    p2: float
    p3: float
    velocity: float
    absolute: float | None = None
    trajectory: float | None = None


@torch.no_grad()
def predict(
    model: TemporalModel, keypoints: Array, mirrors: tuple[Sequence[int], Sequence[int]] | None
) -> Array:
    """Lift a whole sequence (N, K, F), its ends repeated for context.

    Args:
        model: In evaluation mode.
        keypoints: Screen units.
        mirrors: Counterparts of keypoints and of joints: the mirrored sequence is lifted too, mirrored
            back, and the mean taken. None: not.

    Returns:
        (N, J, 3) m.
    """
    device = next(model.parameters()).device
    padded = np.pad(keypoints, ((model.frames_before, model.frames_after), (0, 0), (0, 0)), mode="edge")
    batch = torch.from_numpy(padded).to(device)[None]
    if mirrors is None:
        return model(batch)[0].cpu().numpy()
    poses = model(torch.cat([batch, mirror_points(batch, mirrors[0])]))
    return (0.5 * (poses[0] + mirror_points(poses[1], mirrors[1]))).cpu().numpy()


def evaluate_views(
    models: PaperModels,
    data: PaperData,
    views: Sequence[View],
    *,
    mirror: bool = True,
    by_subject: bool = False,
) -> dict[str, ActionScores]:
    """Measure every action.

    Args:
        models: In evaluation mode.
        data: For the layouts.
        views: With labels.
        mirror: Whether mirrored sequences are lifted too.
        by_subject: Whether an action of each subject counts for itself (HumanEva).
    """
    rows: dict[str, list[tuple[int, dict[str, float]]]] = {}
    for view in views:
        action = view.action.partition(" ")[0]
        name = f"{view.subject} {action}" if by_subject else action
        rows.setdefault(name, []).append(
            (len(view.keypoints), _view_scores(models, data, view, mirror=mirror))
        )
    scores: dict[str, ActionScores] = {}
    for name, parts in sorted(rows.items()):
        frames = [count for count, _ in parts]
        means = {
            key: float(np.average([values[key] for _, values in parts], weights=_weights(key, frames)))
            for key in parts[0][1]
        }
        scores[name] = ActionScores(frames=sum(frames), **means)
    return scores


def _weights(key: str, frames: list[int]) -> list[int]:
    """Differences of neighbours are one fewer than frames; a single frame has none."""
    return [max(count - 1, 0) for count in frames] if key == "velocity" and max(frames) > 1 else frames


def _view_scores(models: PaperModels, data: PaperData, view: View, *, mirror: bool) -> dict[str, float]:
    if view.positions is None:
        raise ValueError(f"{view.subject}/{view.action} has no labels")
    mirrors = (data.keypoints.mirror, data.joints.mirror) if mirror else None
    target = view.positions.astype(np.float64)
    root = target[:, :1].copy()
    target[:, 0] = 0.0
    poses = predict(models.pose, view.keypoints, mirrors).astype(np.float64)
    scores = {
        "p1": mpjpe(poses, target),
        "p2": p_mpjpe(poses, target),
        "p3": n_mpjpe(poses, target),
        "velocity": mpjve(poses, target, rate_hz=1.0) if len(poses) > 1 else 0.0,
    }
    if models.trajectory is not None:
        root_mirrors = None if mirrors is None else (mirrors[0], (0,))
        path = predict(models.trajectory, view.keypoints, root_mirrors).astype(np.float64)
        scores |= {"absolute": mpjpe(poses + path, target + root), "trajectory": mpjpe(path, root)}
    return {key: 1000.0 * value for key, value in scores.items()}


def mean_scores(scores: dict[str, ActionScores]) -> ActionScores:
    """Return the plain mean over actions."""
    rows = list(scores.values())

    def mean(key: str) -> float:
        return float(np.mean([getattr(row, key) for row in rows]))

    with_path = all(row.trajectory is not None for row in rows)
    return ActionScores(
        sum(row.frames for row in rows), mean("p1"), mean("p2"), mean("p3"), mean("velocity"),
        absolute=mean("absolute") if with_path else None,
        trajectory=mean("trajectory") if with_path else None,
    )  # fmt: skip
