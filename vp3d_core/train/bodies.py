# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies for training: other proportions, mirrored, and the points that a detector would see on them.

Tensors: joints (B, T, 25, 3) m world z up, segments (B, T, 5, 3, 3) with columns forward, left, up.
"""

from __future__ import annotations

import torch

from ..body_proportions import BONES
from ..pose import CANONICAL_HEIGHT_M
from ..skeletons import JOINTS, SLOTS
from .mocap_joints import LEG_FRACTION, SEGMENTS

__all__ = ["detector_points", "give_proportions", "mirror", "turn_about_vertical"]

TRUNK_FRACTION = 0.288  # hip to shoulder, Drillis & Contini 1966
TAIL_SHARE, TAIL_FACTOR = 0.15, 2.0  # of bodies that vary more than adults do: children, drawn proportions
_GROUPS = tuple(dict.fromkeys(bone.group for bone in BONES.values()))
_ORDER = tuple(
    JOINTS.index(name)
    for name in (
        "spine", "thorax", "nose", "head_top", "left_ear", "right_ear",
        *(f"{s}_{p}" for s in ("left", "right")
          for p in ("hip", "knee", "ankle", "toe", "heel", "shoulder", "elbow", "wrist", "hand")),
    )
)  # fmt: skip

# Where a detector puts each keypoint: joint, segment, mean offset (forward, left, up) in metres of a 1.70 m
# body. Offsets of left points are mirrored for right ones. COCO marks hips and shoulders near the surface.
# Half-way to where BlazePose was measured to put its points on rendered people, since detectors differ.
_POINTS: dict[str, tuple[str, str, tuple[float, float, float]]] = {
    "nose": ("nose", "head", (-0.012, 0.0, 0.006)),
    "head_top": ("head_top", "head", (0.0, 0.0, 0.0)),
    "neck": ("thorax", "chest", (0.01, 0.0, 0.0)),
    "mid_hip": ("pelvis", "pelvis", (0.0, 0.0, 0.02)),
    "left_eye": ("nose", "head", (-0.042, 0.026, 0.037)),
    "left_ear": ("left_ear", "head", (0.0, 0.0, 0.0)),
    "left_shoulder": ("left_shoulder", "chest", (0.0, -0.010, 0.018)),
    "left_elbow": ("left_elbow", "chest", (0.005, -0.005, 0.006)),
    "left_wrist": ("left_wrist", "chest", (0.0, 0.0, 0.0)),
    "left_hip": ("left_hip", "pelvis", (0.03, -0.010, 0.0)),
    "left_knee": ("left_knee", "pelvis", (0.0, 0.0, 0.0)),
    "left_ankle": ("left_ankle", "left_foot", (0.005, 0.0, 0.012)),
    "left_big_toe": ("left_toe", "left_foot", (0.01, 0.0, 0.004)),
    "left_small_toe": ("left_toe", "left_foot", (-0.03, 0.06, 0.0)),
    "left_heel": ("left_heel", "left_foot", (0.007, 0.0, 0.004)),
    "left_hand": ("left_hand", "chest", (0.0, 0.0, 0.0)),
}
# Spread of a detector's points about those means, between subjects and between detectors, m.
POINT_SIGMA_M = 0.018
POINT_SIDE_SIGMA_M = 0.005


def _tables() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    joints, segments, offsets, signs = [], [], [], []
    for slot in SLOTS.points:
        right = slot.startswith("right_")
        joint, segment, offset = _POINTS[slot.replace("right_", "left_")]
        if right:
            joint, segment = joint.replace("left_", "right_"), segment.replace("left_", "right_")
        joints.append(JOINTS.index(joint))
        segments.append(SEGMENTS.index(segment))
        offsets.append(offset)
        signs.append(-1.0 if right else 1.0)
    return torch.tensor(joints), torch.tensor(segments), torch.tensor(offsets), torch.tensor(signs)


def mirror(
    joints: torch.Tensor, segments: torch.Tensor, contacts: torch.Tensor, flip: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mirror those clips of a batch for which ``flip`` (B,) holds, left and right exchanged."""
    sign = joints.new_tensor([-1.0, 1.0, 1.0])
    other_joints = joints[:, :, list(JOINTS.mirror)] * sign
    order = [0, 1, 2, 4, 3]
    columns = joints.new_tensor([1.0, -1.0, 1.0])
    other_segments = segments[:, :, order] * sign[:, None] * columns
    chosen = flip[:, None, None]
    return (
        torch.where(chosen[..., None], other_joints, joints),
        torch.where(chosen[..., None, None], other_segments, segments),
        torch.where(chosen, contacts[..., [2, 3, 0, 1]], contacts),
    )


def turn_about_vertical(
    joints: torch.Tensor, segments: torch.Tensor, angle_rad: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn each clip by its angle (B,) about the world's z."""
    cos, sin, zero = angle_rad.cos(), angle_rad.sin(), torch.zeros_like(angle_rad)
    turn = torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, zero + 1], dim=-1).reshape(-1, 3, 3)
    return torch.einsum("bij,btkj->btki", turn, joints), torch.einsum("bij,btkjl->btkil", turn, segments)


def give_proportions(
    joints: torch.Tensor, generator: torch.Generator, *, spread: float = 1.0, tail: bool = True
) -> torch.Tensor:
    """Give each clip a person's bone lengths, both sides alike, and a stature of 1.70 m.

    The recorded lengths are dropped: rigs disagree by tens of per cent about where wrist, shoulder and neck
    are, people only by a few, and how deep a limb reaches follows from how long it is.

    Args:
        joints: (B, T, 25, 3).
        generator: Random numbers, on the joints' device.
        spread: Factor on the spreads of ``body_proportions.BONES``; 0 gives the mean body.
        tail: Whether some bodies vary twice as much.
    """
    batch, device = len(joints), joints.device
    logs = torch.randn(batch, len(_GROUPS), generator=generator, device=device) * spread
    if tail:
        wide = torch.rand(batch, 1, generator=generator, device=device) < TAIL_SHARE
        logs = torch.where(wide, TAIL_FACTOR * logs, logs)
    result = [joints[:, :, j] for j in range(joints.shape[2])]
    for j in _ORDER:
        bone = BONES[JOINTS.points[j]]
        p = JOINTS.index(bone.parent)
        recorded = _mean_length(joints, j, p)
        wanted = CANONICAL_HEIGHT_M * bone.share * (logs[:, _GROUPS.index(bone.group)] * bone.spread).exp()
        factor = wanted / recorded.clamp_min(0.01)
        result[j] = result[p] + factor[:, None, None] * (joints[:, :, j] - joints[:, :, p])
    scaled = torch.stack(result, dim=2)
    legs_before, legs_after = _leg_length(joints), _leg_length(scaled)
    factor = CANONICAL_HEIGHT_M / _stature(scaled)
    # The root's path grows with the legs, so that the feet still meet the floor.
    root = joints[:, :, :1]
    moved = scaled - root + root * (legs_after / legs_before)[:, None, None, None]
    return moved * factor[:, None, None, None]


def _mean_length(joints: torch.Tensor, a: int, b: int) -> torch.Tensor:
    return (joints[:, :, a] - joints[:, :, b]).norm(dim=-1).mean(1)


def _lengths(joints: torch.Tensor, a: str, b: str) -> torch.Tensor:
    return _mean_length(joints, JOINTS.index(a), JOINTS.index(b))


def _leg_length(joints: torch.Tensor) -> torch.Tensor:
    sides = [
        _lengths(joints, f"{s}_hip", f"{s}_knee") + _lengths(joints, f"{s}_knee", f"{s}_ankle")
        for s in ("left", "right")
    ]
    return (sides[0] + sides[1]) / 2


def _stature(joints: torch.Tensor) -> torch.Tensor:
    """Stature (B,) from legs and trunk, as ``mocap.py`` takes it."""
    shoulders = (
        joints[:, :, JOINTS.index("left_shoulder")] + joints[:, :, JOINTS.index("right_shoulder")]
    ) / 2
    trunk = (shoulders - joints[:, :, 0]).norm(dim=-1).mean(1)
    return (_leg_length(joints) + trunk) / (LEG_FRACTION + TRUNK_FRACTION)


def detector_points(joints: torch.Tensor, segments: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return the 28 slots' points (B, T, 28, 3) as a detector defines them, with a subject's own offsets."""
    anchor, segment, offsets, signs = (table.to(joints.device) for table in _tables())
    batch, device = len(joints), joints.device
    count = len(SLOTS.points)
    shared = torch.randn(batch, count, 3, generator=generator, device=device) * POINT_SIGMA_M
    mirrored = shared[:, list(SLOTS.mirror)]
    left_first = signs[None, :, None] > 0
    shared = torch.where(left_first, shared, mirrored)
    own = torch.randn(batch, count, 3, generator=generator, device=device) * POINT_SIDE_SIGMA_M
    local = (offsets + shared) * torch.stack(
        [torch.ones_like(signs), signs, torch.ones_like(signs)], dim=-1
    ) + own
    return joints[:, :, anchor] + torch.einsum("btkij,bkj->btki", segments[:, :, segment], local)
