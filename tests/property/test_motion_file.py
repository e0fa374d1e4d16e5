# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion file gives back exactly what was saved."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings

from tests.property.motions import motions
from vp3d_core import motion_file
from vp3d_core.motion import Motion


@settings(max_examples=50, deadline=None)
@given(motions())
def test_round_trip_is_exact(motion: Motion) -> None:
    with tempfile.TemporaryDirectory() as folder:
        motion_file.save(Path(folder) / "m.npz", motion)
        again = motion_file.load(Path(folder) / "m.npz")
    for name in ("root_positions", "rotations", "contacts", "confidence"):
        np.testing.assert_array_equal(getattr(again, name), getattr(motion, name))
    np.testing.assert_array_equal(again.skeleton.rest_offsets, motion.skeleton.rest_offsets)
    assert again.skeleton.names == motion.skeleton.names
    assert again.skeleton.parents == motion.skeleton.parents
    assert (again.frame_rate_hz, again.start_time_s) == (motion.frame_rate_hz, motion.start_time_s)
    assert (again.meta, again.image_size) == (motion.meta, motion.image_size)
    assert (again.camera is None) == (motion.camera is None)
    if again.camera and motion.camera:
        np.testing.assert_array_equal(again.camera.intrinsics, motion.camera.intrinsics)
