# SPDX-License-Identifier: GPL-3.0-or-later
"""What a detector does to keypoints: bias, drift, jitter, outliers, swaps, occlusion and missing slots.

All sizes are fractions of the person's height in the picture. Source: the levels and the mixture of the noise
models of MotionBERT (Zhu et al. 2023) and WHAM (Shin et al. 2024), set so that BlazePose's errors against the
joints of rendered people (median 1.5 %, 90th percentile 3 %) and markers on real ones (2 %) lie inside.
"""

from __future__ import annotations

import torch

from ..skeletons import COCO_17, HALPE_26, SLOTS
from .cameras import CameraView, smooth_noise

__all__ = ["corrupt"]

BIAS = 0.005
DRIFT = 0.006
JITTER = 0.003
LIMB_DRIFT = 0.005  # shared by a limb's keypoints: a hidden arm or leg is misplaced as a whole
OUTLIER = 0.04
PEAK = 0.10
LEVEL_LOG_SIGMA = 0.5  # between clips: a studio, a dark street
DRIFT_STEP_FRAMES = 9  # at 30 Hz
HIDDEN_FACTOR = 1.8  # a limb behind the trunk is placed worse
_EXTREMITIES = ("wrist", "hand", "ankle", "toe", "heel", "elbow")
_BLAZEPOSE_LACKS = ("head_top", "neck", "mid_hip", "left_small_toe", "right_small_toe")
_LIMBS = (
    ("left_shoulder", "left_elbow", "left_wrist", "left_hand"),
    ("right_shoulder", "right_elbow", "right_wrist", "right_hand"),
    ("left_hip", "left_knee", "left_ankle", "left_big_toe", "left_small_toe", "left_heel"),
    ("right_hip", "right_knee", "right_ankle", "right_big_toe", "right_small_toe", "right_heel"),
    ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top"),
)
_HALVES = (
    _LIMBS[2] + _LIMBS[3],
    _LIMBS[0] + _LIMBS[1] + _LIMBS[4],
    tuple(name for name in SLOTS.points if name.startswith("left_")),
    tuple(name for name in SLOTS.points if name.startswith("right_")),
)
_PAIRS = ("shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "big_toe", "small_toe", "heel")


def _mask(names: tuple[str, ...], device: torch.device) -> torch.Tensor:
    return torch.tensor([name in names for name in SLOTS.points], device=device)


def corrupt(
    points_camera: torch.Tensor,
    pelvis_depth: torch.Tensor,
    view: CameraView,
    generator: torch.Generator,
    *,
    level: float = 1.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Project points and make of them what a detector would report.

    Args:
        points_camera: (B, T, 28, 3) m, camera axes.
        pelvis_depth: (B, T) m.
        view: The cameras, for the edges of the picture.
        generator: Random numbers, on the points' device.
        level: Factor on all errors; 0 gives exact projections that only leave the picture.

    Returns:
        rays (B, T, 28, 2) and scores (B, T, 28); score 0 where missing.
    """  # fmt: skip
    rays = points_camera[..., :2] / points_camera[..., 2:].clamp_min(0.2)
    inside = (rays.abs() < view.half_size[:, None, None]).all(-1)
    if level <= 0:
        keep = inside | ~_clipped(rays.shape[0], generator)[:, None, None]
        return rays, keep.to(rays.dtype)
    size = (rays.amax(2) - rays.amin(2)).amax(-1).median(1).values.clamp(0.02, 3.0)[:, None, None]
    error, wrong = _errors(points_camera, pelvis_depth, level, generator)
    rays = rays + error * size[..., None]
    rays = _swap_sides(rays, generator)
    scores = _scores(error.norm(dim=-1), wrong, generator)
    missing = _missing(rays.shape[0], rays.shape[1], generator)
    missing |= ~inside & _clipped(rays.shape[0], generator)[:, None, None]
    return rays, torch.where(missing, 0.0, scores)


def _clipped(batch: int, generator: torch.Generator) -> torch.Tensor:
    """Whether a clip's detector drops what lies outside the picture (the others guess it)."""
    return torch.rand(batch, generator=generator, device=generator.device) < 0.85


def _errors(
    points_camera: torch.Tensor, pelvis_depth: torch.Tensor, level: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Errors (B, T, 28, 2) in person heights, and where they are outliers (B, T, 28)."""
    batch, frames, count = points_camera.shape[:3]
    device = generator.device

    def rand(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    def randn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, device=device)

    strength = level * (LEVEL_LOG_SIGMA * randn(batch, 1, 1, 1)).exp()
    extreme = torch.tensor(
        [any(part in name for part in _EXTREMITIES) for name in SLOTS.points], device=device
    )
    hidden = torch.sigmoid((points_camera[..., 2] - pelvis_depth[..., None] - 0.10) / 0.04)
    factor = torch.where(extreme, 1.4, 1.0) * (1.0 + (HIDDEN_FACTOR - 1.0) * hidden)
    drift = smooth_noise(batch, frames, count * 2, DRIFT_STEP_FRAMES, generator).unflatten(-1, (count, 2))
    limb = _limb_of_slot(device)
    shared = smooth_noise(batch, frames, len(_LIMBS) * 2, 2 * DRIFT_STEP_FRAMES, generator)
    shared = shared.unflatten(-1, (len(_LIMBS), 2))[:, :, limb] * (1.0 + hidden[..., None])
    error = (
        LIMB_DRIFT * shared
        + BIAS * randn(batch, 1, count, 2)
        + DRIFT * drift
        + JITTER * (2 * rand(batch, 1, 1, 1)) * randn(batch, frames, count, 2)
    )
    # Runs of a quarter of a second in which a keypoint sits somewhere else.
    run = (smooth_noise(batch, frames, count, DRIFT_STEP_FRAMES, generator) > 2.0).to(error.dtype)
    run = run * (1.0 + hidden) * (rand(batch, 1, count) < 0.6)
    away = smooth_noise(batch, frames, count * 2, DRIFT_STEP_FRAMES, generator).unflatten(-1, (count, 2))
    peak = (rand(batch, frames, count) < 0.004).to(error.dtype)
    error = (
        error * factor[..., None]
        + run[..., None] * OUTLIER * away
        + peak[..., None] * PEAK * randn(batch, frames, count, 2)
    )
    wrong = torch.maximum(run.clamp(0, 1), peak)
    return error * strength, wrong


def _limb_of_slot(device: torch.device) -> torch.Tensor:
    """Index into ``_LIMBS`` for each slot; the trunk's other points go with the head."""
    limbs = [
        next((i for i, limb in enumerate(_LIMBS) if name in limb), len(_LIMBS) - 1) for name in SLOTS.points
    ]
    return torch.tensor(limbs, device=device)


def _swap_sides(rays: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Exchange left and right legs or arms for bursts of a tenth to half a second."""
    batch, frames = rays.shape[:2]
    for parts, threshold in ((_PAIRS[4:], 2.1), (_PAIRS[:4], 2.4)):
        names = tuple(f"{side}_{part}" for side in ("left", "right") for part in parts)
        burst = smooth_noise(batch, frames, 1, 8, generator) > threshold
        chosen = burst & _mask(names, rays.device)
        rays = torch.where(chosen[..., None], rays[:, :, list(SLOTS.mirror)], rays)
    return rays


def _scores(distance: torch.Tensor, wrong: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Scores that fall with the error, on a scale that differs from detector to detector."""
    batch = len(distance)

    def rand(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator, device=generator.device)

    base = 0.03 / (0.03 + distance)
    noisy = base + 0.12 * torch.randn(distance.shape, generator=generator, device=generator.device)
    scores = noisy.clamp(0.05, 1.0) ** (0.3 + 1.7 * rand(batch, 1, 1))
    unaware = rand(batch, 1, 1) < 0.2
    return torch.where(unaware, 0.9 + 0.1 * rand(batch, 1, 1), scores).clamp(0.02, 1.0)


def _missing(batch: int, frames: int, generator: torch.Generator) -> torch.Tensor:
    """Slots (B, T, 28) that the detector does not have, or does not see for a while."""
    device = generator.device

    def rand(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    kind = rand(batch, 1, 1)
    lacks_coco = ~_mask(COCO_17.points, device)
    lacks_halpe = ~_mask(HALPE_26.points, device)
    lacks_blaze = _mask(_BLAZEPOSE_LACKS, device)
    missing = torch.where(kind < 0.2, lacks_coco, torch.where(kind < 0.5, lacks_halpe, lacks_blaze))
    missing = (missing & (kind < 0.9)).expand(batch, frames, -1).clone()
    gaps = smooth_noise(batch, frames, len(_LIMBS), 30, generator)
    for i, limb in enumerate(_LIMBS):
        order = [SLOTS.index(name) for name in limb]
        start = (rand(batch, 1, 1) * len(limb)).long()
        beyond = torch.arange(len(limb), device=device) >= start
        missing[:, :, order] |= (gaps[:, :, i : i + 1] > 1.9) & beyond
    # Half of the person behind something or out of the picture for about a second: one of the halves, or any.
    hidden = smooth_noise(batch, frames, len(_HALVES) + 1, 20, generator) > 2.0
    for i, half in enumerate(_HALVES):
        missing |= hidden[:, :, i : i + 1] & _mask(half, device)
    missing |= hidden[:, :, -1:] & (rand(batch, 1, missing.shape[-1]) < 0.5)
    nobody = smooth_noise(batch, frames, 1, 12, generator) > 2.7
    single = rand(batch, frames, missing.shape[-1]) < 0.01
    return missing | nobody | single
