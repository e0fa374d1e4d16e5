# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vp3d_core.camera import Camera
from vp3d_core.motion import Motion, MotionSkeleton, forward_kinematics
from vp3d_core.rotations import quat_from_axis_angle
from vp3d_core.skeletons import JOINTS


def test_a_bent_chain_ends_where_it_should() -> None:
    skeleton = MotionSkeleton(("a", "b", "c"), (-1, 0, 1), np.array([[0.0, 0, 0], [1, 0, 0], [1, 0, 0]]))
    quarter = quat_from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(np.pi / 2))
    rotations = np.stack([quarter, quarter, quarter])[None]
    positions, turns = forward_kinematics(skeleton, np.array([[5.0, 0.0, 0.0]]), rotations)
    assert positions[0] == pytest.approx(np.array([[5.0, 0, 0], [5, 1, 0], [4, 1, 0]]))
    assert abs(turns[0, 2] @ [np.cos(3 * np.pi / 4), 0, 0, np.sin(3 * np.pi / 4)]) == pytest.approx(1.0)


def test_parents_may_come_after_their_children() -> None:
    skeleton = MotionSkeleton(("c", "b", "a"), (1, 2, -1), np.array([[1.0, 0, 0], [1, 0, 0], [0, 0, 0]]))
    assert skeleton.order() == (2, 1, 0)
    rotations = np.tile([1.0, 0, 0, 0], (1, 3, 1))
    assert forward_kinematics(skeleton, np.zeros((1, 3)), rotations)[0][0, :, 0] == pytest.approx(
        [2.0, 1.0, 0.0]
    )


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        MotionSkeleton(("a", "b"), (1, 0), np.zeros((2, 3)))


def test_two_roots_and_none_are_refused() -> None:
    with pytest.raises(ValueError, match="2 roots, expected one"):
        MotionSkeleton(("a", "b"), (-1, -1), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="0 roots, expected one"):
        MotionSkeleton((), (), np.zeros((0, 3)))


def test_rest_pose_faces_minus_y_with_left_at_plus_x(walking_motion: Motion) -> None:
    count = len(walking_motion.skeleton.names)
    rest, _ = forward_kinematics(
        walking_motion.skeleton, np.zeros((1, 3)), np.tile([1.0, 0, 0, 0], (1, count, 1))
    )
    assert walking_motion.skeleton.names[:25] == JOINTS.points
    assert rest[0, JOINTS.index("left_hand"), 0] > 0.6
    assert rest[0, JOINTS.index("nose"), 1] < rest[0, JOINTS.index("left_ear"), 1]
    assert rest[0, JOINTS.index("left_toe"), 1] < rest[0, JOINTS.index("left_heel"), 1]


def test_times_follow_the_frame_rate(walking_motion: Motion) -> None:
    late = dataclasses.replace(walking_motion, start_time_s=2.0)
    assert late.times_s[:3] == pytest.approx([2.0, 2.0 + 1 / 30, 2.0 + 2 / 30])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rotations": np.ones((60, 29, 4))}, "unit quaternions"),
        ({"root_positions": np.full((60, 3), np.nan)}, "not finite"),
        ({"confidence": np.ones((60, 3))}, "confidence has shape"),
        ({"frame_rate_hz": 0.0}, "frame_rate_hz is 0"),
        ({"frame_rate_hz": np.inf}, "frame_rate_hz is inf"),
        ({"frame_rate_hz": np.nan}, "frame_rate_hz is nan"),
        ({"start_time_s": np.nan}, "start_time_s is nan"),
        ({"start_time_s": -np.inf}, "start_time_s is -inf"),
        ({"image_size": (1280, 0)}, r"image_size is \(1280, 0\)"),
    ],
)
def test_invalid_motions_are_refused(
    walking_motion: Motion, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(walking_motion, **changes)  # type: ignore[arg-type]


def test_a_moving_camera_has_a_place_a_frame(walking_motion: Motion) -> None:
    camera = walking_motion.camera
    assert camera is not None
    places = np.tile(camera.world_from_camera, (60, 1, 1))
    moving = dataclasses.replace(camera, world_from_camera=places.astype(np.float32))
    dataclasses.replace(walking_motion, camera=moving)
    late = dataclasses.replace(camera, world_from_camera=places[1:])
    with pytest.raises(ValueError, match="59 places, expected one or those of 60 frames"):
        dataclasses.replace(walking_motion, camera=late)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (np.diag([2.0, 2.0, 2.0, 1.0]), "without scale, shear or mirroring"),
        (np.eye(4) + np.eye(4, k=1), "without scale, shear or mirroring"),
        (np.diag([-1.0, 1.0, 1.0, 1.0]), "without scale, shear or mirroring"),
        (np.diag([1.0, 1.0, 1.0, 0.0]), "last rows"),
    ],
)
def test_what_is_no_place_of_a_camera_is_refused(
    walking_motion: Motion, place: np.ndarray, message: str
) -> None:
    assert walking_motion.camera is not None
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(walking_motion, camera=Camera(walking_motion.camera.intrinsics, None, place))


def test_intrinsics_end_as_those_of_a_pinhole(walking_motion: Motion) -> None:
    with pytest.raises(ValueError, match="last rows"):
        dataclasses.replace(walking_motion, camera=Camera(np.diag([900.0, 900.0, 2.0])))
