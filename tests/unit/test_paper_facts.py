# SPDX-License-Identifier: GPL-3.0-or-later
"""What the paper fixes: chunks, subsets, schedules, layouts, units. No torch needed."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from vp3d_core.errors import SkeletonMismatch
from vp3d_core.paper.layouts import (
    H36M_17,
    H36M_17_OF_32,
    H36M_32,
    HUMANEVA_15,
    HUMANEVA_20,
    joint_layout,
    keypoint_layout,
)
from vp3d_core.paper.schedule import batchnorm_momentum, learning_rate
from vp3d_core.paper.subsets import subset_slice


@pytest.mark.parametrize(("epoch", "momentum"), [(0, 0.1), (30, 0.01), (60, 0.001)])
def test_batchnorm_momentum_falls_to_a_hundredth(epoch: int, momentum: float) -> None:
    assert batchnorm_momentum(epoch, 60) == pytest.approx(momentum)


def test_the_learning_rate_falls_by_a_twentieth_an_epoch() -> None:
    assert learning_rate(0, initial=1e-3, decay=0.95) == 1e-3
    assert learning_rate(2, initial=1e-3, decay=0.95) == pytest.approx(1e-3 * 0.9025)


@pytest.mark.parametrize("num_frames", [100, 1383, 5873])
@pytest.mark.parametrize(("fraction", "step"), [(0.1, 1), (0.01, 1), (0.5, 5), (0.1, 3)])
def test_a_subset_is_one_run_whose_place_is_hashed(num_frames: int, fraction: float, step: int) -> None:
    chosen = subset_slice(num_frames, fraction=fraction, step=step)
    frames = np.arange(num_frames)[chosen]
    assert len(frames) == round(num_frames // step * fraction)
    assert (np.diff(frames) == step).all()
    length = len(frames) * step
    share = np.frombuffer(hashlib.sha256(str(num_frames).encode()).digest()[:4], "<u4")[0] / (2**32 - 1)
    assert chosen.start == int(np.floor(share * (num_frames - length + 1)))


def test_the_place_of_a_subset_by_hand() -> None:
    # sha256("100") begins ad 57 36 68: 0x683657ad / (2^32 - 1) = 0.40708; times 91 places: 37.04.
    assert hashlib.sha256(b"100").hexdigest().startswith("ad573668")
    assert subset_slice(100, fraction=0.1) == slice(37, 47, 1)


def test_whole_sequences_are_only_thinned() -> None:
    assert subset_slice(11, fraction=1.0, step=5) == slice(0, 11, 5)
    with pytest.raises(ValueError, match="no subset"):
        subset_slice(10, fraction=0.0)


def test_seventeen_joints_are_the_ones_of_the_32_that_move() -> None:
    removed = [4, 5, 9, 10, 11, 16, 20, 21, 22, 23, 24, 28, 29, 30, 31]
    assert list(H36M_17_OF_32) == [joint for joint in range(32) if joint not in removed]
    place = {joint: index for index, joint in enumerate(H36M_17_OF_32)}
    for joint, index in place.items():
        parent = H36M_32.parents[joint]
        while parent >= 0 and parent not in place:
            parent = H36M_32.parents[parent]
        expected = 8 if index in (11, 14) else place.get(parent, -1)
        assert H36M_17.parents[index] == expected


@pytest.mark.parametrize("layout", [H36M_17, H36M_32, HUMANEVA_15, HUMANEVA_20])
def test_mirrors_are_their_own_inverse_and_keep_the_tree(layout: object) -> None:
    assert layout is joint_layout(len(layout.parents))  # type: ignore[attr-defined]
    mirror = layout.mirror  # type: ignore[attr-defined]
    assert [mirror[index] for index in mirror] == list(range(len(mirror)))
    for joint, parent in layout.bones:  # type: ignore[attr-defined]
        assert layout.parents[mirror[joint]] == mirror[parent]  # type: ignore[attr-defined]


def test_keypoints_are_known_by_name_by_number_or_by_their_symmetry() -> None:
    assert keypoint_layout("coco", 17, symmetry=None).mirror[1] == 2
    assert keypoint_layout(None, 17, symmetry=None).name == "h36m"
    assert keypoint_layout(None, 16, symmetry=None).name == "mpii"
    named = keypoint_layout("other", 5, symmetry=[[1, 3], [2, 4]])
    assert named.mirror == (0, 2, 1, 4, 3)
    with pytest.raises(SkeletonMismatch, match="no keypoints_symmetry"):
        keypoint_layout("other", 5, symmetry=None)
    with pytest.raises(SkeletonMismatch, match="21 joints"):
        joint_layout(21)
