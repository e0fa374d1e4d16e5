# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual cameras: proper rotations, everybody in front, above the floor, looking the right way."""

from __future__ import annotations

import pytest
import torch

from tests.mocap_files import write_bank
from vp3d_core.train.cameras import MIN_DEPTH_M, CameraView, random_views, smooth_noise, world_to_camera
from vp3d_core.train.dataset import load_bank

BATCH, FRAMES = 300, 30
Scene = tuple[torch.Tensor, CameraView]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Joints (B, T, 25, 3) of a walk, and a camera for each."""
    path = write_bank(tmp_path_factory.mktemp("bank") / "bank.npz", names=("a",), seconds=1.0)
    bank = load_bank(path, torch.device("cpu"))
    joints = bank.joints[:FRAMES].expand(BATCH, -1, -1, -1)
    return joints, random_views(joints, torch.Generator().manual_seed(0))


def test_rotations_are_rotations(scene: Scene) -> None:
    rotation = scene[1].camera_from_world
    assert rotation.shape == (BATCH, FRAMES, 3, 3)
    assert torch.allclose(rotation @ rotation.transpose(-1, -2), torch.eye(3).expand_as(rotation), atol=1e-5)
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(BATCH, FRAMES), atol=1e-4)


def test_everybody_is_in_front_of_the_camera(scene: Scene) -> None:
    joints, view = scene
    assert view.points(joints)[..., 2].min() >= MIN_DEPTH_M - 1e-4


def test_cameras_stand_above_the_floor_but_few_before_a_stage(scene: Scene) -> None:
    view = scene[1]
    centre = -torch.einsum("btji,btj->bti", view.camera_from_world, view.translation)
    height = centre[..., 2]
    assert 0.8 < (height > 0).float().mean() < 1.0
    assert 0.5 < height.median() < 3.0


def test_the_person_is_in_the_picture(scene: Scene) -> None:
    joints, view = scene
    pelvis = view.points(joints[:, :, :1])
    rays = (pelvis[..., :2] / pelvis[..., 2:])[:, :, 0]
    inside = (rays.abs() < view.half_size[:, None]).all(-1)
    assert inside.float().mean() > 0.9
    # People stand upright: up in the world is up in the picture, nearly always.
    assert (view.camera_from_world[..., 1, 2] < 0).float().mean() > 0.97


def test_most_cameras_stand_still_and_the_others_only_shake(scene: Scene) -> None:
    rotation = scene[1].camera_from_world
    turned = torch.einsum("bij,btij->bt", rotation[:, 0], rotation)
    angle = torch.rad2deg(torch.acos(((turned - 1) / 2).clamp(-1, 1))).amax(1)
    still = (angle < 0.1).float().mean()
    assert 0.6 < still < 0.8
    assert angle.max() < 15


def test_picture_shapes_and_focal_lengths_are_those_of_phones_and_films(scene: Scene) -> None:
    half = scene[1].half_size
    fov_deg = 2 * torch.rad2deg(torch.atan(half[:, 0]))
    assert fov_deg.min() > 10
    assert fov_deg.max() < 115
    assert (half[:, 0] < half[:, 1]).float().mean() > 0.15  # held upright


def test_a_positive_pitch_looks_down() -> None:
    angle = torch.tensor([30.0])
    rotation = world_to_camera(torch.tensor([0.0]), angle, torch.tensor([0.0]))[0]
    height_m = 3.0
    away = height_m / torch.tan(torch.deg2rad(angle))
    on_axis = rotation @ torch.tensor([0.0, float(away), -height_m])  # from a camera 3 m above the floor
    assert torch.allclose(on_axis[:2], torch.zeros(2), atol=1e-5)
    assert on_axis[2] > 0
    above = rotation @ torch.tensor([0.0, float(away), 0.0])  # level with the camera: above the middle
    assert above[1] < 0


def test_without_angles_right_is_right_and_up_is_up() -> None:
    zero = torch.zeros(1)
    rotation = world_to_camera(zero, zero, zero)[0]
    assert torch.allclose(rotation @ torch.tensor([1.0, 5.0, 2.0]), torch.tensor([1.0, -2.0, 5.0]))


def test_smooth_noise_has_unit_size_and_no_jumps() -> None:
    noise = smooth_noise(200, 60, 3, 10, torch.Generator().manual_seed(0))
    assert noise.shape == (200, 60, 3)
    assert noise.mean().abs() < 0.05
    assert 0.7 < noise.std() < 1.0  # between two keys it is the mean of both
    assert (noise[:, 1:] - noise[:, :-1]).abs().max() < 0.8


def test_the_seed_decides() -> None:
    joints = torch.randn(3, 5, 25, 3, generator=torch.Generator().manual_seed(1))
    first = random_views(joints, torch.Generator().manual_seed(7))
    second = random_views(joints, torch.Generator().manual_seed(7))
    assert torch.equal(first.translation, second.translation)
    assert not torch.equal(
        first.translation, random_views(joints, torch.Generator().manual_seed(8)).translation
    )
