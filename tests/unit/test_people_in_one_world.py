# SPDX-License-Identifier: GPL-3.0-or-later
"""Several people in one world: each at their size, in their place and on what they stand on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.synthetic import seen_keypoints, true_pose, walking_motion
from vp3d_core.arrays import Array
from vp3d_core.capture.people_stages import fit_people
from vp3d_core.capture.progress import Progress
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.motion import Motion
from vp3d_core.pose import Pose3D, Trajectory
from vp3d_core.skeletons import JOINTS, MOTION_SKELETON_NAMES, SLOTS

HEIGHT_M = 1.7
Person = tuple[Keypoints2D, Pose3D, Trajectory]


@pytest.fixture(scope="module")
def walk() -> Motion:
    return walking_motion(3, num_frames=90)


def moved(motion: Motion, offset: tuple[float, float, float]) -> Motion:
    return dataclasses.replace(motion, root_positions=motion.root_positions + np.array(offset))


def taller(motion: Motion, factor: float) -> Motion:
    skeleton = dataclasses.replace(motion.skeleton, rest_offsets=motion.skeleton.rest_offsets * factor)
    root = motion.root_positions * [1.0, 1.0, factor]
    return dataclasses.replace(motion, skeleton=skeleton, root_positions=root)


def seen_as(motion: Motion, *, of_true_size: float = 1.0) -> Person:
    """Return what is known of a person when only the size, and with it the distance, can be wrong."""
    pose, path = true_pose(motion)
    pose = dataclasses.replace(pose, joints=pose.joints * of_true_size)
    return seen_keypoints(motion, noise_px=0.0), pose, Trajectory(path.root * of_true_size)


def captured(*people: Person, camera_of: Motion) -> list[Motion]:
    assert camera_of.camera is not None
    return fit_people(
        [(number, keypoints) for number, (keypoints, _, _) in enumerate(people)],
        [pose for _, pose, _ in people],
        [path for _, _, path in people],
        dataclasses.replace(camera_of.camera, world_from_camera=np.eye(4)),
        height_m=HEIGHT_M,
        frame_rate_hz=30.0,
        smooth=False,
        meta={},
        progress=Progress(None, ()),
    )


def top_m(motion: Motion) -> Array:
    """Return (T,) the height of the top of the head."""
    return motion.joints_world()[:, MOTION_SKELETON_NAMES.index("head_top"), 2]


def apart_m(first: Motion, second: Motion) -> Array:
    """Return (T,) how far two people are from each other over the floor."""
    return np.linalg.norm((second.root_positions - first.root_positions)[:, :2], axis=-1)


@pytest.mark.parametrize("sizes", [(1.1, 0.9), (1.25, 0.75), (0.75, 1.25), (1.2, 1.2, 0.6)])
def test_adults_and_children_are_of_their_heights_and_on_one_floor(
    walk: Motion, sizes: tuple[float, ...]
) -> None:
    places = (0.0, 0.0, 0.0), (0.5, 1.0, 0.0), (-0.6, 0.5, 0.0)
    people = [taller(moved(walk, place), size) for place, size in zip(places, sizes, strict=False)]
    taken_as_equal = [seen_as(one, of_true_size=1 / size) for one, size in zip(people, sizes, strict=True)]
    found = captured(*taken_as_equal, camera_of=walk)
    for size, true, one in zip(sizes, people, found, strict=True):
        assert one.meta["height_m"] == pytest.approx(size * HEIGHT_M, abs=0.03)
        assert one.meta["standing_height_m"] == 0.0
        assert top_m(one) == pytest.approx(top_m(true), abs=0.06)
        assert apart_m(found[0], one) == pytest.approx(apart_m(people[0], true), abs=0.1)
    assert found[0].root_positions[0, :2] == pytest.approx([0.0, 0.0], abs=0.06)


def test_a_child_does_not_lift_who_is_on_the_roof(walk: Motion) -> None:
    adult, child = taller(walk, 1.25), taller(moved(walk, (0.5, 1.0, 0.0)), 0.75)
    people = seen_as(adult, of_true_size=0.8), seen_as(child, of_true_size=1 / 0.75)
    *both, found = captured(*people, seen_as(moved(walk, (-1.0, 1.0, 2.5))), camera_of=walk)
    assert [one.meta["standing_height_m"] for one in both] == [0.0, 0.0]
    assert found.meta["height_m"] == HEIGHT_M
    assert found.meta["standing_height_m"] == pytest.approx(2.5, abs=0.05)


def test_who_stands_on_a_roof_stays_up_there(walk: Motion) -> None:
    roof = moved(walk, (-1.0, 1.0, 2.0))
    ground, found = captured(seen_as(walk), seen_as(roof), camera_of=walk)
    assert found.meta["height_m"] == HEIGHT_M
    assert found.meta["standing_height_m"] == pytest.approx(2.0, abs=0.05)
    assert found.root_positions[:, 2] - ground.root_positions[:, 2] == pytest.approx(
        np.full(90, 2.0), abs=0.05
    )
    assert apart_m(ground, found) == pytest.approx(apart_m(walk, roof), abs=0.05)


def test_everybody_is_where_the_one_camera_sees_them(walk: Motion) -> None:
    people = seen_as(walk), seen_as(moved(walk, (0.5, 1.0, 0.0)))
    top = SLOTS.index("head_top")
    for (keypoints, _, _), found in zip(people, captured(*people, camera_of=walk), strict=True):
        assert found.camera is not None
        xy = found.camera.project_world_points(found.joints_world())
        distances_px = np.linalg.norm(xy[:, JOINTS.index("head_top")] - keypoints.xy[:, top], axis=-1)
        assert distances_px.max() < 10.0  # of some 300 from head to foot
