# SPDX-License-Identifier: GPL-3.0-or-later
"""The detector-noise model: exact at level 0, of the stated size at 1, honest about what is missing."""

from __future__ import annotations

import pytest
import torch

from tests.mocap_files import write_bank
from vp3d_core.skeletons import COCO_17, HALPE_26, SLOTS
from vp3d_core.train.bodies import detector_points
from vp3d_core.train.cameras import CameraView, random_views
from vp3d_core.train.dataset import load_bank
from vp3d_core.train.noise import _swap_sides, corrupt

BATCH, FRAMES = 200, 60
ARMS = [SLOTS.index(f"left_{part}") for part in ("shoulder", "elbow", "wrist", "hand")]
LEGS = [SLOTS.index(f"left_{part}") for part in ("hip", "knee", "ankle", "big_toe", "small_toe", "heel")]
HEAD = [SLOTS.index(part) for part in ("left_eye", "left_ear")]


class Scene:
    """A walk seen by many cameras."""

    def __init__(self, points: torch.Tensor, depth: torch.Tensor, view: CameraView) -> None:
        self.points, self.depth, self.view = points, depth, view
        self.exact = points[..., :2] / points[..., 2:]
        self.inside = (self.exact.abs() < view.half_size[:, None, None]).all(-1)
        # Height of the person in the picture: (B, 1, 1).
        self.size = (self.exact.amax(2) - self.exact.amin(2)).amax(-1).median(1).values[:, None, None]

    def corrupt(self, *, level: float = 1.0, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
        return corrupt(self.points, self.depth, self.view, torch.Generator().manual_seed(seed), level=level)

    def errors(self, *, level: float) -> torch.Tensor:
        """Errors of all keypoints seen, in heights of the person."""
        rays, scores = self.corrupt(level=level)
        return ((rays - self.exact).norm(dim=-1) / self.size)[scores > 0]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    path = write_bank(tmp_path_factory.mktemp("bank") / "bank.npz", names=("a",), seconds=2.0)
    bank = load_bank(path, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    joints = bank.joints[:FRAMES].expand(BATCH, -1, -1, -1)
    segments = bank.segments[:FRAMES].expand(BATCH, -1, -1, -1, -1)
    view = random_views(joints, generator)
    return Scene(
        view.points(detector_points(joints, segments, generator)), view.points(joints)[:, :, 0, 2], view
    )


def test_level_0_is_exact_but_for_what_leaves_the_picture(scene: Scene) -> None:
    rays, scores = scene.corrupt(level=0.0)
    assert torch.allclose(rays, scene.exact, atol=1e-6)
    assert set(scores.unique().tolist()) == {0.0, 1.0}
    assert (scores[scene.inside] == 1).all()


def test_errors_are_of_the_size_of_a_good_detectors(scene: Scene) -> None:
    errors = scene.errors(level=1.0)
    assert 0.010 < errors.median() < 0.030  # in heights; BlazePose is at 0.02 to 0.03
    assert 0.03 < errors.quantile(0.95) < 0.15
    assert torch.isfinite(errors).all()


def test_the_level_scales_the_errors(scene: Scene) -> None:
    half, whole = scene.errors(level=0.5).median(), scene.errors(level=1.0).median()
    assert half / whole == pytest.approx(0.5, abs=0.08)


def test_hands_and_feet_are_placed_worse_than_shoulders(scene: Scene) -> None:
    rays, scores = scene.corrupt()
    error = (rays - scene.exact).norm(dim=-1) / scene.size
    far = [SLOTS.index(name) for name in ("left_wrist", "right_wrist", "left_ankle", "right_ankle")]
    near = [SLOTS.index(name) for name in ("left_shoulder", "right_shoulder")]
    assert (
        error[..., far][scores[..., far] > 0].median()
        > 1.15 * error[..., near][scores[..., near] > 0].median()
    )


def test_errors_drift_rather_than_flicker(scene: Scene) -> None:
    rays, _ = scene.corrupt()
    error = (rays - scene.exact) / scene.size[..., None]
    step = (error[:, 1:] - error[:, :-1]).norm(dim=-1).median()
    assert step < 0.7 * error.norm(dim=-1).median()


def test_scores_are_in_range_and_fall_with_the_error(scene: Scene) -> None:
    rays, scores = scene.corrupt()
    assert scores.min() >= 0
    assert scores.max() <= 1
    seen = scores > 0
    error = ((rays - scene.exact).norm(dim=-1) / scene.size)[seen]
    bad, good = scores[seen][error > 0.08].mean(), scores[seen][error < 0.01].mean()
    assert good - bad > 0.1


def test_missing_keypoints_have_score_0(scene: Scene) -> None:
    _, scores = scene.corrupt()
    missing = scores == 0
    share = missing[scene.inside].float().mean()
    assert 0.1 < share < 0.5
    # Outside the picture most detectors are silent.
    assert missing[~scene.inside].float().mean() > 0.75


def test_whole_detectors_are_imitated(scene: Scene) -> None:
    _, scores = scene.corrupt()
    never = (scores == 0).all(1)  # (B, 28) slots that a clip's detector does not have
    coco = torch.tensor([name not in COCO_17.points for name in SLOTS.points])
    halpe = torch.tensor([name not in HALPE_26.points for name in SLOTS.points])
    only_coco = never[:, coco].all(1).float().mean()
    only_halpe = (never[:, halpe].all(1) & ~never[:, coco].all(1)).float().mean()
    assert 0.1 < only_coco < 0.35
    assert 0.2 < only_halpe < 0.45


def test_swaps_only_exchange_sides() -> None:
    rays = torch.arange(28.0).reshape(1, 1, 28, 1).expand(400, 60, 28, 2).contiguous()
    swapped = _swap_sides(rays, torch.Generator().manual_seed(0))[..., 0]
    mirror = torch.tensor(SLOTS.mirror, dtype=torch.float32)
    own = torch.arange(28.0)
    assert ((swapped == own) | (swapped == mirror)).all()
    changed = swapped != own
    for limbs in (ARMS, LEGS):  # a limb is exchanged as a whole, both sides at once
        both = [*limbs, *(SLOTS.mirror[i] for i in limbs)]
        share = changed[..., both].float().mean(-1)
        assert ((share == 0) | (share == 1)).all()
        assert 0.0002 < share.mean() < 0.03
    assert not changed[..., HEAD].any()
    # In bursts: a frame after a swapped one is mostly swapped too.
    legs = changed[..., LEGS[0]]
    assert legs[:, 1:][legs[:, :-1]].float().mean() > 0.5


def test_the_seed_decides(scene: Scene) -> None:
    first, second, other = scene.corrupt(seed=3), scene.corrupt(seed=3), scene.corrupt(seed=4)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])


def test_half_of_a_person_is_hidden_for_a_while_now_and_then(scene: Scene) -> None:
    _, scores = scene.corrupt(seed=5)
    legs = [SLOTS.index(f"{s}_{p}") for s in ("left", "right") for p in ("hip", "knee", "ankle")]
    rest = [SLOTS.index(f"{s}_{p}") for s in ("left", "right") for p in ("shoulder", "elbow", "wrist")]
    # Of the clips in which the picture holds the whole person: what leaves it is missing, too.
    whole = scene.inside.all(-1).all(-1)
    gone = ((scores[..., legs] == 0).all(-1) & (scores[..., rest] > 0).any(-1))[whole]
    assert 0.003 < float(gone.float().mean()) < 0.06
    starts = (gone[:, 1:] & ~gone[:, :-1]).sum()
    assert gone.sum() / starts > 4  # frames: runs, not flickers
