# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints and keypoints of the data sets: how many, which are left and right, which joint hangs on which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import SkeletonMismatch

__all__ = [
    "H36M_17",
    "H36M_17_OF_32",
    "H36M_32",
    "HUMANEVA_15",
    "HUMANEVA_20",
    "JointLayout",
    "KeypointLayout",
    "joint_layout",
    "keypoint_layout",
]


def _mirror(count: int, left: Sequence[int], right: Sequence[int]) -> tuple[int, ...]:
    """Return, for each point, the index of its counterpart (its own when it has none)."""
    index = list(range(count))
    for a, b in zip(left, right, strict=True):
        index[a], index[b] = b, a
    return tuple(index)


@dataclass(frozen=True, slots=True)
class JointLayout:
    """The joints of a data set.

    Attributes:
        name: For messages and files.
        parents: Of each joint; -1 where it has none or none that is known.
        left, right: Counterparts, in the same order.
    """

    name: str
    parents: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]

    @property
    def mirror(self) -> tuple[int, ...]:
        """Index of each joint's counterpart."""
        return _mirror(len(self.parents), self.left, self.right)

    @property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(joint, parent) of each bone."""
        return tuple((joint, parent) for joint, parent in enumerate(self.parents) if parent >= 0)


@dataclass(frozen=True, slots=True)
class KeypointLayout:
    """The keypoints of a detector: name, their number, and counterparts."""

    name: str
    count: int
    left: tuple[int, ...]
    right: tuple[int, ...]

    @property
    def mirror(self) -> tuple[int, ...]:
        """Index of each keypoint's counterpart."""
        return _mirror(self.count, self.left, self.right)


H36M_32 = JointLayout(
    "h36m32",
    (-1, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9, 0, 11, 12, 13, 14, 12, 16, 17, 18, 19, 20, 19, 22,
     12, 24, 25, 26, 27, 28, 27, 30),
    left=(6, 7, 8, 9, 10, 16, 17, 18, 19, 20, 21, 22, 23),
    right=(1, 2, 3, 4, 5, 24, 25, 26, 27, 28, 29, 30, 31),
)  # fmt: skip
# The 17 of the 32 that move; the shoulders then hang on the thorax.
H36M_17_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
H36M_17 = JointLayout(
    "h36m",
    (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
    left=(4, 5, 6, 11, 12, 13),
    right=(1, 2, 3, 14, 15, 16),
)
HUMANEVA_15 = JointLayout(
    "humaneva15",
    (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1),
    left=(2, 3, 4, 8, 9, 10),
    right=(5, 6, 7, 11, 12, 13),
)
# Of the 20 only the limbs are known: arms and legs of four points each, one after the other.
HUMANEVA_20 = JointLayout(
    "humaneva20",
    (-1, -1, -1, -1, 3, 4, 5, -1, 7, 8, 9, -1, 11, 12, 13, -1, 15, 16, 17, -1),
    left=(3, 4, 5, 6, 11, 12, 13, 14),
    right=(7, 8, 9, 10, 15, 16, 17, 18),
)
_JOINTS = {32: H36M_32, 17: H36M_17, 15: HUMANEVA_15, 20: HUMANEVA_20}

COCO = KeypointLayout("coco", 17, tuple(range(1, 17, 2)), tuple(range(2, 17, 2)))
MPII = KeypointLayout("mpii", 16, (3, 4, 5, 13, 14, 15), (0, 1, 2, 10, 11, 12))
_KEYPOINTS = {"coco": COCO, "mpii": MPII} | {
    layout.name: KeypointLayout(layout.name, len(layout.parents), layout.left, layout.right)
    for layout in (H36M_17, H36M_32, HUMANEVA_15, HUMANEVA_20)
}
# What a file without a layout's name holds, by the number of its keypoints.
_UNNAMED = {17: "h36m", 16: "mpii", 15: "humaneva15", 20: "humaneva20", 32: "h36m32"}


def joint_layout(count: int) -> JointLayout:
    """Return the joints of a data set by their number.

    Raises:
        SkeletonMismatch: No data set has so many.
    """
    if count not in _JOINTS:
        raise SkeletonMismatch(
            f"The 3D data has {count} joints, expected 17 or 32 (Human3.6M), 15 or 20 (HumanEva)",
            hint="Convert the data to one of those.",
        )
    return _JOINTS[count]


def keypoint_layout(
    name: str | None, count: int, *, symmetry: Sequence[Sequence[int]] | None
) -> KeypointLayout:
    """Return the keypoints of a 2D file.

    Args:
        name: ``layout_name`` of its metadata, if it has one.
        count: K of its arrays.
        symmetry: ``keypoints_symmetry`` of its metadata: left and right, which goes before ours.

    Raises:
        SkeletonMismatch: Neither the name nor the number is known and there is no symmetry, or they disagree.
    """
    known = _KEYPOINTS.get(name if name is not None else _UNNAMED.get(count, ""))
    if symmetry is not None:
        left, right = (tuple(int(index) for index in side) for side in symmetry)
        return KeypointLayout(known.name if known and name is None else name or "unknown", count, left, right)
    if known is None or known.count != count:
        raise SkeletonMismatch(
            f"The 2D data has {count} keypoints, layout {name!r}, and no keypoints_symmetry",
            hint=f"Known layouts: {', '.join(sorted(_KEYPOINTS))}. Add the symmetry to the file's metadata.",
        )
    return known
