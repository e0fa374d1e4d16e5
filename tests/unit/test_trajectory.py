# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.synthetic import look_at, seen_keypoints, walking_motion
from vp3d_core.arrays import Array, IntArray
from vp3d_core.camera import Camera
from vp3d_core.errors import SkeletonMismatch
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.motion import Motion
from vp3d_core.pose import Pose3D
from vp3d_core.skeletons import COCO_17, JOINTS

pytest.importorskip("scipy")
from vp3d_core.lift.trajectory import place  # noqa: E402

FEET = [JOINTS.index(name) for name in ("left_toe", "left_heel", "right_toe", "right_heel")]
LEGS = [*FEET, *(JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle"))]


def seen_pose(motion: Motion, *, error_m: float = 0.0, seed: int = 0) -> tuple[Pose3D, Array, Camera]:
    """Return what a perfect lifter (plus an error) says, the true root in camera axes, and the camera."""
    assert motion.camera is not None
    joints = motion.camera.camera_points(motion.joints_world()[:, :25])
    root = joints[:, 0]
    noise = np.random.default_rng(seed).normal(0.0, error_m, (1, 25, 3)) * (np.arange(25) > 0)[None, :, None]
    up = motion.camera.world_from_camera[2, :3]
    pose = Pose3D(
        joints - root[:, None] + noise,
        motion.times_s,
        np.full((len(joints), 25), 0.03),
        motion.contacts,
        np.tile(up, (len(joints), 1)),
    )
    return pose, root, motion.camera


def frames_of(pose: Pose3D, keypoints: Keypoints2D, keep: IntArray) -> tuple[Pose3D, Keypoints2D]:
    return (
        Pose3D(pose.joints[keep], pose.times_s[keep], pose.sigma[keep], pose.contacts[keep], pose.up[keep]),
        Keypoints2D(
            keypoints.xy[keep],
            keypoints.scores[keep],
            keypoints.times_s[keep],
            keypoints.image_size,
            keypoints.skeleton,
        ),
    )


def without(keypoints: Keypoints2D, frames: slice) -> Keypoints2D:
    xy, scores = keypoints.xy.copy(), keypoints.scores.copy()
    xy[frames], scores[frames] = np.nan, 0.0
    return dataclasses.replace(keypoints, xy=xy, scores=scores)


def distances(root: Array, true_root: Array) -> Array:
    return np.linalg.norm(root - true_root, axis=-1)


def test_perfect_input_gives_the_true_path(walking_motion: Motion) -> None:
    pose, root, camera = seen_pose(walking_motion)
    found = place(pose, seen_keypoints(walking_motion, noise_px=0.0), camera).root
    # The made-up walk jerks from step to step; the path is smooth.
    assert distances(found, root).mean() < 0.025
    assert distances(found, root).max() < 0.06


def test_noise_of_a_detector_and_a_lifter_is_averaged_out(walking_motion: Motion) -> None:
    pose, root, camera = seen_pose(walking_motion, error_m=0.03)
    found = place(pose, seen_keypoints(walking_motion, noise_px=5.0), camera).root
    assert distances(found, root).mean() < 0.12
    steps = np.linalg.norm(np.diff(found - root, axis=0), axis=-1)
    # A little more than standing feet alone would allow: in depth they are trusted less while the root moves.
    assert steps.mean() < 0.009


def test_outliers_do_not_pull_the_path(walking_motion: Motion) -> None:
    pose, root, camera = seen_pose(walking_motion)
    keypoints = seen_keypoints(walking_motion, noise_px=1.0)
    xy = keypoints.xy.copy()
    xy[10:15, 7:13] += 200.0
    found = place(pose, dataclasses.replace(keypoints, xy=xy), camera).root
    assert distances(found, root).max() < 0.08


def test_distortion_is_taken_out(walking_motion: Motion) -> None:
    pose, root, camera = seen_pose(walking_motion)
    camera = dataclasses.replace(camera, distortion=np.array([-0.25, 0.07, 0.0, 0.0, 0.0]))
    bent = dataclasses.replace(walking_motion, camera=camera)
    found = place(pose, seen_keypoints(bent, noise_px=0.0), camera).root
    assert distances(found, root).mean() < 0.025


def test_frames_without_keypoints_are_bridged(walking_motion: Motion) -> None:
    pose, root, camera = seen_pose(walking_motion)
    keypoints = without(seen_keypoints(walking_motion, noise_px=1.0), slice(20, 35))
    assert distances(place(pose, keypoints, camera).root, root).max() < 0.06


def test_the_end_without_keypoints_does_not_run_away() -> None:
    motion = walking_motion(3, num_frames=120)
    pose, root, camera = seen_pose(motion)
    pose = dataclasses.replace(pose, contacts=np.zeros_like(pose.contacts))
    found = place(pose, without(seen_keypoints(motion), slice(60, 120)), camera).root
    assert distances(found, root).max() < 2.0
    assert (found[:, 2] > 0).all()


def test_no_keypoint_at_all_gives_a_place_in_front_of_the_camera(walking_motion: Motion) -> None:
    pose, _, camera = seen_pose(walking_motion)
    found = place(pose, without(seen_keypoints(walking_motion), slice(None)), camera).root
    assert np.isfinite(found).all()
    assert (found[:, 2] > 0).all()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_clips_of_few_frames(walking_motion: Motion, count: int) -> None:
    pose, root, camera = seen_pose(walking_motion)
    keep = np.arange(count)
    found = place(*frames_of(pose, seen_keypoints(walking_motion, noise_px=0.5), keep), camera).root
    assert distances(found, root[keep]).max() < 0.1


def test_uneven_times_give_the_same_path(walking_motion: Motion) -> None:
    pose, root, camera = seen_pose(walking_motion)
    keep = np.flatnonzero(np.random.default_rng(4).random(60) < 0.6)
    found = place(*frames_of(pose, seen_keypoints(walking_motion, noise_px=1.0), keep), camera).root
    assert distances(found, root[keep]).mean() < 0.04


def test_a_high_rate_and_two_frames_close_together_do_not_pull_the_path() -> None:
    motion = walking_motion(frame_rate_hz=250.0, num_frames=500)
    pose, root, camera = seen_pose(motion)
    keypoints = seen_keypoints(motion, noise_px=0.0)
    assert distances(place(pose, keypoints, camera).root, root).mean() < 0.025
    keep = np.sort(np.append(np.arange(0, 500, 8), 241))
    times_s = pose.times_s.copy()
    times_s[241] = times_s[240] + 1e-4
    pose = dataclasses.replace(pose, times_s=times_s)
    keypoints = dataclasses.replace(keypoints, times_s=times_s)
    assert distances(place(*frames_of(pose, keypoints, keep), camera).root, root[keep]).mean() < 0.025


@pytest.mark.parametrize("step_s", [1e-6, 1e-3])
def test_no_keypoint_and_two_frames_close_together(walking_motion: Motion, step_s: float) -> None:
    pose, _, camera = seen_pose(walking_motion)
    times_s = pose.times_s.copy()
    times_s[30] = times_s[29] + step_s
    pose = dataclasses.replace(pose, times_s=times_s)
    blind = without(seen_keypoints(walking_motion), slice(None))
    keypoints = dataclasses.replace(blind, times_s=times_s)
    assert place(pose, keypoints, camera).root.mean(axis=0) == pytest.approx([0.0, 0.0, 4.0], abs=0.1)


def test_contacts_keep_standing_feet_still() -> None:
    motion = walking_motion(2, num_frames=90)
    pose, _, camera = seen_pose(motion)
    keypoints = seen_keypoints(motion, noise_px=6.0)
    both = (motion.contacts[1:] > 0) & (motion.contacts[:-1] > 0)

    def slide(contacts: Array) -> float:
        root = place(dataclasses.replace(pose, contacts=contacts), keypoints, camera).root
        steps = np.linalg.norm(np.diff(root[:, None] + pose.joints[:, FEET], axis=0), axis=-1)
        return float(steps[both].mean())

    assert slide(motion.contacts) < 0.6 * slide(np.zeros_like(motion.contacts))


def test_a_moment_seen_in_many_frames_counts_no_more_than_in_one(walking_motion: Motion) -> None:
    pose, _, camera = seen_pose(walking_motion)
    pose = dataclasses.replace(pose, contacts=np.zeros_like(pose.contacts))
    keypoints = seen_keypoints(walking_motion, noise_px=1.0)
    xy = keypoints.xy.copy()
    xy[30] += [20.0, 0.0]
    wrong = dataclasses.replace(keypoints, xy=xy)
    # The wrong frame eleven times, within the time of one.
    rows = np.concatenate([np.arange(30), np.full(11, 30), np.arange(31, 60)])
    times_s = rows / 30
    times_s[30:41] += np.linspace(-0.5, 0.5, 11) / 30
    often = place(
        Pose3D(pose.joints[rows], times_s, pose.sigma[rows], pose.contacts[rows], pose.up[rows]),
        Keypoints2D(wrong.xy[rows], wrong.scores[rows], times_s, wrong.image_size, wrong.skeleton),
        camera,
    ).root[35]
    right, once = (place(pose, seen, camera).root[30] for seen in (keypoints, wrong))
    assert np.linalg.norm(once - right) > 0.01
    assert np.linalg.norm(often - right) < 1.5 * np.linalg.norm(once - right)


def test_strides_that_the_lifter_shortens_in_depth_do_not_shorten_the_path() -> None:
    motion = walking_motion(2, num_frames=90)
    way = (motion.root_positions[-1] - motion.root_positions[0]) * [1.0, 1.0, 0.0]
    middle = motion.root_positions[45] * [1.0, 1.0, 0.0] + [0.0, 0.0, 1.0]
    eye = middle + 5.0 * way / np.linalg.norm(way)
    assert motion.camera is not None
    ahead = dataclasses.replace(motion.camera, world_from_camera=look_at(eye, middle))
    motion = dataclasses.replace(motion, camera=ahead)
    pose, root, camera = seen_pose(motion)
    pose.joints[:, LEGS, 2] *= 0.4
    found = place(pose, seen_keypoints(motion, noise_px=1.0), camera).root
    assert root[0, 2] - root[-1, 2] > 2.0
    assert found[0, 2] - found[-1, 2] == pytest.approx(root[0, 2] - root[-1, 2], rel=0.13)


def test_a_body_twice_as_tall_is_twice_as_far(walking_motion: Motion) -> None:
    pose, root, camera = seen_pose(walking_motion)
    tall = dataclasses.replace(pose, joints=2 * pose.joints)
    found = place(tall, seen_keypoints(walking_motion, noise_px=0.0), camera).root
    assert distances(found, 2 * root).mean() < 0.08


def test_other_skeletons_and_lengths_are_refused(walking_motion: Motion) -> None:
    pose, _, camera = seen_pose(walking_motion)
    keypoints = seen_keypoints(walking_motion)
    coco = Keypoints2D(
        keypoints.xy[:, :17], keypoints.scores[:, :17], keypoints.times_s, keypoints.image_size, COCO_17
    )
    with pytest.raises(SkeletonMismatch, match="expected joints25 and slots28"):
        place(pose, coco, camera)
    short, _ = frames_of(pose, keypoints, np.arange(10))
    with pytest.raises(ValueError, match="pose has 10 frames, keypoints 60"):
        place(short, keypoints, camera)
