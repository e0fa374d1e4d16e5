# SPDX-License-Identifier: GPL-3.0-or-later
"""Other bodies for training: mirrored, turned, of other proportions, and what a detector marks on them."""

from __future__ import annotations

import pytest
import torch

from tests.mocap_files import LEG_M, TRUNK_M, write_bank
from vp3d_core.body_proportions import BONES
from vp3d_core.skeletons import JOINTS, SLOTS
from vp3d_core.train.bodies import (
    detector_points,
    give_proportions,
    mirror,
    turn_about_vertical,
)
from vp3d_core.train.dataset import load_bank
from vp3d_core.train.mocap_joints import SEGMENTS

FRAMES = 40
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


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def length(joints: torch.Tensor, a: str, b: str) -> torch.Tensor:
    return (joints[:, :, JOINTS.index(a)] - joints[:, :, JOINTS.index(b)]).norm(dim=-1)


def test_mirrored_twice_is_as_before(walk: Walk) -> None:
    flip = torch.ones(4, dtype=torch.bool)
    again = mirror(*mirror(*walk, flip), flip)
    assert all(torch.equal(a, b) for a, b in zip(walk, again, strict=True))


def test_only_the_chosen_clips_are_mirrored(walk: Walk) -> None:
    joints, segments, contacts = mirror(*walk, torch.tensor([True, False, True, False]))
    assert torch.equal(joints[1::2], walk[0][1::2])
    assert torch.equal(segments[3], walk[1][3])
    left, right = JOINTS.index("left_toe"), JOINTS.index("right_toe")
    assert torch.equal(joints[0, :, left], walk[0][0, :, right] * torch.tensor([-1.0, 1.0, 1.0]))
    assert torch.equal(contacts[0, :, :2], walk[2][0, :, 2:])
    feet = [SEGMENTS.index(f"{side}_foot") for side in ("left", "right")]
    assert torch.allclose(
        segments[0, :, feet[0], 2], walk[1][0, :, feet[1], 2] * torch.tensor([1.0, -1.0, 1.0])
    )


def test_mirrored_segments_are_still_rotations(walk: Walk) -> None:
    joints, segments, _ = mirror(*walk, torch.ones(4, dtype=torch.bool))
    assert torch.allclose(torch.linalg.det(segments), torch.ones(segments.shape[:3]), atol=1e-4)
    # The head's forward still goes to the nose, its left to the left ear.
    head = segments[:, :, SEGMENTS.index("head")]
    ears = joints[:, :, JOINTS.index("left_ear")] - joints[:, :, JOINTS.index("right_ear")]
    middle = (joints[:, :, JOINTS.index("left_ear")] + joints[:, :, JOINTS.index("right_ear")]) / 2
    nose = joints[:, :, JOINTS.index("nose")] - middle
    assert ((head[..., 0] * nose).sum(-1) > 0.05).all()
    assert ((head[..., 1] * ears).sum(-1) > 0.10).all()


def test_a_turn_about_the_vertical_turns_everything(walk: Walk) -> None:
    joints, segments, _ = walk
    quarter = torch.full((4,), torch.pi / 2)
    turned, axes = turn_about_vertical(joints, segments, quarter)
    assert torch.allclose(turned[..., 0], -joints[..., 1], atol=1e-5)
    assert torch.allclose(turned[..., 1], joints[..., 0], atol=1e-5)
    assert torch.equal(turned[..., 2], joints[..., 2])
    assert torch.allclose(axes[..., 0, :], -segments[..., 1, :], atol=1e-5)
    assert torch.allclose(axes[..., 2, :], segments[..., 2, :], atol=1e-6)


def test_other_proportions_keep_stature_and_symmetry(walk: Walk) -> None:
    joints = walk[0]
    bodies = give_proportions(joints, random())
    legs = length(bodies, "left_hip", "left_knee") + length(bodies, "left_knee", "left_ankle")
    shoulders = (
        bodies[:, :, JOINTS.index("left_shoulder")] + bodies[:, :, JOINTS.index("right_shoulder")]
    ) / 2
    trunk = (shoulders - bodies[:, :, 0]).norm(dim=-1)
    stature = (legs.mean(1) + trunk.mean(1)) / (LEG_M + TRUNK_M) * 1.70
    assert torch.allclose(stature, torch.full((4,), 1.70), atol=0.01)
    for part in (("hip", "knee"), ("elbow", "wrist"), ("ankle", "toe")):
        factors = [
            length(bodies, f"{s}_{part[0]}", f"{s}_{part[1]}")
            / length(joints, f"{s}_{part[0]}", f"{s}_{part[1]}")
            for s in ("left", "right")
        ]
        assert torch.allclose(factors[0], factors[1], rtol=1e-3)  # one factor for both sides
        assert torch.allclose(
            factors[0], factors[0][:, :1].expand_as(factors[0]), rtol=1e-3
        )  # and all frames
    arm = length(bodies, "left_elbow", "left_wrist")[:, 0] / length(joints, "left_elbow", "left_wrist")[:, 0]
    assert arm.std() > 0.01  # and another one for each body


def test_no_spread_gives_everybody_the_mean_body(walk: Walk) -> None:
    bodies = give_proportions(walk[0], random(), spread=0.0, tail=False)
    for joint in ("left_knee", "right_ankle", "left_elbow", "right_wrist", "right_hip"):
        bone = BONES[joint]
        # Within 3 %: the stature is brought to 1.70 m at the end, and these shoulders lie high.
        assert torch.allclose(length(bodies, bone.parent, joint), torch.tensor(bone.share * 1.70), rtol=0.03)


def test_the_rigs_own_proportions_do_not_matter(walk: Walk) -> None:
    joints = walk[0].clone()
    wrist, elbow = JOINTS.index("left_wrist"), JOINTS.index("left_elbow")
    hand = JOINTS.index("left_hand")
    shift = -0.3 * (joints[:, :, wrist] - joints[:, :, elbow])
    joints[:, :, wrist] += shift
    joints[:, :, hand] += shift
    assert torch.allclose(
        give_proportions(joints, random(4)), give_proportions(walk[0], random(4)), atol=1e-4
    )


def test_bones_spread_as_people_do(walk: Walk) -> None:
    standing = walk[0][:1, :2].expand(3000, -1, -1, -1)
    for tail, factor in ((False, 1.0), (True, (0.85 + 0.15 * 4) ** 0.5)):
        bodies = give_proportions(standing, random(5), tail=tail)
        forearm = length(bodies, "left_elbow", "left_wrist")[:, 0].log()
        trunk_and_legs = 0.025  # of the stature that all are brought to
        assert BONES["left_wrist"].spread * factor == pytest.approx(float(forearm.std()), abs=trunk_and_legs)
        assert float(forearm.std()) > 0.04


def test_longer_legs_take_longer_steps(walk: Walk) -> None:
    joints = walk[0]
    bodies = give_proportions(joints, random(3))

    def per_leg(j: torch.Tensor) -> torch.Tensor:
        legs = length(j, "left_hip", "left_knee") + length(j, "left_knee", "left_ankle")
        return (j[:, -1, 0] - j[:, 0, 0])[:, :2].norm(dim=-1) / legs.mean(1)

    assert torch.allclose(per_leg(joints), per_leg(bodies), rtol=1e-3)


def test_a_detectors_points_lie_on_the_body(walk: Walk) -> None:
    joints, segments, _ = walk
    points = detector_points(joints, segments, random())
    assert points.shape == (4, FRAMES, 28, 3)
    for slot, joint in (("left_knee", "left_knee"), ("right_wrist", "right_wrist"), ("nose", "nose")):
        distance = (points[:, :, SLOTS.index(slot)] - joints[:, :, JOINTS.index(joint)]).norm(dim=-1)
        assert distance.max() < 0.08
        assert torch.allclose(distance, distance[:, :1].expand_as(distance), atol=1e-4)  # fixed to the body


def test_a_detectors_points_are_symmetric_on_average(walk: Walk) -> None:
    standing = walk[0][:1, :1].expand(2000, 1, -1, -1)
    axes = walk[1][:1, :1].expand(2000, 1, -1, -1, -1)
    points = detector_points(standing, axes, random())[:, 0].mean(0)
    flipped_joints, flipped_axes, _ = mirror(
        standing, axes, torch.zeros(2000, 1, 4), torch.ones(2000, dtype=torch.bool)
    )
    flipped = detector_points(flipped_joints, flipped_axes, random(1))[:, 0].mean(0)
    expected = flipped[list(SLOTS.mirror)] * torch.tensor([-1.0, 1.0, 1.0])
    assert (points - expected).norm(dim=-1).max() < 0.003
