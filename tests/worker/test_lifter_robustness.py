# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark of the lifter's robustness: it changes what it says, and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.lifter_robustness import SWEEPS, Condition, SweepResult, measure, missing_slots, table
from benchmarks.lifter_robustness_plot import save_plot
from benchmarks.lifter_robustness_scenes import People, draw_people, film
from tests.mocap_files import write_bank
from tests.worker.lifters import save_random_lifter
from vp3d_core.lift.lifter import Lifter
from vp3d_core.skeletons import JOINTS
from vp3d_core.train.dataset import load_bank

pytestmark = pytest.mark.worker

HELD_OUT = ("02_01.bvh", "05_16.bvh")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Too short to go far: some of the windows must be of people who stay.
    return write_bank(tmp_path_factory.mktemp("bank") / "bank.npz", names=(*HELD_OUT, "trained"), seconds=1.0)


@pytest.fixture(scope="module")
def people(bank: Path) -> People:
    held_out = load_bank(bank, torch.device("cpu")).subset(held_out=True)
    assert held_out.names == HELD_OUT
    return draw_people(held_out, 4, seed=0, stay=True)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_it_measures_tells_and_draws(bank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lifter = Lifter.load(save_random_lifter(tmp_path / "random.safetensors"), device="cpu")
    results = measure(lifter, bank, windows=2)
    assert [result.sweep for result in results] == list(SWEEPS)
    assert all(np.isfinite([*result.mpjpe_mm, *result.p_mpjpe_mm]).all() for result in results)
    assert all(result.growth(result.mpjpe_mm)[result.sweep.usual] == 0.0 for result in results)
    focal, _, rate, *_ = results
    assert focal.mpjpe_mm[3] == pytest.approx(rate.mpjpe_mm[2])  # the same windows, nothing changed
    assert "Pitch of the camera" in capsys.readouterr().out
    save_plot(tmp_path / "plot.svg", results, limit=0.3)
    assert (tmp_path / "plot.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")


def test_growth_is_told_against_the_usual_value() -> None:
    sweep = SWEEPS[2]
    assert sweep.values[sweep.usual] == 30
    lines = table(SweepResult(sweep, (110.0, 100.0, 100.0, 100.0, 125.0), (50.0,) * 5)).splitlines()
    assert lines[2].split() == ["24", "110.0", "+10.0%", "50.0", "+0.0%"]
    assert lines[-1].split()[:3] == ["worst", "+25.0%", "+0.0%"]


def test_the_frame_rate_changes_neither_poses_nor_errors(people: People) -> None:
    slow = film(people, people.shots, rate_hz=30, generator=generator())
    fast = film(people, people.shots, rate_hz=60, generator=generator())
    assert fast.rays.shape[1] == 2 * slow.rays.shape[1]
    np.testing.assert_allclose(fast.rays[:, ::2], slow.rays, atol=1e-6)
    np.testing.assert_allclose(fast.joints[:, ::2], slow.joints, atol=1e-5)
    np.testing.assert_array_equal(fast.scores[:, ::2], slow.scores)


def test_people_fill_the_picture_as_said(people: People) -> None:
    heights = []
    for fill in (0.25, 0.5):
        shots = dataclasses.replace(
            people.shots, fill=torch.full((4,), fill), pitch_deg=torch.zeros(4), roll_deg=torch.zeros(4)
        )
        rays = film(people, shots, rate_hz=30, generator=generator()).rays
        pixels = np.array([shots.pixels(b)[0] for b in range(4)])[:, None] * np.ptp(rays[..., 1], axis=2)
        heights.append(np.median(pixels, axis=1) / 720)
    np.testing.assert_allclose(heights[0], 0.25, atol=0.06)
    np.testing.assert_allclose(heights[1] / heights[0], 2.0, atol=0.2)


def test_the_pitch_turns_people_in_the_camera(people: People) -> None:
    lean_deg = []
    for pitch_deg in (-40.0, 60.0):
        shots = dataclasses.replace(
            people.shots, pitch_deg=torch.full((4,), pitch_deg), roll_deg=torch.zeros(4)
        )
        joints = film(people, shots, rate_hz=30, generator=generator()).joints
        trunk = joints[:, :, JOINTS.index("thorax")]
        lean_deg.append(np.degrees(np.arctan2(trunk[..., 2], -trunk[..., 1])).mean())
    # From above the upper body is nearer to the camera.
    assert lean_deg[0] == pytest.approx(40.0, abs=8.0)
    assert lean_deg[1] == pytest.approx(-60.0, abs=8.0)


@pytest.mark.parametrize("part", [one.missing for one in SWEEPS[-1].conditions])
def test_about_half_the_keypoints_are_missing(part: str) -> None:
    count = missing_slots(part, np.random.default_rng(0)).sum()
    assert count == 0 if part == "nothing" else 12 <= count <= 16
    assert Condition().missing is None
