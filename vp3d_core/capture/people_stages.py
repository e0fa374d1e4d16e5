# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages after detection, for all the people of a video: follow, lift, place, fit.

Pure functions on values. SciPy is imported inside them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Array
from ..camera import Camera
from ..errors import NoPersonFound
from ..filters import frame_step
from ..keypoints import Keypoints2D, Track
from ..motion import Motion
from ..pose import CANONICAL_HEIGHT_M, Pose3D, Trajectory
from ..skeletons import LIMB_JOINTS, SLOTS
from ..time_blocks import time_blocks
from .freed_memory import give_back_freed_memory
from .gaps import MIN_PART_S, bridge_pose, keypoints_part, seen_frames, split_at_gaps
from .progress import Progress

if TYPE_CHECKING:
    from ..lift.lifter import Lifter
    from .detection_stage import DetectedVideo

__all__ = ["FollowedPerson", "fit_people", "follow_people", "lift_people", "place_people"]

FollowedPerson = tuple[int, Keypoints2D]  # track id and cleaned slots

PLACE_MARGIN_S = 10.0  # roots of frames further apart do not influence each other
CONFIDENT_SIGMA_M = 0.10  # a joint whose standard error is this has half the confidence
CERTAIN_LIMB_SCORE = 0.5  # mean score of the limb slots from which a person is seen well
LEAST_FIT_HZ = 10.0  # a foot swings for 0.3 to 0.4 s: between slower frames it would seem to stand on
LIMB_SLOTS = [SLOTS.index(name) for name in LIMB_JOINTS]


def follow_people(
    detected: DetectedVideo, *, image_size: tuple[int, int], person: tuple[str, ...], smooth: bool
) -> tuple[list[Track], list[FollowedPerson]]:
    """Track everybody, choose, and clean the keypoints of those chosen.

    Args:
        detected: What was found in each frame.
        image_size: (width, height) px.
        person: The user's choice, see ``CaptureSettings``.
        smooth: Whether keypoints are smoothed.

    Returns:
        All tracks, and the chosen people with the most prominent first.

    Raises:
        NoPersonFound: If nobody was found, or nobody that was chosen.
    """
    from ..detect.clean import clean
    from ..detect.select import select_keypoints, select_tracks
    from ..detect.tracker import track

    tracks = track(detected.detections, detected.times_s, image_size=image_size)
    people: list[FollowedPerson] = []
    for one in select_tracks(tracks, detected.detections, detected.times_s, person=person):
        cleaned = clean(
            select_keypoints(one, detected.detections, detected.times_s, image_size=image_size), smooth=smooth
        )
        people += [(one.track_id, part) for part in split_at_gaps(cleaned)]
    if not people:
        raise _nobody_for_long_enough(tracks, person, detected.times_s)
    return tracks, sorted(people, key=lambda one: -prominence(one[1]))


def _nobody_for_long_enough(
    tracks: Sequence[Track], person: tuple[str, ...], times_s: Array
) -> NoPersonFound:
    first_s, last_s = float(times_s[0]), float(times_s[-1])
    if last_s - first_s < MIN_PART_S:
        return NoPersonFound(
            f"What was looked at, the frames from {first_s:.2f} to {last_s:.2f} s, is shorter than the "
            f"{MIN_PART_S} s that a capture needs",
            hint="Choose a start and an end that are further apart, or a longer video.",
        )
    if any(choice.isdecimal() for choice in person):
        found = ", ".join(str(one.track_id) for one in tracks)
        return NoPersonFound(
            f"Track {', '.join(person)} was not seen for long enough, {MIN_PART_S} s or more, to be "
            f"captured; the tracks are {found}",
            hint="Choose another track (overlay.mp4 and report.html of a whole capture show them), or all.",
        )
    return NoPersonFound(
        f"Nobody was seen for long enough, {MIN_PART_S} s or more, to be captured (tracks that were looked "
        f"at: {len(tracks)})",
        hint="Use a longer or sharper video, or one in which the whole body is seen.",
    )


def prominence(keypoints: Keypoints2D) -> float:
    """Return how much of the video a person fills: seconds times share of the picture's height."""
    seen = np.flatnonzero(seen_frames(keypoints))
    if seen.size == 0:
        return 0.0
    y = np.where(keypoints.scores[seen] > 0, keypoints.xy[seen, :, 1], np.nan)
    heights = np.nanmax(y, axis=1) - np.nanmin(y, axis=1)
    step_s = float(np.median(np.diff(keypoints.times_s))) if len(keypoints.times_s) > 1 else 0.0
    return float(heights.sum()) / keypoints.image_size[1] * step_s


def lift_people(
    lifter: Lifter, people: Sequence[FollowedPerson], camera: Camera, *, height_m: float, progress: Progress
) -> list[Pose3D]:
    """Lift each person's keypoints and scale the body to the person's height.

    Args:
        lifter: Gives poses of a body of ``CANONICAL_HEIGHT_M``.
        people: The chosen people.
        camera: Intrinsics and distortion.
        height_m: Height of the person, m.
        progress: Is told of each person.
    """
    from ..lift.seen_contacts import add_seen_contacts

    scale = height_m / CANONICAL_HEIGHT_M
    poses: list[Pose3D] = []
    for number, (_, keypoints) in enumerate(people):
        progress.update(number, len(people), unit="people")
        pose = lifter.lift(keypoints, camera)
        pose.joints[:] *= scale  # in place: nobody else has seen it, and of a long video it is large
        pose.sigma[:] *= scale
        pose = add_seen_contacts(pose, keypoints, camera)
        poses.append(bridge_pose(pose, seen_frames(keypoints)))
    progress.update(len(people), len(people), unit="people")
    return poses


def place_people(
    people: Sequence[FollowedPerson], poses: Sequence[Pose3D], camera: Camera, progress: Progress
) -> list[Trajectory]:
    """Find each person's path in camera axes."""
    from ..lift.trajectory import place

    trajectories: list[Trajectory] = []
    for number, ((_, keypoints), pose) in enumerate(zip(people, poses, strict=True)):
        progress.update(number, len(people), unit="people")
        root = np.empty((len(pose.times_s), 3))
        margin = int(np.ceil(PLACE_MARGIN_S / frame_step(pose.times_s)))
        for block in time_blocks(len(root), margin=margin):
            part = place(_pose_part(pose, block.read), keypoints_part(keypoints, block.read), camera)
            root[block.kept] = part.root[block.inside]
        trajectories.append(Trajectory(root))
    progress.update(len(people), len(people), unit="people")
    return trajectories


def _pose_part(pose: Pose3D, rows: slice) -> Pose3D:
    return dataclasses.replace(
        pose,
        joints=pose.joints[rows],
        times_s=pose.times_s[rows],
        sigma=pose.sigma[rows],
        contacts=pose.contacts[rows],
        up=pose.up[rows],
    )


def fit_people(
    people: Sequence[FollowedPerson],
    poses: list[Pose3D],
    trajectories: Sequence[Trajectory],
    camera: Camera,
    *,
    height_m: float,
    frame_rate_hz: float,
    smooth: bool,
    meta: dict[str, object],
    progress: Progress,
) -> list[Motion]:
    """Find the world under the people and fit a skeleton to each.

    Args:
        people: The chosen people.
        poses: One per person; the list is emptied, so that each is freed when it is not needed any more.
        trajectories: One per person.
        camera: Intrinsics and distortion; its place is found here.
        height_m: Height of the person, m.
        frame_rate_hz: Rate of the motions.
        smooth: Whether motions are smoothed.
        meta: Goes into each motion, with the track id added.
        progress: Is told of each person.
    """
    from ..ground import estimate_world, standing_contacts
    from ..lift.refine import refine
    from ..standing_level import follow_drift

    refined: list[Pose3D] = []
    for (_, keypoints), path in zip(people, trajectories, strict=True):
        refined.append(refine(poses.pop(0), path, keypoints, camera, height_m=height_m))
        give_back_freed_memory()
    world = estimate_world(refined, trajectories)
    placed = [
        (dataclasses.replace(pose, contacts=standing_contacts(world[2, :3], pose)), path)
        for pose, path in zip(refined, trajectories, strict=True)
    ]
    del refined
    if len(people) > 1:
        factors, world = _sizes([track_id for track_id, _ in people], placed, world)
        placed = [
            _resized(pose, path, factors[who]) for (who, _), (pose, path) in zip(people, placed, strict=True)
        ]
        camera = dataclasses.replace(camera, world_from_camera=world)
    else:
        factors = {people[0][0]: 1.0}
        camera = dataclasses.replace(camera, world_from_camera=follow_drift(*placed[0], world))
    motions: list[Motion] = []
    for number, (track_id, keypoints) in enumerate(people):
        progress.update(number, len(people), unit="people")
        own_meta = {**meta, "track_id": track_id, "height_m": height_m * factors[track_id]}
        motions.append(
            _fit_next(
                placed, keypoints, world, camera, frame_rate_hz=frame_rate_hz, smooth=smooth, meta=own_meta
            )
        )
    progress.update(len(people), len(people), unit="people")
    return motions


def _fit_next(
    placed: list[tuple[Pose3D, Trajectory]],
    keypoints: Keypoints2D,
    world: Array,
    camera: Camera,
    *,
    frame_rate_hz: float,
    smooth: bool,
    meta: dict[str, object],
) -> Motion:
    """Take the first person off a list, so that pose and path can be freed half-way, and fit a skeleton."""
    from ..filters import frame_times
    from ..kinematics import fit_skeleton
    from ..resample import resample
    from ..standing_level import floor_drift, own_level, to_world

    pose, path = placed.pop(0)
    large = {"joints": to_world(pose, path, world), "confidence": joint_confidence(pose, keypoints)}
    times_s, contacts = pose.times_s, pose.contacts
    del pose, path  # as large as what is made of them
    level = own_level(floor_drift(large["joints"], contacts=contacts, times_s=times_s))
    large["joints"][..., 2] -= level
    give_back_freed_memory()
    motion = fit_skeleton(
        large.pop("joints"),
        contacts=contacts,
        confidence=large.pop("confidence"),
        times_s=times_s,
        frame_rate_hz=frame_rate_hz * math.ceil(LEAST_FIT_HZ / frame_rate_hz),
        smooth=smooth,
        camera=camera,
        image_size=keypoints.image_size,
        meta={**meta, "standing_height_m": level},
    )
    motion = resample(motion, frame_times(motion.times_s, frame_rate_hz))
    return dataclasses.replace(
        motion, root_positions=motion.root_positions + [0.0, 0.0, level], frame_rate_hz=frame_rate_hz
    )


def _sizes(
    track_ids: Sequence[int], placed: Sequence[tuple[Pose3D, Trajectory]], world: Array
) -> tuple[dict[int, float], Array]:
    """Return each person's size on everybody's floor, see ``standing_level.body_scales``, and that world.

    A track that was split at a gap is one person: its parts have one size.
    """
    from ..standing_level import body_scales, standing_level

    if len(set(track_ids)) == 1:
        return {track_ids[0]: 1.0}, world
    levels: dict[int, list[float]] = {}
    for track_id, (pose, path) in zip(track_ids, placed, strict=True):
        levels.setdefault(track_id, []).append(standing_level(pose, path, world))
    height_m = float(world[2, 3])
    depths_m = np.array([height_m - float(np.median(all_of)) for all_of in levels.values()])
    scales, height_m = body_scales(depths_m, camera_height_m=height_m)
    factors = dict(zip(levels, scales.tolist(), strict=True))
    world = world.copy()
    world[:2, 3] *= factors[track_ids[0]]  # the origin stays below the first person
    world[2, 3] = height_m
    return factors, world


def _resized(pose: Pose3D, path: Trajectory, factor: float) -> tuple[Pose3D, Trajectory]:
    pose = dataclasses.replace(pose, joints=pose.joints * factor, sigma=pose.sigma * factor)
    return pose, Trajectory(path.root * factor)


def joint_confidence(pose: Pose3D, keypoints: Keypoints2D) -> Array:
    """Return (T, 25) in [0, 1]: high where the lifter is sure and the person is seen."""
    sure = 1.0 / (1.0 + (pose.sigma / CONFIDENT_SIGMA_M) ** 2)
    limb_scores = keypoints.scores[:, LIMB_SLOTS].mean(axis=1) / CERTAIN_LIMB_SCORE
    seen = np.where(seen_frames(keypoints), np.clip(limb_scores, 0.0, 1.0), 0.0)
    return sure * seen[:, None]
