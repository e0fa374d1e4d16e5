# SPDX-License-Identifier: GPL-3.0-or-later
"""Held-out people before cameras of which one thing can be set, for benchmarks/lifter_robustness.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vp3d_core.arrays import Array
from vp3d_core.camera import FULL_FRAME_DIAGONAL_MM
from vp3d_core.lift.normalise import LIFT_RATE_HZ
from vp3d_core.train.bodies import detector_points, give_proportions, turn_about_vertical
from vp3d_core.train.cameras import MIN_DEPTH_M, CameraView, world_to_camera
from vp3d_core.train.dataset import MocapBank, cut_clips
from vp3d_core.train.mocap import CLIP_RATE_HZ
from vp3d_core.train.noise import corrupt
from vp3d_core.train.splits import sampling_weight

__all__ = ["WINDOW_S", "People", "Seen", "Shots", "draw_people", "film"]

WINDOW_S = 8.0
PICTURE_HEIGHT_PX = 720
STATURE_M = 1.75  # with shoes, as training's cameras take it
STAY_M = 0.75  # how far from the middle of their path people go who stay
_ASPECTS = (16 / 9, 4 / 3, 1.0, 9 / 16)
_EVERY = round(CLIP_RATE_HZ / LIFT_RATE_HZ)


@dataclass(frozen=True, eq=False)
class Shots:
    """How people are filmed: (B,) tensors.

    Attributes:
        focal_mm: 35-mm equivalent.
        aspect: Width over height.
        pitch_deg: Positive looks down.
        roll_deg: Of the camera about its axis.
        fill: Share of the picture's height that somebody who stands fills.
        across, down: Where in the picture: shares of the room that is left beside them, -1 to 1.
    """

    focal_mm: torch.Tensor
    aspect: torch.Tensor
    pitch_deg: torch.Tensor
    roll_deg: torch.Tensor
    fill: torch.Tensor
    across: torch.Tensor
    down: torch.Tensor

    @property
    def half_size(self) -> torch.Tensor:
        """(B, 2) half of the picture's width and height over the focal length."""
        height_mm = FULL_FRAME_DIAGONAL_MM / (1 + self.aspect**2).sqrt()
        return torch.stack([height_mm * self.aspect, height_mm], dim=-1) / 2 / self.focal_mm[:, None]

    def pixels(self, b: int) -> tuple[float, tuple[int, int]]:
        """Return the focal length in px and the picture's (width, height) of one of them."""
        focal_px = PICTURE_HEIGHT_PX / 2 / float(self.half_size[b, 1])
        return focal_px, (round(PICTURE_HEIGHT_PX * float(self.aspect[b])), PICTURE_HEIGHT_PX)


@dataclass(frozen=True, eq=False)
class People:
    """Windows at ``CLIP_RATE_HZ``.

    Attributes:
        joints: (B, T, 25, 3) m, world.
        points: (B, T, 28, 3) m, world, where a detector sees them.
        shots: Their cameras.
    """

    joints: torch.Tensor
    points: torch.Tensor
    shots: Shots


@dataclass(frozen=True, eq=False)
class Seen:
    """What a detector and the truth say of windows of T frames.

    Attributes:
        rays: (B, T, 28, 2) image-plane coordinates, with errors.
        scores: (B, T, 28), 0 where missing.
        joints: (B, T, 25, 3) m, camera axes, relative to the pelvis.
    """

    rays: Array
    scores: Array
    joints: Array


def draw_people(bank: MocapBank, windows: int, *, seed: int, stay: bool) -> People:
    """Draw windows from a bank, a body and a camera for each.

    Args:
        bank: Clips.
        windows: B.
        seed: Of everything.
        stay: Whether to take only people who stay about where they are.
    """
    generator = torch.Generator().manual_seed(seed)
    weight = sampling_weight(bank.names, bank.lengths)
    frames, half_speed = round(WINDOW_S * CLIP_RATE_HZ), torch.full((1,), LIFT_RATE_HZ / CLIP_RATE_HZ)
    drawn: list[tuple[torch.Tensor, torch.Tensor]] = []
    for _ in range(100 * windows):
        if len(drawn) == windows:
            break
        clip = torch.multinomial(weight, 1, generator=generator)
        # Every frame of the clip.
        joints, segments, _ = cut_clips(bank, clip, frames, half_speed, generator, turn_back=False)
        joints, segments = turn_about_vertical(
            joints, segments, torch.rand(1, generator=generator) * 2 * torch.pi
        )
        joints = give_proportions(joints, generator, tail=False)
        if not stay or float(_spread(joints)) < STAY_M:
            drawn.append((joints, detector_points(joints, segments, generator)))
    joints, points = (torch.cat(parts) for parts in zip(*drawn, strict=True))
    return People(joints, points, _draw_shots(len(joints), generator))


def _draw_shots(count: int, generator: torch.Generator) -> Shots:
    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    def normal(sd: float) -> torch.Tensor:
        return sd * torch.randn(count, generator=generator)

    aspect = torch.tensor(_ASPECTS)[torch.randint(len(_ASPECTS), (count,), generator=generator)]
    return Shots(
        focal_mm=uniform(float(np.log(24.0)), float(np.log(70.0))).exp(),
        aspect=aspect,
        pitch_deg=(7.0 + normal(18.0)).clamp(-35.0, 60.0),
        roll_deg=normal(3.0),
        fill=uniform(0.3, 0.8),
        across=uniform(-0.7, 0.7),
        down=uniform(-0.7, 0.7),
    )


def _spread(joints: torch.Tensor) -> torch.Tensor:
    """Return (B,) how far the pelvis goes from the middle of its path, m."""
    root = joints[:, :, 0]
    return (root - root.mean(1, keepdim=True)).norm(dim=-1).amax(1)


def _view(people: People, shots: Shots) -> CameraView:
    """Return still cameras that look past the middle of the people's paths."""
    half = shots.half_size
    distance = STATURE_M / (2 * half[:, 1] * shots.fill)
    distance = torch.maximum(distance, 0.6 * _spread(people.joints) + 1.5)
    height = people.joints[..., 2]
    middle = people.joints[:, :, 0].mean(1)
    middle[:, 2] = (height.amin(2) + height.amax(2)).mean(1) / 2
    room = (1 - shots.fill).clamp_min(0.0)
    aside = torch.stack([shots.across * room * half[:, 0], shots.down * room * half[:, 1]], dim=-1)
    place = torch.cat([aside, torch.ones_like(aside[:, :1])], dim=-1) * distance[:, None]
    rotation = world_to_camera(
        torch.zeros_like(distance), shots.pitch_deg, shots.roll_deg
    )  # people face anywhere
    translation = place - torch.einsum("bij,bj->bi", rotation, middle)
    nearest = (torch.einsum("bj,btkj->btk", rotation[:, 2], people.joints)).amin((1, 2)) + translation[:, 2]
    translation[:, 2] += (MIN_DEPTH_M - nearest).clamp_min(0.0)
    frames = people.joints.shape[1]
    return CameraView(
        rotation[:, None].expand(-1, frames, -1, -1), translation[:, None].expand(-1, frames, -1), half
    )


def film(people: People, shots: Shots, *, rate_hz: int, generator: torch.Generator) -> Seen:
    """Film people at a frame rate; a frame has the errors of the nearest one at ``LIFT_RATE_HZ``."""
    view = _view(people, shots)
    joints, points = view.points(people.joints), view.points(people.points)
    slow = points[:, ::_EVERY]
    slow_view = CameraView(view.camera_from_world[:, ::_EVERY], view.translation[:, ::_EVERY], view.half_size)
    noisy, scores = corrupt(slow, joints[:, ::_EVERY, 0, 2], slow_view, generator)
    error = noisy - _project(slow)
    times_s = np.arange(round(WINDOW_S * rate_hz)) / rate_hz
    nearest = torch.from_numpy(np.minimum(np.round(times_s * LIFT_RATE_HZ), slow.shape[1] - 1).astype(int))
    rays = _project(_at(points, times_s)) + error[:, nearest]
    joints = _at(joints, times_s)
    relative = joints - joints[:, :, :1]
    return Seen(rays.double().numpy(), scores[:, nearest].double().numpy(), relative.double().numpy())


def _project(points: torch.Tensor) -> torch.Tensor:
    return points[..., :2] / points[..., 2:].clamp_min(0.2)


def _at(values: torch.Tensor, times_s: Array) -> torch.Tensor:
    """Interpolate (B, T, K, C) at ``CLIP_RATE_HZ`` linearly at some times."""
    position = torch.from_numpy(times_s * CLIP_RATE_HZ)
    low = position.long().clamp_max(values.shape[1] - 1)
    high = (low + 1).clamp_max(values.shape[1] - 1)
    part = (position - low).to(values.dtype)[:, None, None]
    return values[:, low] * (1 - part) + values[:, high] * part
