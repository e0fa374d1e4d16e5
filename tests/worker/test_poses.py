# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses that the mocap lacks: mixed, leaning and swung bodies keep their bones."""

from __future__ import annotations

import pytest
import torch

from tests.mocap_files import write_bank
from vp3d_core.skeletons import JOINTS
from vp3d_core.train import poses
from vp3d_core.train.bodies import turn_about_vertical
from vp3d_core.train.dataset import load_bank
from vp3d_core.train.poses import crouch, lean, mix_parts, stretch, swing

FRAMES = 40
SIDES = ("left", "right")
Walk = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Joints (4, T, 25, 3), segments and contacts of four walks."""
    folder = tmp_path_factory.mktemp("bank")
    bank = load_bank(
        write_bank(folder / "bank.npz", names=("a", "b", "c", "d"), seconds=1.0), torch.device("cpu")
    )
    rows = bank.starts[:, None] + torch.arange(FRAMES)
    return bank.joints[rows], bank.segments[rows], bank.contacts[rows]


def bone_lengths(joints: torch.Tensor) -> torch.Tensor:
    return torch.stack([(joints[:, :, a] - joints[:, :, b]).norm(dim=-1) for a, b in JOINTS.edge_indices])


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def knee_deg(joints: torch.Tensor, side: str) -> torch.Tensor:
    hip, knee, ankle = (joints[:, :, JOINTS.index(f"{side}_{part}")] for part in ("hip", "knee", "ankle"))
    return torch.rad2deg(torch.arccos(torch.cosine_similarity(knee - hip, ankle - knee, dim=-1).clamp(-1, 1)))


def rotations(segments: torch.Tensor) -> torch.Tensor:
    return segments @ segments.transpose(-1, -2)


def test_mixed_bodies_keep_the_legs_and_turn_the_rest(walk: Walk) -> None:
    joints, segments, _ = walk
    turned, turned_segments = turn_about_vertical(joints, segments, torch.arange(len(joints)) * 0.7)
    mixed, mixed_segments = mix_parts(turned, turned_segments, torch.Generator().manual_seed(2))
    legs = [
        JOINTS.index(f"{s}_{p}") for s in ("left", "right") for p in ("hip", "knee", "ankle", "toe", "heel")
    ]
    assert torch.equal(mixed[:, :, legs], turned[:, :, legs])
    assert (mixed - turned).norm(dim=-1).max() > 0.05
    assert torch.allclose(bone_lengths(mixed), bone_lengths(turned), atol=0.03)
    identity = torch.eye(3).expand_as(mixed_segments)
    assert torch.allclose(rotations(mixed_segments), identity, atol=1e-4)


def test_crouching_bodies_keep_their_feet_and_bones(walk: Walk) -> None:
    joints, segments, _ = (part.repeat(20, *(1,) * (part.ndim - 1)) for part in walk)
    low, low_segments = crouch(joints, segments, torch.Generator().manual_seed(5))
    feet = [JOINTS.index(f"{s}_{p}") for s in ("left", "right") for p in ("ankle", "toe", "heel")]
    assert torch.equal(low[:, :, feet], joints[:, :, feet])
    assert torch.allclose(bone_lengths(low), bone_lengths(joints), atol=1e-3)
    assert torch.allclose(rotations(low_segments), torch.eye(3).expand_as(segments), atol=1e-4)
    depth = (joints - low)[:, :, 0, 2]
    assert 0.05 < (depth.amax(1) > 0.02).float().mean() < 0.4
    assert depth.max() > 0.15
    assert depth.min() > -1e-6


def test_stretched_bodies_keep_their_feet_and_bones_and_have_straighter_legs(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poses, "CROUCH_SHARE", 1.0)
    joints, _ = crouch(walk[0].repeat(20, 1, 1, 1), walk[1].repeat(20, 1, 1, 1, 1), seeded(7))
    tall = stretch(joints, seeded(6))
    feet = [JOINTS.index(f"{s}_{p}") for s in ("left", "right") for p in ("ankle", "toe", "heel")]
    assert torch.equal(tall[:, :, feet], joints[:, :, feet])
    assert torch.allclose(bone_lengths(tall), bone_lengths(joints), atol=1e-3)
    rise = (tall - joints)[:, :, 0, 2]
    raised = rise.amax(1) > 1e-4
    assert 0.1 < raised.float().mean() < 0.4
    assert torch.allclose(tall[~raised], joints[~raised], atol=1e-4)
    assert -1e-6 < rise.min() <= rise.max() < 0.13
    before, after = (
        torch.minimum(*(knee_deg(each[raised], side) for side in SIDES)) for each in (joints, tall)
    )
    assert after.median() < before.median() - 3.0
    assert after.min() > 6.0, "no leg is stretched beyond what people's are"


def test_leaning_bodies_keep_their_bones(walk: Walk) -> None:
    joints, segments, contacts = (part.repeat(20, *(1,) * (part.ndim - 1)) for part in walk)
    leaning, leaning_segments, known = lean(joints, segments, contacts, torch.Generator().manual_seed(3))
    assert torch.allclose(bone_lengths(leaning), bone_lengths(joints), atol=1e-3)
    assert torch.equal(leaning[:, :, 0], joints[:, :, 0])
    assert torch.allclose(rotations(leaning_segments), torch.eye(3).expand_as(segments), atol=1e-4)
    moved = (leaning - joints).norm(dim=-1).amax((1, 2)) > 1e-3
    assert 0.2 < moved.float().mean() < 0.8
    tilted = (leaning - joints)[:, :, JOINTS.index("left_knee")].norm(dim=-1).amax(1) > 1e-3
    assert torch.equal(tilted, known.isnan().all(-1).all(-1) & ~contacts.isnan().all(-1).all(-1))


def test_swung_limbs_keep_their_bones(walk: Walk) -> None:
    joints, segments, contacts = (part.repeat(20, *(1,) * (part.ndim - 1)) for part in walk)
    swung, swung_segments, _ = swing(joints, segments, contacts, torch.Generator().manual_seed(4))
    assert torch.allclose(bone_lengths(swung), bone_lengths(joints), atol=1e-3)
    assert torch.allclose(rotations(swung_segments), torch.eye(3).expand_as(segments), atol=1e-4)
    trunk = [JOINTS.index(name) for name in ("pelvis", "thorax", "left_hip", "right_shoulder")]
    assert torch.equal(swung[:, :, trunk], joints[:, :, trunk])
    moved = (swung - joints)[:, :, JOINTS.index("left_wrist")].norm(dim=-1).amax(1) > 1e-3
    assert 0.2 < moved.float().mean() < 0.6


def test_the_contacts_of_a_swung_leg_alone_are_unknown(walk: Walk) -> None:
    joints, segments, contacts = (part.repeat(20, *(1,) * (part.ndim - 1)) for part in walk)
    swung, _, known = swing(joints, segments, torch.zeros_like(contacts), torch.Generator().manual_seed(4))
    for heel, columns in (("left_heel", [0, 1]), ("right_heel", [2, 3])):
        moved = (swung - joints)[:, :, JOINTS.index(heel)].norm(dim=-1).amax(1) > 1e-3
        assert torch.equal(moved, known[..., columns].isnan().all(-1).all(-1))
