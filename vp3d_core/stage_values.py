# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of the stages as plain arrays, for the stage store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from .keypoints import Keypoints2D, Track
from .pose import Pose3D, Trajectory
from .skeletons import SLOTS

__all__ = [
    "pack_keypoints",
    "pack_poses",
    "pack_tracks",
    "pack_trajectories",
    "unpack_keypoints",
    "unpack_poses",
    "unpack_tracks",
    "unpack_trajectories",
]

Arrays = Mapping[str, npt.NDArray[np.generic]]
_POSE_ARRAYS = ("joints", "times_s", "sigma", "contacts", "up")


def pack_tracks(tracks: Sequence[Track]) -> dict[str, npt.NDArray[np.generic]]:
    """Return the arrays of some tracks."""
    arrays: dict[str, npt.NDArray[np.generic]] = {"count": np.array(len(tracks))}
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


def pack_keypoints(people: Sequence[tuple[int, Keypoints2D]]) -> dict[str, npt.NDArray[np.generic]]:
    """Return the arrays of pairs of track id and keypoints in the order of SLOTS."""
    arrays: dict[str, npt.NDArray[np.generic]] = {"count": np.array(len(people))}
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


def pack_poses(poses: Sequence[Pose3D]) -> dict[str, npt.NDArray[np.generic]]:
    """Return the arrays of some poses."""
    arrays: dict[str, npt.NDArray[np.generic]] = {"count": np.array(len(poses))}
    for i, pose in enumerate(poses):
        arrays |= _pack(pose, i, _POSE_ARRAYS)
    return arrays


def unpack_poses(arrays: Arrays) -> list[Pose3D]:
    """Return what ``pack_poses`` packed."""
    return [Pose3D(**_unpack(arrays, i, _POSE_ARRAYS)) for i in range(int(arrays["count"]))]


def pack_trajectories(trajectories: Sequence[Trajectory]) -> dict[str, npt.NDArray[np.generic]]:
    """Return the arrays of some trajectories."""
    arrays: dict[str, npt.NDArray[np.generic]] = {"count": np.array(len(trajectories))}
    for i, trajectory in enumerate(trajectories):
        arrays |= _pack(trajectory, i, ("root",))
    return arrays


def unpack_trajectories(arrays: Arrays) -> list[Trajectory]:
    """Return what ``pack_trajectories`` packed."""
    return [Trajectory(**_unpack(arrays, i, ("root",))) for i in range(int(arrays["count"]))]


def _pack(value: object, i: int, names: Sequence[str]) -> dict[str, npt.NDArray[np.generic]]:
    return {f"{i}.{name}": np.asarray(getattr(value, name)) for name in names}


def _unpack(arrays: Arrays, i: int, names: Sequence[str]) -> dict[str, npt.NDArray[np.floating]]:
    return {name: arrays[f"{i}.{name}"] for name in names}  # type: ignore[misc]
