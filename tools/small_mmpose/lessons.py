# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of rendered people with their Halpe-26 keypoints and boxes.

The truth of a rendered clip has 25 joints. Eyes and small toes are not among them: they have weight 0.
``neck`` is the truth's thorax, ``mid_hip`` its pelvis, ``big_toe`` its toe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.render_person import truth
from vp3d_core.arrays import Array
from vp3d_core.skeletons import HALPE_26, JOINTS
from vp3d_core.video.reader import read_frames

__all__ = ["KNOWN", "Lesson", "body_heights_px", "box_around", "cut_out", "halpe_points", "read_lessons"]

OTHER_NAMES = {
    "neck": "thorax",
    "mid_hip": "pelvis",
    "left_big_toe": "left_toe",
    "right_big_toe": "right_toe",
}
_JOINT_OF = [OTHER_NAMES.get(point, point) for point in HALPE_26.points]
KNOWN = np.array([joint in JOINTS.points for joint in _JOINT_OF])  # (26,): which points the truth has
_SOURCES = [JOINTS.index(joint) if joint in JOINTS.points else 0 for joint in _JOINT_OF]
BOX_MARGIN = 0.06  # of the person's extent: clothes and hair reach beyond the joints
CUT_MARGIN = 0.45  # of the box, around a cut-out: room for the crop's padding, shift and scale


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One person in one picture.

    Attributes:
        picture: (H, W, 3) uint8, BGR.
        keypoints: (26, 2) px.
        weights: (26,) 1 for a point that is known and inside the picture, else 0.
        box: (4,) px, x0 y0 x1 y1.
    """

    picture: npt.NDArray[np.uint8]
    keypoints: Array
    weights: Array
    box: Array


def halpe_points(clip: truth.ClipTruth, person: int = 0) -> Array:
    """Return the Halpe-26 points of a person: (T, 26, 2) px; those that are not KNOWN are NaN."""
    points = clip.joints_px()[person][:, _SOURCES]
    return np.where(KNOWN[:, None], points, np.nan)


def body_heights_px(clip: truth.ClipTruth, person: int = 0) -> Array:
    """Return how tall the person, standing straight, would appear at its place: (T,) px."""
    joints = clip.joints_world[person]
    height_m = float(joints[:, JOINTS.index("head_top"), 2].max())
    depth_m = clip.joints_camera()[person][:, JOINTS.index("pelvis"), 2]
    return np.asarray(clip.camera.intrinsics[1, 1] * height_m / depth_m)


def box_around(points: Array, image_size: tuple[int, int]) -> Array:
    """Return a person's box (4,) px around its known points (K, 2), inside the picture."""
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    margin = BOX_MARGIN * float((high - low).max())
    limit = np.array(image_size, float) - 1
    return np.concatenate([np.clip(low - margin, 0, limit), np.clip(high + margin, 0, limit)])


def read_lessons(video: Path, *, every: int) -> Iterator[Lesson]:
    """Yield each ``every``-th picture of a rendered clip; its truth lies beside it."""
    clip = truth.load(video.with_name(f"{video.stem}_truth.npz"))
    points = halpe_points(clip)
    limit = np.array(clip.image_size)
    for index, frame in zip(range(0, len(points), every), read_frames(video, every=every), strict=False):
        with np.errstate(invalid="ignore"):
            inside = ((points[index] >= 0) & (points[index] < limit)).all(axis=-1)
        yield Lesson(
            np.ascontiguousarray(frame.rgb[:, :, ::-1]),
            np.nan_to_num(points[index]),
            inside.astype(np.float32),
            box_around(points[index], clip.image_size),
        )


def cut_out(lesson: Lesson) -> Lesson:
    """Return a lesson whose picture shows little more than the person; that saves memory."""
    reach = CUT_MARGIN * float((lesson.box[2:] - lesson.box[:2]).max())
    height, width = lesson.picture.shape[:2]
    left, top = np.maximum(lesson.box[:2] - reach, 0).astype(int)
    right, bottom = np.minimum(lesson.box[2:] + reach, [width, height]).astype(int)
    corner = np.array([left, top])
    return Lesson(
        lesson.picture[top:bottom, left:right].copy(),
        lesson.keypoints - corner,
        lesson.weights,
        lesson.box - np.tile(corner, 2),
    )
