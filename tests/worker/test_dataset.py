# SPDX-License-Identifier: GPL-3.0-or-later
"""Training batches: what goes in is finite, and what should come out belongs to it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.mocap_files import write_bank
from vp3d_core.lift.normalise import FEATURES
from vp3d_core.skeletons import JOINTS, SLOTS
from vp3d_core.train.dataset import Batch, MocapBank, load_bank, make_batch

NAMES = ("cmu_subjects/05/05_01.bvh", "cmu_subjects/05/05_17.bvh", "snu_walking/a.bvh")


@pytest.fixture(scope="module")
def bank_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bank(tmp_path_factory.mktemp("bank") / "bank.npz", names=NAMES)


@pytest.fixture(scope="module")
def bank(bank_path: Path) -> MocapBank:
    return load_bank(bank_path, torch.device("cpu"))


def batch_of(bank: MocapBank, *, frames: int = 60, size: int = 16, seed: int = 0, **options: object) -> Batch:
    return make_batch(bank, size, frames, torch.Generator().manual_seed(seed), **options)  # type: ignore[arg-type]


def test_a_bank_gives_back_its_clips(bank: MocapBank) -> None:
    assert bank.names == NAMES
    assert bank.starts.tolist() == [0, *torch.cumsum(bank.lengths, 0)[:-1].tolist()]
    assert int(bank.lengths.sum()) == len(bank.joints) == len(bank.segments) == len(bank.contacts)


def test_the_halves_of_a_bank_share_no_clip(bank: MocapBank) -> None:
    training, validation = bank.subset(held_out=False), bank.subset(held_out=True)
    assert validation.names == ("cmu_subjects/05/05_17.bvh",)
    assert set(training.names) | set(validation.names) == set(NAMES)
    start, length = int(validation.starts[0]), int(validation.lengths[0])
    assert start == int(training.lengths[0])
    assert start + length == int(training.starts[1])


def test_shapes(bank: MocapBank) -> None:
    batch = batch_of(bank, frames=50, size=4)
    assert batch.features.shape == (4, 50, FEATURES)
    assert batch.joints.shape == (4, 50, 25, 3)
    assert batch.contacts.shape == (4, 50, 4)
    assert batch.up.shape == (4, 50, 3)
    assert batch.valid.all()


@pytest.mark.parametrize("seed", range(3))
def test_everything_is_finite_whatever_the_noise(bank: MocapBank, seed: int) -> None:
    batch = batch_of(bank, seed=seed, edge=30, noise=2.0)
    for values in (batch.features, batch.joints, batch.up, batch.rays, batch.root):
        assert torch.isfinite(values).all()
    assert batch.features.abs().max() < 20
    assert torch.allclose(batch.joints[:, :, 0], torch.zeros(3))
    assert torch.allclose(batch.up.norm(dim=-1), torch.ones(batch.up.shape[:2]), atol=1e-4)


def test_targets_project_onto_the_rays(bank: MocapBank) -> None:
    batch = batch_of(bank, noise=0.0, augment=False)
    assert torch.allclose(batch.rays, batch.exact)
    joints = torch.einsum("btji,btkj->btki", batch.virtual_from_camera, batch.joints) + batch.root[:, :, None]
    for slot, joint in (("left_knee", "left_knee"), ("right_elbow", "right_elbow"), ("nose", "nose")):
        point = joints[:, :, JOINTS.index(joint)]
        projected = point[..., :2] / point[..., 2:]
        seen = batch.rays[:, :, SLOTS.index(slot)]
        # The detector's point lies up to some centimetres beside the joint.
        off_m = ((projected - seen) * point[..., 2:]).norm(dim=-1)
        assert off_m.median() < 0.03
        assert off_m.max() < 0.10


def test_up_is_against_gravity(bank: MocapBank) -> None:
    batch = batch_of(bank, noise=0.0, augment=False)
    head = batch.joints[:, :, JOINTS.index("head_top")]  # people in these clips walk upright
    assert ((head / head.norm(dim=-1, keepdim=True) * batch.up).sum(-1) > 0.9).all()


def test_the_virtual_camera_sees_the_pelvis_ahead(bank: MocapBank) -> None:
    batch = batch_of(bank, noise=0.0, augment=False)
    pelvis = torch.einsum("btij,btj->bti", batch.virtual_from_camera, batch.root)
    assert (pelvis[..., 2] / pelvis.norm(dim=-1) > 0.95).all()


def test_repeated_ends_do_not_count(bank: MocapBank) -> None:
    batch = batch_of(bank, frames=80, size=64, edge=30)
    assert batch_of(bank, frames=80, size=64).valid.all()
    partly = ~batch.valid.all(1)
    assert 0.2 < partly.float().mean() < 0.7
    for b in partly.nonzero().flatten().tolist():
        counted = batch.valid[b].nonzero().flatten()
        first, last = int(counted[0]), int(counted[-1])
        assert batch.valid[b, first : last + 1].all()
        assert first <= 30
        assert last >= 80 - 1 - 30
        assert (batch.rays[b, :first] == batch.rays[b, first]).all()
        assert (batch.scores[b, last:] == batch.scores[b, last]).all()


def test_a_short_clip_stands_still_at_its_ends(tmp_path: Path) -> None:
    path = write_bank(tmp_path / "short.npz", names=("pose",), seconds=0.5)
    batch = batch_of(load_bank(path, torch.device("cpu")), frames=90, size=4, noise=0.0, augment=False)
    assert torch.isfinite(batch.features).all()
    reach = batch.joints.norm(dim=-1)  # of each joint from the pelvis, however the camera shakes
    moves = (reach[:, 1:] - reach[:, :-1]).abs().amax(-1)
    assert (moves.amin(1) < 1e-5).all()


def test_the_seed_decides(bank: MocapBank) -> None:
    first, second, other = (batch_of(bank, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.features, second.features)
    assert not torch.equal(first.features, other.features)
