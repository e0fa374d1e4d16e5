# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses that the mocap lacks: parts of bodies exchanged, knees bent and straight, limbs swung, bodies tilted.

Tensors as in ``bodies.py``. Source: PoseAug's idea (Gong et al., CVPR 2021), with whole movements and slow
turns in place of learnt angles.
"""

from __future__ import annotations

import torch

from ..skeletons import JOINTS
from .cameras import smooth_noise
from .mocap_joints import SEGMENTS

__all__ = ["crouch", "lean", "mix_parts", "stretch", "swing"]

_LEGS = tuple(
    tuple(JOINTS.index(f"{side}_{part}") for part in ("hip", "knee", "ankle")) for side in ("left", "right")
)
_UPPER = tuple(
    JOINTS.index(name)
    for name in JOINTS.points
    if not any(part in name for part in ("pelvis", "hip", "knee", "ankle", "toe", "heel"))
)
_ARMS = {
    side: tuple(JOINTS.index(f"{side}_{part}") for part in ("shoulder", "elbow", "wrist", "hand"))
    for side in ("left", "right")
}
UPPER_SHARE = 0.35  # of sequences that take another's upper body
ARM_SHARE = 0.15  # and, for each arm, another's arm
BEND_SHARE, BEND_SIGMA_DEG = 0.35, 14.0  # of sequences whose trunk is bent; an axis' standard deviation
TILT_SHARE, TILT_SIGMA_DEG = 0.15, 14.0  # of sequences whose whole body is tilted
LIE_SHARE, LIE_FACTOR = 0.25, 4.0  # of the tilted ones, which tilt more
CROUCH_SHARE, CROUCH_DEPTH_M = 0.2, 0.6  # of sequences that crouch, and how far at most
CROUCH_LEAN_RAD_PER_M = 1.6  # of depth at most, forwards
CROUCH_BACK = 0.25  # metres that the pelvis goes back for each that it goes down
CROUCH_STEP_FRAMES = 25  # between depths drawn, at 30 Hz
STRETCH_SHARE, LEAST_STRETCH = 0.25, 0.5  # of sequences that straighten their knees; of what is left at least
STRETCHED_LENGTH = 0.998  # of the line from hip to ankle, over the bones' lengths: knees bent by 7 degrees
MOST_RISE_M = 0.12  # more than bent knees take from people who stand
LEAST_HIP_HEIGHT = 0.3  # of the legs' length, above the ankle
# Of each arm, forearm, leg and shank: its joints, of which the first stays, the share of sequences that swing
# it, and the standard deviation about each axis.
_SWINGS = tuple(
    (tuple(JOINTS.index(f"{side}_{part}") for part in parts), share, sigma_deg)
    for side in ("left", "right")
    for parts, share, sigma_deg in (
        (("shoulder", "elbow", "wrist", "hand"), 0.25, 18.0),
        (("elbow", "wrist", "hand"), 0.15, 14.0),
        (("hip", "knee", "ankle", "toe", "heel"), 0.20, 11.0),
        (("knee", "ankle", "toe", "heel"), 0.10, 8.0),
    )
)
# Of the last joint of a leg: its foot's segment and its contacts.
_FEET = {
    JOINTS.index("left_heel"): (SEGMENTS.index("left_foot"), [0, 1]),
    JOINTS.index("right_heel"): (SEGMENTS.index("right_foot"), [2, 3]),
}


def mix_parts(
    joints: torch.Tensor, segments: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Give some clips of a batch the upper body, or an arm, of another clip: poses that the mocap lacks.

    The upper body is turned with the pelvis, an arm with the chest.
    """
    batch, device = len(joints), joints.device
    draw = torch.rand(batch, 3, generator=generator, device=device)
    turn = segments[:, :, 0] @ segments.roll(1, 0)[:, :, 0].transpose(-1, -2)
    moved = _carried(joints.roll(1, 0), 0, joints[:, :, :1], turn)
    chosen = (draw[:, 0] < UPPER_SHARE)[:, None, None, None]
    upper = torch.zeros(joints.shape[2], 1, dtype=torch.bool, device=device)
    upper[list(_UPPER)] = True
    joints = torch.where(chosen & upper, moved, joints)
    other = turn[:, :, None] @ segments.roll(1, 0)
    chest_and_head = torch.tensor([False, True, True, False, False], device=device)[:, None, None]
    segments = torch.where(chosen[..., None] & chest_and_head, other, segments)
    for i, side in enumerate(("left", "right")):
        turn = segments[:, :, 1] @ segments.roll(2 + i, 0)[:, :, 1].transpose(-1, -2)
        shoulder = _ARMS[side][0]
        moved = _carried(joints.roll(2 + i, 0), shoulder, joints[:, :, shoulder : shoulder + 1], turn)
        arm = torch.zeros(joints.shape[2], 1, dtype=torch.bool, device=device)
        arm[list(_ARMS[side])] = True
        joints = torch.where((draw[:, 1 + i] < ARM_SHARE)[:, None, None, None] & arm, moved, joints)
    return joints, segments


def crouch(
    joints: torch.Tensor, segments: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Lower some bodies by bending their knees: people who squat, duck or sit down are rare in mocap.

    The feet stay where they are; the pelvis goes down and back, and the trunk leans forwards.
    """
    batch, frames = joints.shape[:2]
    draw = torch.rand(batch, 3, generator=generator, device=joints.device)
    wish = 1.5 * smooth_noise(batch, frames, 1, CROUCH_STEP_FRAMES, generator)[..., 0]
    wish = wish + torch.randn(batch, 1, generator=generator, device=joints.device)
    depth = CROUCH_DEPTH_M * draw[:, 1:2] * wish.sigmoid() * (draw[:, :1] < CROUCH_SHARE)
    for hip, knee, ankle in _LEGS:
        least = LEAST_HIP_HEIGHT * _leg_length(joints[:, :, [hip, knee, ankle]])
        room = joints[:, :, hip, 2] - joints[:, :, ankle, 2] - least
        depth = torch.minimum(depth, room.clamp_min(0))
    forward = segments[:, :, 0, :, 0]
    down = torch.tensor([0.0, 0.0, -1.0], device=joints.device)
    move = depth[..., None] * (down - CROUCH_BACK * forward)
    moved = _moved_over_feet(joints, move, depth[..., None] * forward)
    angle = CROUCH_LEAN_RAD_PER_M * draw[:, 2:3] * depth
    turn = _rotations(angle[..., None] * segments[:, :, 0, :, 1])
    bent = _carried(moved, 0, moved[:, :, :1], turn)
    moved[:, :, list(_UPPER)] = bent[:, :, list(_UPPER)]
    chest_and_head = torch.tensor([False, True, True, False, False], device=joints.device)[:, None, None]
    return moved, torch.where(chest_and_head, turn[:, :, None] @ segments, segments)


def stretch(joints: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Raise some bodies by straightening their knees: many recordings leave the straightest legs bent.

    The feet stay where they are; in each frame the body rises as far as the straighter leg lets it, or by
    half of that and more.
    """
    batch = len(joints)
    draw = torch.rand(batch, 2, generator=generator, device=joints.device)
    share = (LEAST_STRETCH + (1.0 - LEAST_STRETCH) * draw[:, 1:]) * (draw[:, :1] < STRETCH_SHARE)
    rise = torch.full(joints.shape[:2], MOST_RISE_M, device=joints.device)
    for hip, knee, ankle in _LEGS:
        line = joints[:, :, hip] - joints[:, :, ankle]
        longest = STRETCHED_LENGTH * _leg_length(joints[:, :, [hip, knee, ankle]])
        room = (longest**2 - line[..., :2].square().sum(-1)).clamp_min(0).sqrt() - line[..., 2]
        rise = torch.minimum(rise, room.clamp_min(0))
    move = (share * rise)[..., None] * torch.tensor([0.0, 0.0, 1.0], device=joints.device)
    return _moved_over_feet(joints, move, torch.zeros_like(move))


def _leg_length(leg: torch.Tensor) -> torch.Tensor:
    """Return the length (B, T) of the bones of a leg (B, T, 3 joints, 3)."""
    return leg.diff(dim=2).norm(dim=-1).sum(-1)


def _moved_over_feet(joints: torch.Tensor, move: torch.Tensor, pull: torch.Tensor) -> torch.Tensor:
    """Return bodies moved (B, T, 3), but for the feet; knees bend to where they did, and are pulled."""
    upper = [0, *_UPPER, *(hip for hip, _, _ in _LEGS)]
    moved = joints.index_copy(
        2, torch.tensor(upper, device=joints.device), joints[:, :, upper] + move[:, :, None]
    )
    for hip, knee, ankle in _LEGS:
        moved[:, :, knee] = _bent_knee(joints[:, :, [hip, knee, ankle]], moved[:, :, hip], pull)
    return moved


def _bent_knee(leg: torch.Tensor, hip: torch.Tensor, pull: torch.Tensor) -> torch.Tensor:
    """Return the knee (B, T, 3) of a leg (B, T, 3 joints, 3) whose hip has moved and whose ankle has not.

    The knee bends to where it was bent already and where it is pulled.
    """
    old_hip, knee, ankle = leg.unbind(2)
    thigh, shank = (knee - old_hip).norm(dim=-1), (ankle - knee).norm(dim=-1)
    line = ankle - hip
    distance = line.norm(dim=-1).clamp_min(1e-3)
    line = line / distance[..., None]
    distance = torch.minimum(distance, thigh + shank)
    pole = knee - (old_hip + ankle) / 2 + pull
    pole = pole - (pole * line).sum(-1, keepdim=True) * line
    pole = torch.nn.functional.normalize(pole, dim=-1)
    along = (thigh**2 - shank**2 + distance**2) / (2 * distance)
    across = (thigh**2 - along**2).clamp_min(0).sqrt()
    return hip + along[..., None] * line + across[..., None] * pole


def lean(
    joints: torch.Tensor, segments: torch.Tensor, contacts: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Bend some clips' trunks, and tilt some whole bodies: people who lean, balance or lie are rare in mocap.

    Tilted bodies' contacts are unknown.
    """
    batch, frames = joints.shape[:2]
    draw = torch.rand(batch, 3, generator=generator, device=joints.device)
    lying = torch.where(draw[:, 2] < LIE_SHARE, LIE_FACTOR, 1.0)[:, None, None]
    factor = torch.ones_like(lying), lying
    upper = torch.zeros(joints.shape[2], 1, dtype=torch.bool, device=joints.device)
    upper[list(_UPPER)] = True
    chest_and_head = torch.tensor([False, True, True, False, False], device=joints.device)[:, None, None]
    everything = torch.ones_like(upper), torch.ones_like(chest_and_head)
    for which, sigma_deg, share, (points, parts) in (
        (0, BEND_SIGMA_DEG, BEND_SHARE, (upper, chest_and_head)),
        (1, TILT_SIGMA_DEG, TILT_SHARE, everything),
    ):
        chosen = (draw[:, which] < share)[:, None, None, None]
        turn = _slow_turns(batch, frames, sigma_deg * factor[which], generator)
        moved = _carried(joints, 0, joints[:, :, :1], turn)
        joints = torch.where(chosen & points, moved, joints)
        segments = torch.where(chosen[..., None] & parts, turn[:, :, None] @ segments, segments)
    unknown = (draw[:, 1] < TILT_SHARE)[:, None, None]
    return joints, segments, torch.where(unknown, torch.nan, contacts)


def swing(
    joints: torch.Tensor, segments: torch.Tensor, contacts: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Swing arms, forearms, legs and shanks of some clips about their first joint, slowly.

    Contacts of a swung leg are unknown. Feet turn with their leg.
    """
    batch, frames = joints.shape[:2]
    draw = torch.rand(batch, len(_SWINGS), generator=generator, device=joints.device)
    for i, (limb, share, sigma_deg) in enumerate(_SWINGS):
        chosen = draw[:, i] < share
        turn = _slow_turns(batch, frames, sigma_deg, generator)
        turn = torch.where(chosen[:, None, None, None], turn, torch.eye(3, device=joints.device))
        members = list(limb)
        moved = _carried(joints[:, :, members], 0, joints[:, :, limb[0] : limb[0] + 1], turn)
        joints = joints.index_copy(2, torch.tensor(members, device=joints.device), moved)
        foot = _FEET.get(limb[-1])
        if foot is not None:
            segments, contacts = segments.clone(), contacts.clone()
            segments[:, :, foot[0]] = turn @ segments[:, :, foot[0]]
            contacts[..., foot[1]] = torch.where(chosen[:, None, None], torch.nan, contacts[..., foot[1]])
    return joints, segments, contacts


def _slow_turns(
    batch: int, frames: int, sigma_deg: float | torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Return rotations (B, T, 3, 3) about any axis, half of each constant, half changing within seconds."""
    still = torch.randn(batch, 1, 3, generator=generator, device=generator.device)
    vectors = (still + smooth_noise(batch, frames, 3, 30, generator)) * (sigma_deg * torch.pi / 180 / 2**0.5)
    return _rotations(vectors)


def _rotations(vectors: torch.Tensor) -> torch.Tensor:
    """Return the rotations (..., 3, 3) of rotation vectors (..., 3), by Rodrigues' formula."""
    angle = vectors.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    x, y, z = (vectors / angle).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    sin, cos = angle.sin()[..., None], angle.cos()[..., None]
    return torch.eye(3, device=vectors.device) + sin * cross + (1 - cos) * (cross @ cross)


def _carried(joints: torch.Tensor, anchor: int, place: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """Turn a body about one of its joints and set that joint at ``place``."""
    offsets = joints - joints[:, :, anchor : anchor + 1]
    return place + torch.einsum("btij,btkj->btki", turn, offsets)
