# SPDX-License-Identifier: GPL-3.0-or-later
"""Mocap that does not tell when feet stand: planting must not bend what was right."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.synthetic import walking_motion
from tests.unit.retarget.rigs import family_rig
from tests.unit.retarget.test_families import limb_errors_deg
from vp3d_core.retarget.auto_map import guess_map
from vp3d_core.retarget.foot_points import standing_feet
from vp3d_core.retarget.retarget import retarget
from vp3d_core.retarget.rig_maps import FAMILIES
from vp3d_core.retarget.settings import RetargetSettings
from vp3d_core.retarget.source_map import guess_source_map
from vp3d_core.retarget.source_motion import read_source

RATE_HZ = 30.0


def blind(motion):
    return dataclasses.replace(motion, contacts=np.zeros((len(motion.root_positions), 0)))


def standing(motion):
    return standing_feet(read_source(motion, guess_source_map(motion.skeleton)), RATE_HZ)


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_a_walks_contacts_are_found(seed):
    motion = walking_motion(seed, num_frames=60)
    found, known = standing(blind(motion)), motion.contacts > 0.5
    assert (found != known).mean() < 0.12
    # What stands wrongly does harm, what does not stand hardly any.
    assert (found & ~known).mean() < 0.04


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_planting_keeps_the_legs_of_a_walk(seed):
    motion = walking_motion(seed, num_frames=60)
    rig = family_rig(next(family for family in FAMILIES if family.name == "mixamo"), seed=seed)
    curves = retarget(blind(motion), rig, guess_map(rig), RetargetSettings(), frames_per_second=RATE_HZ)
    errors = limb_errors_deg(motion, rig, guess_map(rig), curves)
    assert np.percentile(errors, 99) < 6.0


def test_a_sliding_foot_does_not_stand():
    motion = walking_motion(3, num_frames=60)
    still = dataclasses.replace(
        motion,
        rotations=np.repeat(motion.rotations[:1], 60, axis=0),
        root_positions=np.repeat(motion.root_positions[:1], 60, axis=0),
    )
    assert standing(blind(still)).any(axis=1).all()
    slide = np.linspace(0.0, 0.28, 60)[:, None] * [1.0, 0.0, 0.0]  # 0.14 m/s
    sliding = dataclasses.replace(still, root_positions=still.root_positions + slide)
    assert not standing(blind(sliding)).any()
