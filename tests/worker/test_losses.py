# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifter's losses, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from vp3d_core.train.losses import lifter_loss

Tensors = dict[str, torch.Tensor]
BATCH, FRAMES = 2, 5


def targets() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Joints, contacts, up and valid of a person who moves a little."""
    generator = torch.Generator().manual_seed(0)
    joints = torch.randn(BATCH, 1, 25, 3, generator=generator)
    joints = joints + 0.1 * torch.randn(BATCH, FRAMES, 25, 3, generator=generator)
    contacts = (torch.rand(BATCH, FRAMES, 4, generator=generator) > 0.5).float()
    up = torch.tensor([0.0, -1.0, 0.0]).expand(BATCH, FRAMES, 3)
    return joints, contacts, up, torch.ones(BATCH, FRAMES, dtype=torch.bool)


def output_for(joints: torch.Tensor, contacts: torch.Tensor, up: torch.Tensor) -> Tensors:
    return {
        "joints": joints.clone(),
        "log_sigma": torch.full((BATCH, FRAMES, 25), -3.0),
        "contact_logits": (contacts.nan_to_num() - 0.5) * 40,
        "up": 7.0 * up,
    }


def test_a_perfect_output_costs_only_its_modesty() -> None:
    joints, contacts, up, valid = targets()
    _, parts = lifter_loss(output_for(joints, contacts, up), joints, contacts, up, valid)
    assert parts["sigma"] == pytest.approx(-3.0)
    for name in ("mpjpe_mm", "velocity", "contact", "up", "bones"):
        assert parts[name] == pytest.approx(0.0, abs=1e-4), name


def test_parts_by_hand() -> None:
    joints, contacts, up, valid = targets()
    output = output_for(joints, contacts, up)
    output["joints"] = output["joints"] + torch.tensor([0.03, 0.04, 0.0])
    output["joints"][:, 2] += torch.tensor([0.0, 0.0, 0.12])
    output["contact_logits"] = torch.zeros(BATCH, FRAMES, 4)
    output["up"] = torch.tensor([1.0, 0.0, 0.0]).expand(BATCH, FRAMES, 3)
    total, parts = lifter_loss(output, joints, contacts, up, valid)
    assert parts["mpjpe_mm"] == pytest.approx((4 * 50 + 130) / 5, rel=1e-4)
    assert parts["velocity"] == pytest.approx(2 * 0.12 / 4, rel=1e-4)
    assert parts["bones"] == pytest.approx(0.0, abs=1e-5)  # a shift changes no length
    assert parts["contact"] == pytest.approx(0.6931, abs=1e-3)
    assert parts["up"] == pytest.approx(2**0.5, rel=1e-4)
    assert float(total) > parts["mpjpe_mm"] / 1000


def test_frames_that_do_not_count_do_not_count() -> None:
    joints, contacts, up, valid = targets()
    valid[:, 3:] = False
    output = output_for(joints, contacts, up)
    output["joints"][:, 3:] += 5.0
    output["up"][:, 3:] = torch.tensor([0.0, 0.0, 1.0])
    _, parts = lifter_loss(output, joints, contacts, up, valid)
    assert parts["mpjpe_mm"] == pytest.approx(0.0, abs=1e-3)
    assert parts["velocity"] == pytest.approx(0.0, abs=1e-6)
    assert parts["up"] == pytest.approx(0.0, abs=1e-3)


def test_no_frame_that_counts_gives_no_loss() -> None:
    joints, contacts, up, valid = targets()
    output = output_for(joints, contacts, up)
    output["joints"].requires_grad_()
    total, _ = lifter_loss(output, joints + 1.0, contacts, up, torch.zeros_like(valid))
    total.backward()
    assert float(total.detach()) == pytest.approx(0.0, abs=1e-6)
    assert output["joints"].grad is not None
    assert output["joints"].grad.abs().max() == 0


def test_unknown_contacts_teach_nothing() -> None:
    joints, contacts, up, valid = targets()
    contacts[0] = torch.nan
    output = output_for(joints, contacts, up)
    output["contact_logits"].requires_grad_()
    total, _ = lifter_loss(output, joints, contacts, up, valid)
    total.backward()
    gradient = output["contact_logits"].grad
    assert gradient is not None
    assert gradient[0].abs().max() == 0
    assert torch.isfinite(total)


def gradients(log_sigma: float, *, error_m: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the total's gradients at joints and log_sigma, all joints being off by ``error_m``."""
    joints, contacts, up, valid = targets()
    output = output_for(joints, contacts, up)
    output["joints"][..., 0] += error_m
    moved, sigma = (
        output["joints"].requires_grad_(),
        torch.full((BATCH, FRAMES, 25), log_sigma).requires_grad_(),
    )
    total, _ = lifter_loss(output | {"log_sigma": sigma}, joints, contacts, up, valid)
    return torch.autograd.grad(total, [moved, sigma])  # type: ignore[return-value]


def test_the_standard_error_learns_the_error_and_pulls_at_no_joint() -> None:
    pull, slope = gradients(math.log(0.08), error_m=0.08)
    assert slope.abs().max() < 1e-6  # the least loss is at sigma = |e|
    other_pull, other_slope = gradients(-6.0, error_m=0.08)
    assert (other_slope < 0).all()  # too sure: a step downhill makes it larger
    assert torch.allclose(other_pull, pull)


def test_wrong_bone_lengths_cost() -> None:
    joints, contacts, up, valid = targets()
    output = output_for(joints, contacts, up)
    output["joints"] = output["joints"] * 1.1
    _, parts = lifter_loss(output, joints, contacts, up, valid)
    assert parts["bones"] > 0.02
