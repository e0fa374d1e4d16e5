# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifter's input must not depend on focal length, place in the picture or distance."""

from __future__ import annotations

import numpy as np
import torch

from vp3d_core.lift.normalise import FEATURES, mirror_features, normalise
from vp3d_core.skeletons import SLOTS


def person(seed: int = 0, frames: int = 60) -> torch.Tensor:
    """Points (1, T, 28, 3) m about the origin, moving slowly."""
    generator = torch.Generator().manual_seed(seed)
    body = torch.randn(1, 1, 28, 3, generator=generator) * torch.tensor([0.3, 0.6, 0.2])
    body[:, :, SLOTS.index("left_hip")] = torch.tensor([0.1, 0.0, 0.0])
    body[:, :, SLOTS.index("right_hip")] = torch.tensor([-0.1, 0.0, 0.0])
    return body + 0.05 * torch.sin(torch.linspace(0, 6, frames))[None, :, None, None]


def rays_of(points: torch.Tensor, place: list[float]) -> torch.Tensor:
    moved = points + torch.tensor(place)
    return moved[..., :2] / moved[..., 2:]


def test_the_person_is_in_the_middle_and_of_unit_size() -> None:
    features, _ = normalise(rays_of(person(), [1.5, -0.5, 6.0]), torch.ones(1, 60, 28))
    assert features.shape == (1, 60, FEATURES)
    slots = features[0, :, : 3 * 28].reshape(60, 28, 3)
    hips = slots[:, [SLOTS.index("left_hip"), SLOTS.index("right_hip")], :2].mean(1)
    assert hips.abs().max() < 0.8
    assert 0.3 < slots[..., :2].abs().mean() < 2.0


def test_distance_changes_the_scale_and_hardly_the_slots() -> None:
    near, _ = normalise(rays_of(person(), [0.0, 0.0, 20.0]), torch.ones(1, 60, 28))
    far, _ = normalise(rays_of(person(), [0.0, 0.0, 40.0]), torch.ones(1, 60, 28))
    assert torch.allclose(near[..., :84], far[..., :84], atol=0.08)
    assert np.isclose(float((near - far)[..., -1].mean()), np.log(2.0), atol=0.03)


def test_the_virtual_camera_looks_at_the_person() -> None:
    points = person()
    rays = rays_of(points, [2.0, 1.0, 5.0])
    _, rotation = normalise(rays, torch.ones(1, 60, 28))
    pelvis = torch.tensor([2.0, 1.0, 5.0]) / torch.tensor([2.0, 1.0, 5.0]).norm()
    axis = torch.einsum("btij,j->bti", rotation, pelvis)
    assert (axis[..., 2] > 0.98).all()
    identity = rotation @ rotation.transpose(-1, -2)
    assert torch.allclose(identity, torch.eye(3).expand_as(identity), atol=1e-5)


def test_mirrored_rays_give_mirrored_features() -> None:
    rays = rays_of(person(), [1.0, 0.3, 5.0])
    scores = torch.rand(1, 60, 28, generator=torch.Generator().manual_seed(1)) * 0.9 + 0.1
    scores[:, 10:20, 3] = 0.0
    features, _ = normalise(rays, scores)
    mirror = list(SLOTS.mirror)
    flipped = rays[:, :, mirror] * torch.tensor([-1.0, 1.0])
    other, _ = normalise(flipped, scores[:, :, mirror])
    assert torch.allclose(mirror_features(features), other, atol=1e-5)
    assert torch.allclose(mirror_features(mirror_features(features)), features)


def test_missing_keypoints_leave_no_trace_of_their_place() -> None:
    rays = rays_of(person(), [0.0, 0.0, 5.0])
    scores = torch.ones(1, 60, 28)
    scores[:, 20:40, 9] = 0.0
    other = rays.clone()
    other[:, 20:40, 9] = 7.0
    first, _ = normalise(rays, scores)
    second, _ = normalise(other, scores)
    assert torch.equal(first, second)


def test_nobody_for_a_while_stays_finite() -> None:
    rays = rays_of(person(frames=400), [0.5, 0.0, 5.0])
    scores = torch.ones(1, 400, 28)
    scores[:, 50:350] = 0.0
    features, rotation = normalise(rays, scores)
    assert torch.isfinite(features).all()
    assert torch.isfinite(rotation).all()
