# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import numpy as np

from vp3d_core.confidence import DoubtfulStretch, doubtful_stretches
from vp3d_core.motion import Motion
from vp3d_core.skeletons import MOTION_SKELETON_NAMES


def with_doubt(motion: Motion, *stretches: slice, joints: tuple[str, ...] | None = None) -> Motion:
    sure = np.full(motion.confidence.shape, 0.9)
    columns = [MOTION_SKELETON_NAMES.index(name) for name in joints or MOTION_SKELETON_NAMES]
    for stretch in stretches:
        sure[stretch, columns] = 0.125
    return dataclasses.replace(motion, confidence=sure)


def test_a_sure_motion_has_none(walking_motion: Motion) -> None:
    assert not doubtful_stretches(with_doubt(walking_motion))


def test_doubt_of_the_whole_body_is_named_once(walking_motion: Motion) -> None:
    found = doubtful_stretches(with_doubt(walking_motion, slice(10, 30)))
    assert found == [DoubtfulStretch(10, 29, "body", 0.125)]


def test_short_gaps_are_closed_and_short_doubts_left_out(walking_motion: Motion) -> None:
    joints = ("left_hip", "left_knee", "left_ankle", "left_toe", "left_heel")
    motion = with_doubt(walking_motion, slice(2, 4), slice(20, 30), slice(34, 44), joints=joints)
    assert [(each.first, each.last, each.part) for each in doubtful_stretches(motion)] == [
        (20, 43, "left leg")
    ]
