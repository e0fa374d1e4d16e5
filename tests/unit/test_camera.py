# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from tests.synthetic import look_at
from vp3d_core.camera import (
    Camera,
    focal_px_from_fov,
    focal_px_from_mm,
    intrinsics_from_focal,
)

SIZE = (1280, 720)
INTRINSICS = intrinsics_from_focal(1000.0, image_size=SIZE)


def test_the_optical_axis_meets_the_middle_of_the_picture() -> None:
    assert Camera(INTRINSICS).project_camera_points(np.array([0.0, 0.0, 3.0])) == pytest.approx(
        [639.5, 359.5]
    )


def test_x_is_right_and_y_is_down() -> None:
    xy = Camera(INTRINSICS).project_camera_points(np.array([[0.3, 0.0, 3.0], [0.0, 0.3, 3.0]]))
    assert xy == pytest.approx(np.array([[739.5, 359.5], [639.5, 459.5]]))


def test_behind_the_camera_is_nan() -> None:
    xy = Camera(INTRINSICS).project_camera_points(np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]))
    assert np.isnan(xy).all()


def test_projection_agrees_with_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    distortion = np.array([-0.2, 0.08, 0.002, -0.001, 0.01])
    world_from_camera = look_at(np.array([3.0, -4.0, 1.7]), np.array([0.0, 0.0, 1.0]))
    points = rng.uniform(-1.0, 1.0, (20, 3)) + [0.0, 0.0, 1.0]
    camera_from_world = np.linalg.inv(world_from_camera)
    turn, _ = cv2.Rodrigues(camera_from_world[:3, :3])
    wanted, _ = cv2.projectPoints(points, turn, camera_from_world[:3, 3], INTRINSICS, distortion)
    camera = Camera(INTRINSICS, distortion, world_from_camera)
    assert camera.project_world_points(points) == pytest.approx(wanted[:, 0], abs=1e-6)


def test_a_moving_camera_takes_its_place_from_each_frame() -> None:
    places = np.stack([look_at(np.array([x, -4.0, 1.5]), np.array([0.0, 0.0, 1.0])) for x in (0.0, 1.0)])
    points = np.tile(np.array([0.2, 0.1, 1.3]), (2, 5, 1))
    moving = Camera(INTRINSICS, None, places).project_world_points(points)
    for frame in range(2):
        still = Camera(INTRINSICS, None, places[frame]).project_world_points(points[frame])
        assert moving[frame] == pytest.approx(still)


def test_focal_lengths() -> None:
    assert focal_px_from_fov(90.0, width=1000) == pytest.approx(500.0)
    assert focal_px_from_mm(43.267, image_size=(1600, 1200)) == pytest.approx(2000.0)


def test_wrong_shapes_and_focal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"intrinsics has shape \(2, 2\)"):
        Camera(np.eye(2))
    with pytest.raises(ValueError, match="distortion has shape"):
        Camera(INTRINSICS, np.zeros(4))
    with pytest.raises(ValueError, match="focal lengths"):
        Camera(np.diag([0.0, 1.0, 1.0]))
