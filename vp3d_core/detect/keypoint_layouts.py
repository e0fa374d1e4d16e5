# SPDX-License-Identifier: GPL-3.0-or-later
"""The keypoint orders of other programs' files: data only."""

from __future__ import annotations

from ..skeletons import COCO_17, H36M_17, HALPE_26, SLOTS, KeypointSkeleton

__all__ = ["COCO_WHOLE_BODY", "OPENPOSE_18", "OPENPOSE_25", "WHOLE_BODY_COLUMNS", "skeleton_of"]

_OPENPOSE_ARMS = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist",
    "left_shoulder", "left_elbow", "left_wrist",
)  # fmt: skip
_OPENPOSE_LEGS = ("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle")
_OPENPOSE_FACE = ("right_eye", "left_eye", "right_ear", "left_ear")
_OPENPOSE_FEET = (
    "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel",
)  # fmt: skip


def _skeleton(name: str, points: tuple[str, ...]) -> KeypointSkeleton:
    edges = tuple(edge for edge in SLOTS.edges if edge[0] in points and edge[1] in points)
    return KeypointSkeleton(name, points, edges)


OPENPOSE_18 = _skeleton("openpose18", _OPENPOSE_ARMS + _OPENPOSE_LEGS + _OPENPOSE_FACE)
OPENPOSE_25 = _skeleton(
    "openpose25", (*_OPENPOSE_ARMS, "mid_hip", *_OPENPOSE_LEGS, *_OPENPOSE_FACE, *_OPENPOSE_FEET)
)
# Of COCO-WholeBody's 133: body, feet, and the knuckles of index and little fingers (names as BlazePose's).
COCO_WHOLE_BODY = _skeleton(
    "coco_wholebody",
    (*COCO_17.points, *_OPENPOSE_FEET, "left_index", "left_pinky", "right_index", "right_pinky"),
)
WHOLE_BODY_COLUMNS = (*range(23), 96, 108, 117, 129)

_BY_COUNT = {17: COCO_17, 18: OPENPOSE_18, 25: OPENPOSE_25, 26: HALPE_26, 133: COCO_WHOLE_BODY}


def skeleton_of(count: int, *, layout: str = "") -> KeypointSkeleton | None:
    """Return the layout of files with so many keypoints, or None; "h36m" as name tells it from COCO's 17."""
    if count == 17 and layout.lower().startswith(("h36m", "human36m")):
        return H36M_17
    return _BY_COUNT.get(count)
