# SPDX-License-Identifier: GPL-3.0-or-later
"""A captured motion: a skeleton of constant bone lengths, its root path and its joint rotations.

World: Blender's (right-handed, z up, floor at z = 0). In the rest pose all joints are unrotated, the
person stands in a T-pose facing -y, with the left side towards +x.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .arrays import Array, check_finite, check_shape
from .camera import Camera
from .rotations import quat_multiply, quat_rotate

__all__ = ["CONTACT_JOINTS", "Motion", "MotionSkeleton", "forward_kinematics"]

UNIT_TOLERANCE = 1e-4  # of a quaternion's length and of a camera's axes
CONTACT_JOINTS = ("left_toe", "left_heel", "right_toe", "right_heel")


@dataclass(frozen=True, slots=True, eq=False)
class MotionSkeleton:
    """Names, parents and rest offsets of a motion's joints.

    Attributes:
        names: J names; the 25 of ``skeletons.JOINTS`` come first in a capture. Those of a BVH may repeat.
        parents: J indices, -1 for the one root. A parent may come after its child.
        rest_offsets: (J, 3) m, from the parent in the rest pose, world axes.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    rest_offsets: Array

    def __post_init__(self) -> None:
        if len(self.names) != len(self.parents):
            raise ValueError(f"{len(self.names)} names but {len(self.parents)} parents")
        check_shape("rest_offsets", self.rest_offsets, (len(self.names), 3))
        check_finite("rest_offsets", self.rest_offsets)
        self.order()
        if self.parents.count(-1) != 1:
            raise ValueError(f"the skeleton has {self.parents.count(-1)} roots, expected one")

    def order(self) -> tuple[int, ...]:
        """Return the joint indices with every parent before its children."""
        placed: list[int] = []
        rest = list(range(len(self.parents)))
        while rest:
            ready = [j for j in rest if self.parents[j] == -1 or self.parents[j] in placed]
            if not ready:
                raise ValueError("the parents of a skeleton form a cycle")
            placed += ready
            rest = [j for j in rest if j not in ready]
        return tuple(placed)


def forward_kinematics(
    skeleton: MotionSkeleton, root_positions: Array, rotations: Array
) -> tuple[Array, Array]:
    """Return world positions and world rotations of all joints.

    Args:
        skeleton: J joints.
        root_positions: (T, 3) m, world.
        rotations: (T, J, 4) local quaternions, wxyz.

    Returns:
        positions (T, J, 3) m and world_from_joint quaternions (T, J, 4).
    """
    positions = np.zeros((*rotations.shape[:2], 3), dtype=np.float64)
    world_from_joint = np.zeros(rotations.shape, dtype=np.float64)
    for j in skeleton.order():
        parent = skeleton.parents[j]
        if parent == -1:
            positions[:, j] = root_positions + skeleton.rest_offsets[j]
            world_from_joint[:, j] = rotations[:, j]
        else:
            positions[:, j] = positions[:, parent] + quat_rotate(
                world_from_joint[:, parent], skeleton.rest_offsets[j]
            )
            world_from_joint[:, j] = quat_multiply(world_from_joint[:, parent], rotations[:, j])
    return positions, world_from_joint


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """One person's motion in the world, at a constant frame rate.

    Attributes:
        skeleton: J joints with constant rest offsets.
        root_positions: (T, 3) m, world.
        rotations: (T, J, 4) local unit quaternions wxyz, sign-continuous in time.
        contacts: (T, C) in [0, 1], in the order of ``CONTACT_JOINTS``; curves edited in Blender overshoot.
        confidence: (T, J) in [0, 1].
        frame_rate_hz: Frames per second.
        start_time_s: Time of frame 0 in the video, s.
        camera: The camera that filmed it (world_from_camera), or None.
        image_size: (width, height) px of the camera's picture, or None.
        meta: Where it comes from (source, models, settings, code version); plain JSON values.
    """

    skeleton: MotionSkeleton
    root_positions: Array
    rotations: Array
    contacts: Array
    confidence: Array
    frame_rate_hz: float
    start_time_s: float = 0.0
    camera: Camera | None = None
    image_size: tuple[int, int] | None = None
    meta: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frames, joints = len(self.root_positions), len(self.skeleton.names)
        check_shape("root_positions", self.root_positions, (frames, 3))
        check_shape("rotations", self.rotations, (frames, joints, 4))
        check_shape("contacts", self.contacts, (frames, "C"))
        check_shape("confidence", self.confidence, (frames, joints))
        for name in ("root_positions", "rotations", "contacts", "confidence"):
            check_finite(name, getattr(self, name))
        squares = np.einsum("tji,tji->tj", self.rotations, self.rotations)  # no copy of all rotations
        norms = np.sqrt([squares.min(initial=1.0), squares.max(initial=1.0)])
        if np.abs(norms - 1.0).max() > UNIT_TOLERANCE:
            raise ValueError("rotations must be unit quaternions")
        if not 0 < self.frame_rate_hz < np.inf:
            raise ValueError(f"frame_rate_hz is {self.frame_rate_hz}, expected more than 0 and finite")
        if not np.isfinite(self.start_time_s):
            raise ValueError(f"start_time_s is {self.start_time_s}, expected a finite time")
        if self.image_size is not None and min(self.image_size) < 1:
            raise ValueError(f"image_size is {self.image_size}, expected at least 1 x 1 px")
        if self.camera is not None:
            _check_camera(self.camera, frames)

    @property
    def times_s(self) -> Array:
        """(T,) time of each frame in the video, s."""
        return self.start_time_s + np.arange(len(self.root_positions)) / self.frame_rate_hz

    def joints_world(self) -> Array:
        """Return the joints' positions: (T, J, 3) m, world."""
        return forward_kinematics(self.skeleton, self.root_positions, self.rotations)[0]


def _check_camera(camera: Camera, num_frames: int) -> None:
    """Raise ValueError unless the camera has one place or one a frame, each a rotation and a translation."""
    places = camera.world_from_camera
    if places.ndim == 3 and len(places) != num_frames:
        raise ValueError(f"the camera has {len(places)} places, expected one or those of {num_frames} frames")
    turns = places[..., :3, :3]
    squares = np.swapaxes(turns, -1, -2) @ turns
    if np.abs(squares - np.eye(3)).max(initial=0.0) > UNIT_TOLERANCE or (np.linalg.det(turns) < 0).any():
        raise ValueError("world_from_camera must turn without scale, shear or mirroring")
    if (places[..., 3, :] != [0, 0, 0, 1]).any() or (camera.intrinsics[2] != [0, 0, 1]).any():
        raise ValueError("the last rows of world_from_camera and intrinsics must be 0 … 0 1")
