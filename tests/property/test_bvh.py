# SPDX-License-Identifier: GPL-3.0-or-later
"""Any motion of any skeleton comes back from a BVH with its joints where they were."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings

from tests.property.motions import motions
from vp3d_core import bvh
from vp3d_core.motion import Motion


@settings(max_examples=50, deadline=None)
@given(motions())
def test_round_trip_keeps_positions(motion: Motion) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bvh.save(Path(folder) / "m.bvh", motion)
        again = bvh.load(Path(folder) / "m.bvh")
    order = [again.skeleton.names.index(name) for name in motion.skeleton.names]
    assert np.abs(again.joints_world()[:, order] - motion.joints_world()).max() < 1e-4
    assert abs(again.frame_rate_hz - motion.frame_rate_hz) < 1e-4 * motion.frame_rate_hz
