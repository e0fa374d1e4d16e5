# SPDX-License-Identifier: GPL-3.0-or-later
"""What a detector's errors owe to pose and view: measured, fitted, and given to training batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.mocap_files import write_bank
from tools.detector_errors.fit import explained, fit
from tools.detector_errors.measured import Measured, both_ways, compare
from tools.detector_errors.scenes import random_scenes
from vp3d_core.accuracy.ground_truth import GroundTruth
from vp3d_core.camera import Camera
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.skeletons import JOINTS, SLOTS
from vp3d_core.train.dataset import MocapBank, load_bank, make_batch
from vp3d_core.train.detector_errors import ERROR_SLOTS, BlazePoseErrors, looking_at

NAMES = ("mocap/cmu_subjects/05/05_01.bvh", "mocap/cmu_subjects/05/05_17.bvh", "mocap/snu_walking/a.bvh")
NOSE, WRIST = list(ERROR_SLOTS).index("nose"), list(ERROR_SLOTS).index("left_wrist")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> MocapBank:
    path = write_bank(tmp_path_factory.mktemp("bank") / "bank.npz", names=NAMES)
    return load_bank(path, torch.device("cpu"))


class PushesRight:
    """Every point a metre to the right."""

    def shifts(self, joints: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        return torch.tensor([1.0, 0.0, 0.0]).expand(*joints.shape[:-2], len(SLOTS.points), 3)


def standing(frames: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return joints (T, 25, 3) of somebody with a wrist that moves, 4 m before the camera, world axes."""
    rng = np.random.default_rng(0)
    joints = np.tile(rng.normal(0.0, 0.3, (1, 25, 3)) + [0.0, 0.0, 1.0], (frames, 1, 1))
    joints[:, JOINTS.index("left_wrist")] += 0.1 * np.sin(np.arange(frames))[:, None]
    return joints


def facing() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the place of a camera 4 m away along -y and 1 m high that looks along y."""
    place = np.eye(4)
    place[:3, :3] = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]
    place[:3, 3] = 0.0, -4.0, 1.0
    return place


def test_axes_look_at_the_root_and_are_level() -> None:
    root = torch.tensor([[0.5, -0.4, 3.0], [-2.0, 1.0, 2.0]])
    turn = looking_at(root)
    assert torch.allclose(turn @ turn.transpose(-1, -2), torch.eye(3).expand(2, 3, 3), atol=1e-6)
    assert torch.allclose(torch.einsum("bij,bj->bi", turn, root)[:, :2], torch.zeros(2, 2), atol=1e-6)
    assert torch.allclose(turn[:, 0, 1], torch.zeros(2))
    assert (torch.linalg.det(turn) > 0).all()
    assert (turn[:, 1, 1] > 0).all()  # down stays down


def test_errors_are_measured_in_heights() -> None:
    frames, focal = 20, 1000.0
    camera = Camera(np.array([[focal, 0.0, 320.0], [0.0, focal, 240.0], [0.0, 0.0, 1.0]]), None, facing())
    camera = Camera(camera.intrinsics, None, np.tile(facing(), (frames, 1, 1)))
    truth = GroundTruth(standing(frames), np.zeros((frames, 4)), camera, 20.0, (640, 480))
    xy = np.full((frames, len(SLOTS.points), 2), np.nan)
    pixels = camera.project_world_points(truth.joints_world)
    for slot, joint in ERROR_SLOTS.items():
        xy[:, SLOTS.index(slot)] = pixels[:, JOINTS.index(joint)]
    scores = np.isfinite(xy).all(-1).astype(float)
    exact = compare(Keypoints2D(xy, scores, np.arange(frames) / 20.0, (640, 480), SLOTS), truth)
    assert exact.errors.abs().max() < 1e-3
    depth = camera.camera_points(truth.joints_world)[:, JOINTS.index("nose"), 2]
    xy[:, SLOTS.index("nose"), 0] += 10.0
    moved = compare(Keypoints2D(xy, scores, np.arange(frames) / 20.0, (640, 480), SLOTS), truth)
    found = moved.errors[:, NOSE, 0] / moved.errors[:, NOSE, 0].mean()
    assert torch.allclose(found, torch.ones(frames), atol=0.05)
    legs_m = sum(
        np.linalg.norm(truth.joints_world[0, JOINTS.index(a)] - truth.joints_world[0, JOINTS.index(b)])
        for a, b in (("left_hip", "left_knee"), ("left_knee", "left_ankle"))
    )
    expected = 10.0 / focal * depth.mean() / (legs_m / 0.491)
    assert float(moved.errors[:, NOSE, 0].mean()) == pytest.approx(expected, rel=0.1)
    assert moved.errors[:, WRIST].abs().max() < 1e-3


def law(count: int, seed: int) -> Measured:
    """Return made-up poses whose errors follow from where the left wrist and the right elbow are."""
    random = torch.Generator().manual_seed(seed)
    poses = torch.randn(count, 75, generator=random)
    errors = torch.zeros(count, len(ERROR_SLOTS), 2)
    wrist, elbow = (3 * (JOINTS.index(joint) - 1) for joint in ("left_wrist", "right_elbow"))
    errors[:, NOSE, 1] = 0.03 * torch.tanh(poses[:, wrist + 1])
    errors[:, WRIST, 0] = 0.02 * poses[:, elbow]
    errors = errors + 0.001 * torch.randn(errors.shape, generator=random)
    return both_ways(Measured(poses, errors))


def test_a_law_of_errors_is_found_and_saved(tmp_path: Path) -> None:
    network = fit([law(4000, 0)])
    others = law(500, 1)
    assert explained(network, others) > 0.3  # of what dropout and noisy inputs leave to find
    by_chance = Measured(others.poses.roll(1, dims=0), others.errors)
    assert explained(network, by_chance) < 0.0
    network.save(tmp_path / "errors.npz")
    again = BlazePoseErrors.load(tmp_path / "errors.npz")
    assert torch.allclose(again(others.poses), network(others.poses), atol=1e-3)


def test_both_ways_is_its_own_inverse() -> None:
    once = law(30, 2)
    twice = both_ways(Measured(once.poses[len(once.poses) // 2 :], once.errors[len(once.errors) // 2 :]))
    half = len(twice.poses) // 2
    assert torch.allclose(twice.poses[half:], once.poses[: len(once.poses) // 2])
    assert torch.allclose(twice.errors[half:], once.errors[: len(once.errors) // 2])


def test_only_some_clips_with_the_detectors_slots_get_its_errors(bank: MocapBank) -> None:
    batch = make_batch(
        bank,
        64,
        20,
        torch.Generator().manual_seed(3),
        noise=0.0,
        detector_errors=PushesRight(),  # type: ignore[arg-type]
    )
    depths = batch.root[..., 2]
    joints = torch.einsum("btji,btkj->btki", batch.virtual_from_camera, batch.joints) + batch.root[:, :, None]
    knee = joints[:, :, JOINTS.index("left_knee")]
    moved = (batch.exact[:, :, SLOTS.index("left_knee"), 0] * knee[..., 2] - knee[..., 0]).mean(1)
    pushed = moved > 0.2
    assert depths.min() > 0
    assert 0.1 < pushed.float().mean() < 0.5
    assert moved[pushed].max() < 1.4
    assert moved[~pushed].abs().max() < 0.15


def test_the_shipped_errors_are_those_of_a_detector(bank: MocapBank) -> None:
    errors = BlazePoseErrors.load()
    batch = make_batch(bank, 64, 10, torch.Generator().manual_seed(4), noise=0.0, augment=False)
    joints = torch.einsum("btji,btkj->btki", batch.virtual_from_camera, batch.joints) + batch.root[:, :, None]
    up = torch.einsum("btji,btj->bti", batch.virtual_from_camera, batch.up)
    shifts = errors.shifts(joints, up)
    lacking = [SLOTS.index(name) for name in ("head_top", "neck", "mid_hip", "left_small_toe")]
    assert shifts[:, :, lacking].abs().max() == 0
    assert torch.equal(shifts[:, :, SLOTS.index("left_eye")], shifts[:, :, SLOTS.index("nose")])
    along = (shifts * torch.nn.functional.normalize(joints[:, :, :1], dim=-1)).sum(-1)
    assert along.abs().max() < 1e-5  # errors lie across the picture
    sizes = shifts[:, :, [SLOTS.index(slot) for slot in ERROR_SLOTS]].norm(dim=-1)
    assert 0.01 < float(sizes.median()) < 0.06  # m


def test_scenes_show_no_held_out_motion(bank: MocapBank) -> None:
    scenes = random_scenes(bank.subset(held_out=False), 30, seed=5)
    assert len({scene.name for scene in scenes}) == 30
    files = {scene.people[0].motion[0].file for scene in scenes}
    assert files == {"cmu_subjects/05/05_01.bvh", "snu_walking/a.bvh"}
    assert random_scenes(bank.subset(held_out=False), 10, seed=5) == scenes[:10]
