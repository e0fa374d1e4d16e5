# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says in figures about one captured person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, BoolArray
from ..camera import Camera
from ..filters import frame_step
from ..keypoints import Keypoints2D
from ..motion import Motion, forward_kinematics
from ..skeletons import LIMB_JOINTS
from ..time_blocks import time_blocks
from .projected_motion import ProjectedMotion

__all__ = [
    "PersonNumbers",
    "fit_warning",
    "intervals",
    "joint_heights",
    "person_numbers",
    "reprojection_errors",
]

POOR_FIT_PERCENT = 4.0  # of the height; captures that fit have 1 to 2.5
SEEN_SCORE = 0.3  # a keypoint of a lower score is no witness against the skeleton


@dataclass(frozen=True, slots=True, eq=False)
class PersonNumbers:
    """One person's row in the summary.

    Attributes:
        start_s: First time, s.
        end_s: Last time, s.
        num_frames: Frames of the motion.
        path_m: Length of the root's path on the floor, m.
        mean_confidence: In [0, 1].
        error_px: Median reprojection error of the limb joints; NaN when nothing can be compared.
        error_percent: The same in percent of the person's height in the picture.
    """

    start_s: float
    end_s: float
    num_frames: int
    path_m: float
    mean_confidence: float
    error_px: float
    error_percent: float


def person_numbers(motion: Motion, keypoints: Keypoints2D) -> PersonNumbers:
    """Return the summary of one person."""
    times_s = motion.times_s
    _, errors_px, errors_percent = reprojection_errors(motion, keypoints)
    steps_m = np.linalg.norm(np.diff(motion.root_positions[:, :2], axis=0), axis=-1)
    return PersonNumbers(
        start_s=float(times_s[0]),
        end_s=float(times_s[-1]),
        num_frames=len(times_s),
        path_m=float(steps_m.sum()),
        mean_confidence=float(motion.confidence.mean()),
        error_px=_median(errors_px),
        error_percent=_median(errors_percent),
    )


def fit_warning(numbers: PersonNumbers, *, name: str) -> str:
    """Return what to tell the user of a motion that, seen through its camera, is off its keypoints, or ""."""
    if not numbers.error_percent > POOR_FIT_PERCENT:
        return ""
    return (
        f"{name} lies {numbers.error_percent:.0f} % of the body's height beside the 2D keypoints, where 1 to "
        "2.5 are usual: look at the overlay before you use the motion"
    )


def reprojection_errors(motion: Motion, keypoints: Keypoints2D) -> tuple[Array, Array, Array]:
    """Return how far the limb joints, seen through the camera, lie from the 2D keypoints.

    Returns:
        times (N,) s of the keypoints at the motion's frames (of those in between a slower motion says
        nothing); the mean distance (N,) over the limb keypoints with a score of ``SEEN_SCORE`` or more, in
        px; and the same in percent of the height that the standing person has in the picture at that
        distance. NaN where no limb is seen, empty without a camera.
    """
    projected = ProjectedMotion.of(motion)
    if projected is None or motion.camera is None:
        return np.empty(0), np.empty(0), np.empty(0)
    step_s = frame_step(keypoints.times_s)
    parts = [
        _errors(projected, motion.camera, keypoints, block.kept, step_s=step_s)
        for block in time_blocks(len(keypoints.times_s), margin=0)
    ]
    times_s, errors_px, errors_percent = (np.concatenate(part) for part in zip(*parts, strict=True))
    return times_s, errors_px, errors_percent


def _errors(
    projected: ProjectedMotion, camera: Camera, keypoints: Keypoints2D, rows: slice, *, step_s: float
) -> tuple[Array, Array, Array]:
    """Do what ``reprojection_errors`` does for some rows of the keypoints, whose step is ``step_s``."""
    motion, times_s = projected.motion, keypoints.times_s[rows]
    xy, depths_m, covered = projected.at(times_s)
    covered &= _frame_offsets_s(motion, times_s) <= 0.5 * step_s
    joints = [motion.skeleton.names.index(name) for name in LIMB_JOINTS]
    slots = [keypoints.skeleton.index(name) for name in LIMB_JOINTS]
    distances = np.linalg.norm(xy[:, joints] - keypoints.xy[rows][:, slots], axis=-1)
    seen = (keypoints.scores[rows][:, slots] >= SEEN_SCORE) & np.isfinite(distances)
    counts = seen.sum(axis=1)
    sums = np.where(seen, distances, 0.0).sum(axis=1)
    errors_px = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    focal_px = float(camera.intrinsics[1, 1])
    depth_m = np.maximum(np.median(depths_m, axis=1), 0.1)
    heights_px = focal_px * standing_height_m(motion) / depth_m
    return times_s[covered], errors_px[covered], (100.0 * errors_px / heights_px)[covered]


def _frame_offsets_s(motion: Motion, times_s: Array) -> Array:
    """Return how far (N,) s times lie from the motion's nearest frames."""
    frames = (times_s - motion.start_time_s) * motion.frame_rate_hz
    return np.abs(frames - np.round(frames)) / motion.frame_rate_hz


def standing_height_m(motion: Motion) -> float:
    """Return the height of the skeleton in its rest pose, m."""
    positions = np.zeros_like(motion.skeleton.rest_offsets)
    for joint in motion.skeleton.order():
        parent = motion.skeleton.parents[joint]
        positions[joint] = motion.skeleton.rest_offsets[joint] + (positions[parent] if parent >= 0 else 0.0)
    return float(max(np.ptp(positions[:, 2]), 0.1))


def joint_heights(motion: Motion, names: tuple[str, ...]) -> Array:
    """Return the heights (T, N) m above the floor of the named joints."""
    columns = [motion.skeleton.names.index(name) for name in names]
    heights_m = np.empty((len(motion.root_positions), len(names)))
    for block in time_blocks(len(heights_m), margin=0):
        root, rotations = motion.root_positions[block.kept], motion.rotations[block.kept]
        heights_m[block.kept] = forward_kinematics(motion.skeleton, root, rotations)[0][:, columns, 2]
    return heights_m


def intervals(flags: BoolArray) -> list[tuple[int, int]]:
    """Return the runs of True as pairs (first, one after the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _median(values: Array) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else float("nan")
