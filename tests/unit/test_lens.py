# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from vp3d_core.camera import intrinsics_from_focal
from vp3d_core.lens import blender_places, lens_of


def test_a_camera_in_the_middle_has_no_shift() -> None:
    lens = lens_of(
        intrinsics_from_focal(1280.0, image_size=(1280, 720)), image_size=(1280, 720), frame_aspect=16 / 9
    )
    assert lens.sensor_fit == "HORIZONTAL"
    assert (lens.focal_mm, lens.shift_x, lens.shift_y) == pytest.approx((36.0, 0.0, 0.0))


def test_in_a_wider_frame_the_heights_agree() -> None:
    lens = lens_of(
        intrinsics_from_focal(960.0, image_size=(540, 960)), image_size=(540, 960), frame_aspect=16 / 9
    )
    assert lens.sensor_fit == "VERTICAL"
    assert lens.focal_mm == pytest.approx(36.0)


def test_a_camera_looks_along_its_minus_z() -> None:
    place = blender_places(np.eye(4))
    np.testing.assert_array_equal(place[:3, 2], [0.0, 0.0, -1.0])
    np.testing.assert_array_equal(place[:3, 1], [0.0, -1.0, 0.0])
