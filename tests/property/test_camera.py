# SPDX-License-Identifier: GPL-3.0-or-later
"""Projecting and back-projecting are inverse to each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.synthetic import look_at
from vp3d_core.camera import Camera, intrinsics_from_focal

SIZE = (1280, 720)


@st.composite
def cameras(draw: st.DrawFn) -> Camera:
    intrinsics = intrinsics_from_focal(draw(st.floats(600.0, 3000.0)), image_size=SIZE)
    distortion = None
    if draw(st.booleans()):
        k1, k2 = draw(st.floats(-0.2, 0.1)), draw(st.floats(-0.05, 0.05))
        p1, p2 = draw(st.floats(-0.002, 0.002)), draw(st.floats(-0.002, 0.002))
        distortion = np.array([k1, k2, p1, p2, 0.0])
    azimuth, height = draw(st.floats(-np.pi, np.pi)), draw(st.floats(0.2, 4.0))
    eye = np.array([6.0 * np.cos(azimuth), 6.0 * np.sin(azimuth), height])
    return Camera(intrinsics, distortion, look_at(eye, np.array([0.0, 0.0, 1.0])))


OFFSETS = st.tuples(st.floats(-0.6, 0.6), st.floats(-0.35, 0.35), st.floats(1.0, 20.0)).map(np.array)


@given(cameras(), OFFSETS)
def test_rays_of_projected_points_point_at_them(camera: Camera, slant: np.ndarray) -> None:
    point = np.array([slant[0] * slant[2], slant[1] * slant[2], slant[2]])
    rays = camera.rays(camera.project_camera_points(point))
    np.testing.assert_allclose(rays, slant[:2], atol=2e-4)  # the lens is inverted by iteration


@given(cameras(), OFFSETS)
def test_world_and_camera_axes_are_inverse(camera: Camera, point: np.ndarray) -> None:
    rotation, centre = camera.world_from_camera[:3, :3], camera.world_from_camera[:3, 3]
    np.testing.assert_allclose(camera.camera_points((rotation @ point + centre)[None])[0], point, atol=1e-9)
