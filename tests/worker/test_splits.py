# SPDX-License-Identifier: GPL-3.0-or-later
"""No trial both trains and validates, under whatever name the archives have it."""

from __future__ import annotations

import pytest
import torch

from vp3d_core.train.splits import STATIC_POSE_FRAMES, is_held_out, sampling_weight, trial_of

# How each archive names one trial of subject 5, 2 or 6.
COPIES = [
    ("cmu_subjects/05/05_17.bvh", "cmu_subjects_iclone/005/005_17.bvh", "05_17"),
    ("cmu_subjects/02_01.bvh", "cmu_asfamc/02/02_01.amc", "02_01"),
    ("cmu_subjects_iclone/002/002_05.bvh", "cmu_asfamc/02/02_05.amc", "02_05"),
    ("cmu_subjects/06/06_13.bvh", "cmu_subjects_iclone/006/006_13.bvh", "06_13"),
    ("cmu_subjects/05/05_03.bvh", "cmu_subjects_iclone/005/005_03.bvh", "05_03"),
    ("cmu_asfamc/131/131_03.amc", "cmu_subjects/131_03.bvh", "131_03"),
    ("cmu_asfamc/07/07_11.amc", "cmu_subjects_iclone/007/007_11.bvh", "07_11"),
]
OTHERS = [
    "snu_walking/lastmotion/woddy2_walk_normal_left_45.bvh",
    "cmu_dance/salsa/25.bvh",
    "misc/AnimatedDrawings/examples/bvh/fair1/dab.bvh",
    "cmu_actions/train_walking_9.bvh",
]


@pytest.mark.parametrize(("name", "copy", "trial"), COPIES)
def test_copies_of_a_trial_have_one_name_and_one_side(name: str, copy: str, trial: str) -> None:
    assert trial_of(name) == trial_of(copy) == trial
    assert is_held_out(name) is is_held_out(copy)


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_trials_of_their_own(name: str) -> None:
    assert trial_of(name) == name


def test_both_sides_have_every_kind() -> None:
    names = [name for pair in COPIES for name in pair[:2]]
    names += [f"cmu_subjects/05/05_{n:02d}.bvh" for n in range(1, 21)]
    names += [f"cmu_dance/salsa/{n:02d}.bvh" for n in range(1, 31)]
    held = {name for name in names if is_held_out(name)}
    assert {trial_of(name) for name in held}.isdisjoint(trial_of(name) for name in names if name not in held)
    for folder in ("cmu_subjects/05", "cmu_dance/salsa"):
        share = sum(name.startswith(folder) for name in held) / sum(name.startswith(folder) for name in names)
        assert 0.1 < share < 0.4


def test_the_community_splits_test_half_and_its_twins_are_held_out() -> None:
    assert is_held_out("cmu_actions/test_walking_4.bvh")
    assert is_held_out("cmu_actions/train_walking_27.bvh")
    assert not is_held_out("cmu_actions/train_walking_2.bvh")
    assert not is_held_out("cmu_actions/train_jumping_3.bvh")


def test_the_folder_above_does_not_matter() -> None:
    assert trial_of("05_17.bvh") == trial_of("a/b/05_17.bvh") == "05_17"
    assert trial_of("a/b/105_17.bvh") == "105_17"


def test_rare_movement_is_drawn_more_often() -> None:
    names = (
        "snu_walking/a.bvh",
        "misc/MASS/backflip.bvh",
        "cmu_subjects/06/06_02.bvh",
        "misc/makehuman/sit.bvh",
    )
    weights = sampling_weight(names, torch.tensor([1000, 1000, 1000, 1]))
    walk, flip, ball, pose = weights.tolist()
    assert walk < ball < flip
    assert pose == pytest.approx(4.0 * STATIC_POSE_FRAMES)
