# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of the stages as plain arrays, for the stage store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..keypoints import Detections2D, Keypoints2D, Track
from ..pose import Pose3D, Trajectory
from ..skeletons import SLOTS
from .stage_store import Arrays, StoredArray

__all__ = [
    "DETECTION_ARRAYS",
    "pack_chunk",
    "pack_keypoints",
    "pack_poses",
    "pack_tracks",
    "pack_trajectories",
    "unpack_keypoints",
    "unpack_poses",
    "unpack_tracks",
    "unpack_trajectories",
]

DETECTION_ARRAYS = ("boxes_xyxy", "scores", "keypoints_xy", "keypoint_scores")  # of a chunk's people
_POSE_ARRAYS = ("joints", "times_s", "sigma", "contacts", "up")


def pack_tracks(tracks: Sequence[Track]) -> dict[str, StoredArray]:
    """Return the arrays of some tracks."""
    arrays: dict[str, StoredArray] = {"count": np.array(len(tracks))}
    for i, track in enumerate(tracks):
        arrays[f"{i}.track_id"] = np.array(track.track_id)
        arrays |= _pack(track, i, ("frames", "boxes_xyxy", "detection_index"))
    return arrays


def unpack_tracks(arrays: Arrays) -> list[Track]:
    """Return what ``pack_tracks`` packed."""
    return [
        Track(
            track_id=int(arrays[f"{i}.track_id"]),
            **_unpack(arrays, i, ("frames", "boxes_xyxy", "detection_index")),
        )
        for i in range(int(arrays["count"]))
    ]


def pack_keypoints(people: Sequence[tuple[int, Keypoints2D]]) -> dict[str, StoredArray]:
    """Return the arrays of pairs of track id and keypoints in the order of SLOTS."""
    arrays: dict[str, StoredArray] = {"count": np.array(len(people))}
    for i, (track_id, keypoints) in enumerate(people):
        if keypoints.skeleton != SLOTS:
            raise ValueError(f"keypoints are of {keypoints.skeleton.name}, expected {SLOTS.name}")
        arrays[f"{i}.track_id"] = np.array(track_id)
        arrays[f"{i}.image_size"] = np.array(keypoints.image_size)
        arrays |= _pack(keypoints, i, ("xy", "scores", "times_s"))
    return arrays


def unpack_keypoints(arrays: Arrays) -> list[tuple[int, Keypoints2D]]:
    """Return what ``pack_keypoints`` packed."""
    people: list[tuple[int, Keypoints2D]] = []
    for i in range(int(arrays["count"])):
        width, height = (int(side) for side in arrays[f"{i}.image_size"])
        keypoints = Keypoints2D(
            **_unpack(arrays, i, ("xy", "scores", "times_s")), image_size=(width, height), skeleton=SLOTS
        )
        people.append((int(arrays[f"{i}.track_id"]), keypoints))
    return people


def pack_poses(poses: Sequence[Pose3D]) -> dict[str, StoredArray]:
    """Return the arrays of some poses."""
    arrays: dict[str, StoredArray] = {"count": np.array(len(poses))}
    for i, pose in enumerate(poses):
        arrays |= _pack(pose, i, _POSE_ARRAYS)
    return arrays


def unpack_poses(arrays: Arrays) -> list[Pose3D]:
    """Return what ``pack_poses`` packed."""
    return [
        Pose3D(
            joints=arrays[f"{i}.joints"],
            times_s=arrays[f"{i}.times_s"],
            sigma=arrays[f"{i}.sigma"],
            contacts=arrays[f"{i}.contacts"],
            up=arrays[f"{i}.up"],
        )
        for i in range(int(arrays["count"]))
    ]


def pack_trajectories(trajectories: Sequence[Trajectory]) -> dict[str, StoredArray]:
    """Return the arrays of some trajectories."""
    arrays: dict[str, StoredArray] = {"count": np.array(len(trajectories))}
    for i, trajectory in enumerate(trajectories):
        arrays |= _pack(trajectory, i, ("root",))
    return arrays


def unpack_trajectories(arrays: Arrays) -> list[Trajectory]:
    """Return what ``pack_trajectories`` packed."""
    return [Trajectory(**_unpack(arrays, i, ("root",))) for i in range(int(arrays["count"]))]


def pack_chunk(
    indices: Sequence[int], times_s: Sequence[float], detections: Sequence[Detections2D], *, complete: bool
) -> dict[str, StoredArray]:
    """Return the arrays of a chunk: the people of all its frames one after the other."""
    arrays: dict[str, StoredArray] = {
        "frame_indices": np.array(indices, dtype=np.int64),
        "times_s": np.array(times_s, dtype=np.float64),
        "counts": np.array([len(found.scores) for found in detections], dtype=np.int64),
        "complete": np.array(complete),
    }
    for name in DETECTION_ARRAYS:
        values = [getattr(found, name) for found in detections if len(found.scores)]
        # 0.001 px, and half as large.
        arrays[name] = np.concatenate(values, dtype=np.float32) if values else np.zeros(0, np.float32)
    return arrays


def _pack(value: object, i: int, names: Sequence[str]) -> dict[str, StoredArray]:
    return {f"{i}.{name}": np.asarray(getattr(value, name)) for name in names}


def _unpack(arrays: Arrays, i: int, names: Sequence[str]) -> dict[str, StoredArray]:
    return {name: arrays[f"{i}.{name}"] for name in names}
