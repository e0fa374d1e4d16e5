# SPDX-License-Identifier: GPL-3.0-or-later
"""Training batches made on the fly from mocap: bodies, cameras, detector noise, the lifter's features.

Everything runs on one device, with one generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..lift.normalise import LIFT_RATE_HZ, normalise
from ..output_file import replaced_when_done
from .bodies import detector_points, give_proportions, mirror, turn_about_vertical
from .cameras import random_views
from .mocap import CLIP_RATE_HZ, MocapClip
from .noise import corrupt
from .poses import crouch, lean, mix_parts, stretch, swing
from .splits import is_held_out, sampling_weight

__all__ = ["Batch", "MocapBank", "cut_clips", "load_bank", "make_batch", "save_bank"]

FOCAL_LOG_SIGMA = 0.12  # users rarely know their focal length


@dataclass(frozen=True, slots=True, eq=False)
class MocapBank:
    """Clips end to end on one device, at ``CLIP_RATE_HZ``: N frames in all, C clips."""

    names: tuple[str, ...]
    starts: torch.Tensor
    lengths: torch.Tensor
    joints: torch.Tensor
    segments: torch.Tensor
    contacts: torch.Tensor

    def subset(self, *, held_out: bool) -> MocapBank:
        """Return the clips of the training or of the validation split (the arrays are shared)."""
        chosen = [i for i, name in enumerate(self.names) if is_held_out(name) is held_out]
        return MocapBank(
            tuple(self.names[i] for i in chosen),
            self.starts[chosen],
            self.lengths[chosen],
            self.joints,
            self.segments,
            self.contacts,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One training batch at ``LIFT_RATE_HZ``.

    Attributes:
        features: (B, T, FEATURES).
        joints: (B, T, 25, 3) m, relative to the pelvis, virtual camera axes.
        contacts: (B, T, 4), NaN where unknown.
        up: (B, T, 3) unit, virtual camera axes.
        valid: (B, T) whether the frame's target counts.
        virtual_from_camera: (B, T, 3, 3).
        rays, scores: What the detector reported.
        root: (B, T, 3) m, camera axes.
        exact: (B, T, 28, 2) rays of the detector's points without errors.
    """

    features: torch.Tensor
    joints: torch.Tensor
    contacts: torch.Tensor
    up: torch.Tensor
    valid: torch.Tensor
    virtual_from_camera: torch.Tensor
    rays: torch.Tensor
    scores: torch.Tensor
    root: torch.Tensor
    exact: torch.Tensor


def save_bank(path: Path, clips: list[MocapClip]) -> None:
    """Write clips as one npz, so that parsing happens once."""
    arrays = {
        "names": np.array([clip.name for clip in clips]),
        "lengths": np.array([len(clip.joints) for clip in clips]),
        "joints": np.concatenate([clip.joints for clip in clips]),
        "segments": np.concatenate([clip.segments for clip in clips]),
        "contacts": np.concatenate([clip.contacts for clip in clips]),
    }
    with replaced_when_done(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)


def load_bank(path: Path, device: torch.device) -> MocapBank:
    """Read ``save_bank``'s file."""
    with np.load(path, allow_pickle=False) as data:
        lengths = torch.from_numpy(data["lengths"])
        return MocapBank(
            tuple(str(name) for name in data["names"]),
            (torch.cumsum(lengths, 0) - lengths).to(device),
            lengths.to(device),
            *(torch.from_numpy(data[key]).to(device) for key in ("joints", "segments", "contacts")),
        )


def cut_clips(
    bank: MocapBank,
    clip: torch.Tensor,
    frames: int,
    speed: torch.Tensor,
    generator: torch.Generator,
    *,
    turn_back: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Cut ``frames`` at ``LIFT_RATE_HZ`` from each clip; at its ends a short one turns back or stands."""
    device = bank.joints.device
    step = speed * CLIP_RATE_HZ / LIFT_RATE_HZ
    length = bank.lengths[clip].to(torch.float32)
    slack = length - 1 - step * (frames - 1)
    random = torch.rand(len(clip), generator=generator, device=device)
    start = torch.where(slack > 0, random * slack.clamp_min(0), slack * random)
    position = start[:, None] + step[:, None] * torch.arange(frames, device=device)
    last = (length - 1)[:, None]
    if turn_back:
        position = last - (last - position.remainder(2 * last.clamp_min(1))).abs()
    position = torch.minimum(position.clamp_min(0), last)
    low = torch.minimum(position.long(), (bank.lengths[clip] - 2).clamp_min(0)[:, None])
    part = (position - low)[..., None, None]
    index = low + bank.starts[clip][:, None]
    after = index + (bank.lengths[clip] > 1).long()[:, None]
    joints = bank.joints[index] * (1 - part) + bank.joints[after] * part
    nearest = torch.where(part[..., 0, 0] < 0.5, index, after)
    return joints, bank.segments[nearest], bank.contacts[nearest]


def make_batch(
    bank: MocapBank,
    size: int,
    frames: int,
    generator: torch.Generator,
    *,
    noise: float = 1.0,
    augment: bool = True,
    edge: int = 0,
) -> Batch:
    """Make a batch of ``size`` windows of ``frames`` frames.

    Args:
        bank: Clips, on the generator's device.
        size: B.
        frames: T.
        generator: Random numbers.
        noise: Level of the detector's errors.
        augment: Whether poses, speed and focal length vary (training) or are as recorded. Bodies always
            vary as people do.
        edge: Up to this many frames at either end are repetitions of the first or last, as at the ends of
            a video; 0 for none.
    """
    device = bank.joints.device

    def rand(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    clip = torch.multinomial(
        sampling_weight(bank.names, bank.lengths), size, replacement=True, generator=generator
    )
    speed = torch.exp((rand(size) - 0.5) * 0.7) if augment else torch.ones(size, device=device)
    joints, segments, contacts = cut_clips(bank, clip, frames, speed, generator, turn_back=augment)
    if augment:
        joints, segments, contacts = mirror(joints, segments, contacts, rand(size) < 0.5)
        joints, segments = mix_parts(joints, segments, generator)
        joints, segments = crouch(joints, segments, generator)
        joints = stretch(joints, generator)
        joints, segments, contacts = lean(joints, segments, contacts, generator)
        joints, segments, contacts = swing(joints, segments, contacts, generator)
    joints, segments = turn_about_vertical(joints, segments, rand(size) * 2 * torch.pi)
    joints = give_proportions(joints, generator, tail=augment)
    view = random_views(joints, generator)
    camera_joints = view.points(joints)
    points = view.points(detector_points(joints, segments, generator))
    root = camera_joints[:, :, 0]
    rays, scores = corrupt(points, root[..., 2], view, generator, level=noise)
    if augment:
        rays = rays * torch.exp(
            FOCAL_LOG_SIGMA * torch.randn(size, 1, 1, 1, generator=generator, device=device)
        )
    rays, scores, valid = _repeat_ends(rays, scores, edge, generator)
    features, rotation = normalise(rays, scores)
    relative = torch.einsum("btij,btkj->btki", rotation, camera_joints - root[:, :, None])
    up = torch.einsum("btij,btj->bti", rotation, view.camera_from_world[..., 2])
    exact = points[..., :2] / points[..., 2:].clamp_min(0.2)
    return Batch(features, relative, contacts, up, valid, rotation, rays, scores, root, exact)


def _repeat_ends(
    rays: torch.Tensor, scores: torch.Tensor, edge: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    batch, frames = rays.shape[:2]
    index = torch.arange(frames, device=rays.device).expand(batch, -1)
    if edge <= 0:
        return rays, scores, torch.ones_like(index, dtype=torch.bool)
    draw = torch.rand(batch, 4, generator=generator, device=rays.device)
    first = torch.where(draw[:, 0] < 0.25, draw[:, 1] * edge, 0).long()[:, None]
    last = frames - 1 - torch.where(draw[:, 2] < 0.25, draw[:, 3] * edge, 0).long()[:, None]
    source = torch.minimum(torch.maximum(index, first), last)
    rows = torch.arange(batch, device=rays.device)[:, None]
    return rays[rows, source], scores[rows, source], (index >= first) & (index <= last)
