# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes of a few seconds of training motions, seen from everywhere. No held-out trial is among them."""

from __future__ import annotations

import numpy as np
import torch

from tools.render_person.scene import CameraDescription, MotionPart, PersonDescription, SceneDescription
from vp3d_core.train.dataset import MocapBank
from vp3d_core.train.mocap import CLIP_RATE_HZ
from vp3d_core.train.splits import sampling_weight

__all__ = ["random_scenes"]

HEIGHTS_M = {"man": 1.78, "woman": 1.65, "worker": 1.84, "dark_man": 1.72}
LONGEST_S = 4.0
FRAME_RATE_HZ = 20


def random_scenes(training: MocapBank, count: int, *, seed: int) -> list[SceneDescription]:
    """Draw scenes; the names of the bank's clips begin with the motion folder's own name.

    Args:
        training: The bank's training half.
        count: How many.
        seed: Of the draw; more scenes of one seed begin with the fewer.
    """
    weights = sampling_weight(training.names, training.lengths).to(torch.float64).cpu().numpy()
    rng = np.random.default_rng(seed)
    return [_scene(f"errors_{i:03d}", training, weights / weights.sum(), rng) for i in range(count)]


def _scene(
    name: str,
    training: MocapBank,
    weights: np.ndarray[tuple[int], np.dtype[np.float64]],
    rng: np.random.Generator,
) -> SceneDescription:
    clip = int(rng.choice(len(weights), p=weights))
    duration_s = float(training.lengths[clip]) / CLIP_RATE_HZ
    start_s = float(rng.uniform(0.0, max(0.0, duration_s - LONGEST_S)))
    motion = MotionPart(
        training.names[clip].partition("/")[2],
        round(start_s, 2),
        round(min(duration_s, start_s + LONGEST_S), 2),
        speed=round(float(np.exp(rng.uniform(-0.2, 0.2))), 2),
    )
    wardrobe = list(HEIGHTS_M)[rng.integers(len(HEIGHTS_M))]
    height_m = HEIGHTS_M[wardrobe] * float(np.exp(rng.normal(0.0, 0.03)))
    rig = "mixamo" if rng.random() < 0.5 else "game_engine"
    return SceneDescription(
        name,
        (PersonDescription((motion,), wardrobe, rig, height_m=round(height_m, 2)),),  # type: ignore[arg-type]
        _camera(rng),
        FRAME_RATE_HZ,
        image_size=(640, 360) if rng.random() < 0.6 else (360, 640),
        place="room" if rng.random() < 0.5 else "yard",
    )


def _camera(rng: np.random.Generator) -> CameraDescription:
    """Most at breast height and as near as the picture holds the person; some near the floor, some above."""
    kind = rng.random()
    if kind < 0.55:
        height_m = rng.normal(1.4, 0.25)
    else:
        height_m = rng.uniform(0.3, 1.0) if kind < 0.7 else rng.uniform(2.0, 4.0)
    distance_m = None if rng.random() < 0.75 else round(float(rng.uniform(5.0, 9.0)), 1)
    return CameraDescription(
        focal_mm=round(float(rng.uniform(24.0, 45.0)), 1),
        distance_m=distance_m,
        azimuth_deg=round(float(rng.uniform(0.0, 360.0))),
        height_m=round(float(height_m), 2),
    )
