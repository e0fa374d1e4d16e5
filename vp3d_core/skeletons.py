# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and orders: the 28 keypoint slots that go in, the 25 joints that come out, the bones of a Motion.

"Left" and "right" are the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BLAZEPOSE_33",
    "COCO_17",
    "H36M_17",
    "HALPE_26",
    "JOINTS",
    "LIMB_JOINTS",
    "MOTION_SKELETON_NAMES",
    "MOTION_SKELETON_PARENTS",
    "SLOTS",
    "KeypointSkeleton",
    "mirror_indices",
]

COCO_17_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
HALPE_26_NAMES = (
    *COCO_17_NAMES, "head_top", "neck", "mid_hip", "left_big_toe", "right_big_toe",
    "left_small_toe", "right_small_toe", "left_heel", "right_heel",
)  # fmt: skip
SLOT_NAMES = (*HALPE_26_NAMES, "left_hand", "right_hand")
JOINT_NAMES = (
    "pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "spine", "thorax", "nose", "head_top", "left_shoulder", "left_elbow", "left_wrist",
    "right_shoulder", "right_elbow", "right_wrist", "left_toe", "left_heel", "right_toe",
    "right_heel", "left_ear", "right_ear", "left_hand", "right_hand",
)  # fmt: skip


def mirror_indices(names: tuple[str, ...]) -> tuple[int, ...]:
    """Return, for each name, the index of its left-right counterpart (its own when it has none)."""

    def counterpart(name: str) -> str:
        if name.startswith("left_"):
            return "right_" + name[5:]
        if name.startswith("right_"):
            return "left_" + name[6:]
        return name

    return tuple(names.index(counterpart(name)) for name in names)


@dataclass(frozen=True, slots=True)
class KeypointSkeleton:
    """An ordered set of named points with the edges to draw between them."""

    name: str
    points: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]

    def index(self, point: str) -> int:
        """Return the index of a point by name; ValueError when it is not there."""
        return self.points.index(point)

    @property
    def mirror(self) -> tuple[int, ...]:
        """Index of each point's left-right counterpart."""
        return mirror_indices(self.points)

    @property
    def edge_indices(self) -> tuple[tuple[int, int], ...]:
        """Edges as pairs of indices."""
        return tuple((self.index(a), self.index(b)) for a, b in self.edges)


def _both_sides(*edges: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in edges)


_BODY_EDGES = (
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    *_both_sides(
        ("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"),
        ("eye", "ear"),
    ),
    ("nose", "left_eye"),
    ("nose", "right_eye"),
)  # fmt: skip
_FOOT_EDGES = _both_sides(("ankle", "heel"), ("ankle", "big_toe"), ("ankle", "small_toe"))

COCO_17 = KeypointSkeleton("coco17", COCO_17_NAMES, _BODY_EDGES)
HALPE_26 = KeypointSkeleton("halpe26", HALPE_26_NAMES, (*_BODY_EDGES, ("neck", "head_top"), *_FOOT_EDGES))
# MediaPipe's pose. Its "foot index" is the tip of the foot, where Halpe has the big toe.
BLAZEPOSE_33 = KeypointSkeleton(
    "blazepose33",
    (
        "nose", "left_eye_inner", "left_eye", "left_eye_outer",
        "right_eye_inner", "right_eye", "right_eye_outer",
        "left_ear", "right_ear", "left_mouth", "right_mouth", "left_shoulder", "right_shoulder",
        "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky",
        "left_index", "right_index", "left_thumb", "right_thumb", "left_hip", "right_hip",
        "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel", "right_heel",
        "left_big_toe", "right_big_toe",
    ),
    (
        *_BODY_EDGES,
        *_both_sides(("ankle", "heel"), ("ankle", "big_toe"), ("wrist", "index"), ("wrist", "pinky")),
    ),
)  # fmt: skip
# The one input of the lifter, whatever the detector; a detector fills the slots it has.
SLOTS = KeypointSkeleton("slots28", SLOT_NAMES, (*HALPE_26.edges, *_both_sides(("wrist", "hand"))))

_H36M_EDGES = (
    ("pelvis", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
    ("pelvis", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("pelvis", "spine"), ("spine", "thorax"), ("thorax", "nose"), ("nose", "head_top"),
    ("thorax", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("thorax", "right_shoulder"), ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
)  # fmt: skip
H36M_17 = KeypointSkeleton("h36m17", JOINT_NAMES[:17], _H36M_EDGES)
JOINTS = KeypointSkeleton(
    "joints25",
    JOINT_NAMES,
    (*_H36M_EDGES, *_both_sides(("ankle", "toe"), ("ankle", "heel"), ("wrist", "hand")),
     ("nose", "left_ear"), ("nose", "right_ear")),
)  # fmt: skip
# The 12 limb joints on which captures are compared with markers.
LIMB_JOINTS = tuple(
    f"{side}_{part}"
    for side in ("right", "left")
    for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
)

# A Motion's skeleton: the 25 joints first, in their order, then four that only rotations need. Neck and
# clavicles sit where the thorax is (length 0), so that they turn apart from the chest; `head` sits
# between the ears and carries nose, ears and head top as one rigid piece.
MOTION_SKELETON_NAMES = (*JOINT_NAMES, "neck", "head", "left_clavicle", "right_clavicle")
_MOTION_PARENT_NAMES = {
    "right_hip": "pelvis", "right_knee": "right_hip", "right_ankle": "right_knee",
    "left_hip": "pelvis", "left_knee": "left_hip", "left_ankle": "left_knee",
    "spine": "pelvis", "thorax": "spine",
    "neck": "thorax", "head": "neck", "nose": "head", "head_top": "head",
    "left_ear": "head", "right_ear": "head",
    "left_clavicle": "thorax", "left_shoulder": "left_clavicle",
    "left_elbow": "left_shoulder", "left_wrist": "left_elbow", "left_hand": "left_wrist",
    "right_clavicle": "thorax", "right_shoulder": "right_clavicle",
    "right_elbow": "right_shoulder", "right_wrist": "right_elbow", "right_hand": "right_wrist",
    "left_toe": "left_ankle", "left_heel": "left_ankle",
    "right_toe": "right_ankle", "right_heel": "right_ankle",
}  # fmt: skip
MOTION_SKELETON_PARENTS = tuple(
    MOTION_SKELETON_NAMES.index(_MOTION_PARENT_NAMES[name]) if name in _MOTION_PARENT_NAMES else -1
    for name in MOTION_SKELETON_NAMES
)
