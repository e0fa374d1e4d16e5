# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.seen_people import moved, seen, with_up
from tests.synthetic import look_at, walking_motion
from vp3d_core.arrays import Array
from vp3d_core.ground import FEET, estimate_world, standing_contacts
from vp3d_core.motion import Motion
from vp3d_core.pose import Pose3D, Trajectory
from vp3d_core.rotations import IDENTITY
from vp3d_core.skeletons import JOINTS
from vp3d_core.standing_level import floor_drift, own_level, standing_level, to_world

PELVIS = 0


def tilt_deg(world_from_camera: Array, motion: Motion) -> float:
    assert motion.camera is not None
    cosine = world_from_camera[2, :3] @ motion.camera.world_from_camera[2, :3]
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


def test_a_known_up_and_standing_feet_give_the_camera(walking_motion: Motion) -> None:
    assert walking_motion.camera is not None
    pose, trajectory = seen(walking_motion)
    world = estimate_world([with_up(pose, walking_motion)], [trajectory])
    assert tilt_deg(world, walking_motion) < 0.5
    assert world[2, 3] == pytest.approx(walking_motion.camera.world_from_camera[2, 3], abs=0.03)


def test_the_world_is_the_cameras_heading_and_the_first_persons_place(walking_motion: Motion) -> None:
    pose, trajectory = seen(walking_motion)
    world = estimate_world([with_up(pose, walking_motion)], [trajectory])
    assert world[:3, :3] @ world[:3, :3].T == pytest.approx(np.eye(3))
    assert np.linalg.det(world[:3, :3]) == pytest.approx(1.0)
    heading = world[:3, 2]
    assert heading[0] == pytest.approx(0.0, abs=1e-9)
    assert heading[1] > 0
    joints = to_world(pose, trajectory, world)
    assert joints[0, PELVIS, :2] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert 0.7 < joints[0, PELVIS, 2] < 1.1


def test_walking_over_the_floor_corrects_a_wrong_up() -> None:
    motion = walking_motion(5, num_frames=300)
    pose, trajectory = seen(motion)
    wrong = with_up(pose, motion, error_deg=4.0)
    alone = estimate_world([dataclasses.replace(wrong, contacts=0 * pose.contacts)], [trajectory])
    assert tilt_deg(alone, motion) == pytest.approx(4.0, abs=0.1)
    assert tilt_deg(estimate_world([wrong], [trajectory]), motion) < 1.5


def test_a_person_on_the_spot_keeps_the_lifters_up(walking_motion: Motion) -> None:
    pose, trajectory = seen(walking_motion)
    still = Pose3D(
        np.repeat(pose.joints[:1], 60, axis=0) + np.random.default_rng(0).normal(0, 0.02, (60, 25, 3)),
        pose.times_s,
        pose.sigma,
        np.ones((60, 4)),
        with_up(pose, walking_motion).up,
    )
    world = estimate_world([still], [Trajectory(np.repeat(trajectory.root[:1], 60, axis=0))])
    assert tilt_deg(world, walking_motion) < 2.0


def test_without_up_the_torso_tells(walking_motion: Motion) -> None:
    pose, trajectory = seen(walking_motion)
    blind = dataclasses.replace(pose, contacts=0 * pose.contacts)
    world = estimate_world([blind], [trajectory])
    assert tilt_deg(world, walking_motion) < 4.0
    lowest = to_world(blind, trajectory, world)[..., 2].min()
    assert lowest == pytest.approx(0.0, abs=0.1)


def test_two_people_share_a_world() -> None:
    first = walking_motion(6)
    second = dataclasses.replace(walking_motion(7), camera=first.camera)
    (pose_a, path_a), (pose_b, path_b) = seen(first), seen(second)
    pose_a, pose_b = with_up(pose_a, first), with_up(pose_b, first)
    world = estimate_world([pose_a, pose_b], [path_a, path_b])
    for pose, path in ((pose_a, path_a), (pose_b, path_b)):
        assert to_world(pose, path, world)[..., 2].min() == pytest.approx(0.02, abs=0.03)


def test_a_camera_that_looks_straight_down() -> None:
    motion = walking_motion(8)
    assert motion.camera is not None
    above = look_at(np.array([0.0, -0.001, 6.0]), np.zeros(3))
    motion = dataclasses.replace(motion, camera=dataclasses.replace(motion.camera, world_from_camera=above))
    pose, trajectory = seen(motion)
    world = estimate_world([with_up(pose, motion)], [trajectory])
    assert tilt_deg(world, motion) < 1.0
    assert world[2, 3] == pytest.approx(6.0, abs=0.05)


def test_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="0 poses"):
        estimate_world([], [])


def test_somebody_on_a_roof_stays_there_and_does_not_tilt_the_floor(walking_motion: Motion) -> None:
    ground, roof = moved(walking_motion, (0.0, 0.0, 0.0)), moved(walking_motion, (-1.5, 2.0, 2.0))
    poses, paths = [ground[0], roof[0]], [ground[1], roof[1]]
    world = estimate_world(poses, paths)
    assert tilt_deg(world, walking_motion) < 1.0
    level = own_level(floor_drift(to_world(*roof, world), contacts=roof[0].contacts, times_s=roof[0].times_s))
    assert level == pytest.approx(2.0, abs=0.1)
    assert (
        own_level(
            floor_drift(to_world(*ground, world), contacts=ground[0].contacts, times_s=ground[0].times_s)
        )
        == 0.0
    )


def test_people_far_apart_tell_the_tilt(walking_motion: Motion) -> None:
    near, far = moved(walking_motion, (0.0, 0.0, 0.0)), moved(walking_motion, (0.5, 6.0, 0.0))
    wrong = [with_up(pose, walking_motion, error_deg=3.0) for pose in (near[0], far[0])]
    together = tilt_deg(estimate_world(wrong, [near[1], far[1]]), walking_motion)
    alone = tilt_deg(estimate_world(wrong[:1], [near[1]]), walking_motion)
    assert together <= alone + 0.1
    assert together < 2.0


def test_feet_outside_the_picture_do_not_set_the_floor(walking_motion: Motion) -> None:
    pose, trajectory = moved(walking_motion, (0.0, 0.0, 0.0))
    assert walking_motion.camera is not None
    up = walking_motion.camera.world_from_camera[2, :3]
    joints, sigma, contacts = pose.joints.copy(), pose.sigma.copy(), pose.contacts.copy()
    joints[:12, FEET] -= 0.6 * up  # guessed, as the sigma says
    sigma[:12] *= 3.0
    contacts[:12] = 0.0
    guessed = dataclasses.replace(pose, joints=joints, sigma=sigma, contacts=contacts)
    height_m = estimate_world([pose], [trajectory])[2, 3]
    assert estimate_world([guessed], [trajectory])[2, 3] == pytest.approx(height_m, abs=0.03)
    told = dataclasses.replace(guessed, sigma=pose.sigma)
    assert estimate_world([told], [trajectory])[2, 3] > height_m + 0.1


def standing(motion: Motion) -> tuple[Pose3D, Trajectory]:
    """Return a person who stands flat half-way: toes 0.02 m above the floor, heels 0.025 m."""
    place = motion.root_positions[30] * [1.0, 1.0, 0.0] + [0.0, 0.0, 0.93]
    still = dataclasses.replace(
        motion,
        root_positions=np.tile(place, (60, 1)),
        rotations=np.tile(IDENTITY, (60, 29, 1)),
        contacts=np.ones((60, 4)),
    )
    pose, trajectory = seen(still)
    heels = [JOINTS.index("left_heel"), JOINTS.index("right_heel")]
    assert motion.camera is not None
    pose.joints[:, heels] += 0.005 * motion.camera.world_from_camera[2, :3]
    return with_up(pose, motion), trajectory


def shifted(person: tuple[Pose3D, Trajectory], motion: Motion, offset: Array) -> tuple[Pose3D, Trajectory]:
    """Return the same person at another place in the world."""
    assert motion.camera is not None
    return person[0], Trajectory(person[1].root + offset @ motion.camera.world_from_camera[:3, :3])


def ahead(motion: Motion) -> Array:
    path = (motion.root_positions[-1] - motion.root_positions[0]) * [1.0, 1.0, 0.0]
    return path / np.linalg.norm(path)


def test_toes_and_heels_of_flat_feet_are_inside_the_foot(walking_motion: Motion) -> None:
    pose, trajectory = standing(walking_motion)
    assert walking_motion.camera is not None
    world = estimate_world([pose], [trajectory])
    assert world[2, 3] == pytest.approx(walking_motion.camera.world_from_camera[2, 3], abs=1e-3)
    feet = to_world(pose, trajectory, world)[:, FEET, 2]
    assert feet == pytest.approx(np.tile([0.02, 0.025, 0.02, 0.025], (60, 1)), abs=1e-3)
    assert standing_level(pose, trajectory, world) == pytest.approx(0.0, abs=1e-3)


def test_feet_seen_far_below_the_contacts_lower_the_floor(walking_motion: Motion) -> None:
    pose, trajectory = standing(walking_motion)
    assert walking_motion.camera is not None
    up = walking_motion.camera.world_from_camera[2, :3]
    above = np.repeat([1.0, 0.0], [40, 20])[:, None]
    raised = Trajectory(trajectory.root + above * up)
    world = estimate_world([dataclasses.replace(pose, contacts=above * np.ones(4))], [raised])
    assert world[2, 3] == pytest.approx(walking_motion.camera.world_from_camera[2, 3], abs=0.11)


@pytest.mark.parametrize("rise_m", [0.5, 1.0])
def test_a_jump_onto_a_box_does_not_tip_the_floor(rise_m: float) -> None:
    motion = walking_motion(5, num_frames=300)
    root = motion.root_positions.copy()
    root[280:, 2] += rise_m
    motion = dataclasses.replace(motion, root_positions=root)
    pose, trajectory = seen(motion)
    assert tilt_deg(estimate_world([with_up(pose, motion)], [trajectory]), motion) < 0.8


def test_stairs_do_not_tip_the_floor_as_much_as_they_are_steep() -> None:
    motion = walking_motion(5, num_frames=300)
    root = motion.root_positions.copy()
    root[:, 2] += 0.6 * np.linalg.norm((root - root[0])[:, :2], axis=-1)  # 31 degrees
    motion = dataclasses.replace(motion, root_positions=root)
    pose, trajectory = seen(motion)
    assert tilt_deg(estimate_world([with_up(pose, motion)], [trajectory]), motion) < 8.0


def test_people_who_stand_apart_tell_the_tilt_by_their_common_level(walking_motion: Motion) -> None:
    near = standing(walking_motion)
    far = shifted(near, walking_motion, 6.0 * ahead(walking_motion))
    wrong = [with_up(pose, walking_motion, error_deg=3.0) for pose, _ in (near, far)]
    assert tilt_deg(estimate_world(wrong[:1], [near[1]]), walking_motion) == pytest.approx(3.0, abs=0.1)
    assert tilt_deg(estimate_world(wrong, [near[1], far[1]]), walking_motion) < 2.3


@pytest.mark.parametrize("contact", [0.0, 1.0])
def test_in_a_handstand_the_lowest_of_the_body_tells_the_floor(
    walking_motion: Motion, contact: float
) -> None:
    pose, trajectory = moved(walking_motion, (0.0, 0.0, 0.0))
    up = pose.up[0]
    joints = pose.joints - 2.0 * (pose.joints @ up)[..., None] * up
    upside_down = dataclasses.replace(pose, joints=joints, contacts=np.full((60, 4), contact))
    assert not standing_contacts(up, upside_down).any()
    world = estimate_world([upside_down], [trajectory])
    heights = (joints + trajectory.root[:, None]) @ world[2, :3] + world[2, 3]
    assert heights.min(axis=1) == pytest.approx(np.zeros(60), abs=0.05)


def test_hands_far_below_the_contacts_lower_the_floor_where_they_are_seen(walking_motion: Motion) -> None:
    pose, trajectory = standing(walking_motion)
    assert walking_motion.camera is not None
    hand = JOINTS.index("left_hand")
    joints, sigma = pose.joints.copy(), pose.sigma.copy()
    joints[:12, hand] -= 1.7 * walking_motion.camera.world_from_camera[2, :3]
    sigma[:12, hand] *= 3.0
    height_m = estimate_world([pose], [trajectory])[2, 3]
    guessed = dataclasses.replace(pose, joints=joints, sigma=sigma)
    assert estimate_world([guessed], [trajectory])[2, 3] == pytest.approx(height_m, abs=1e-3)
    told = dataclasses.replace(guessed, sigma=pose.sigma)
    assert estimate_world([told], [trajectory])[2, 3] == pytest.approx(height_m + 0.22, abs=0.01)


def test_contacts_of_who_walks_all_stand(walking_motion: Motion) -> None:
    pose, _ = moved(walking_motion, (0.0, 0.0, 0.0))
    assert standing_contacts(pose.up[0], pose).tolist() == pose.contacts.tolist()
