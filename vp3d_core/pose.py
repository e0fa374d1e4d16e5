# SPDX-License-Identifier: GPL-3.0-or-later
"""3D poses and root paths in camera axes (OpenCV: x right, y down, z forward)."""

from __future__ import annotations

from dataclasses import dataclass

from .arrays import Array, check_finite, check_shape, check_times
from .skeletons import JOINTS, KeypointSkeleton

__all__ = ["CANONICAL_HEIGHT_M", "Pose3D", "Trajectory"]

CANONICAL_HEIGHT_M = 1.70  # of the body that the lifter learns and gives


@dataclass(frozen=True, slots=True, eq=False)
class Pose3D:
    """Root-relative 3D joints of one person over time.

    Attributes:
        joints: (T, J, 3) m, camera axes, relative to the root (joint 0 is zero).
        times_s: (T,) s.
        sigma: (T, J) m, the lifter's own standard error per joint.
        contacts: (T, 4) probability that left toe, left heel, right toe, right heel stand on the floor.
        up: (T, 3) unit vector against gravity, camera axes, as the lifter sees it.
        skeleton: Names of the J joints.
    """

    joints: Array
    times_s: Array
    sigma: Array
    contacts: Array
    up: Array
    skeleton: KeypointSkeleton = JOINTS

    def __post_init__(self) -> None:
        frames, joints = len(self.times_s), len(self.skeleton.points)
        check_shape("joints", self.joints, (frames, joints, 3))
        check_shape("sigma", self.sigma, (frames, joints))
        check_shape("contacts", self.contacts, (frames, 4))
        check_shape("up", self.up, (frames, 3))
        for name in ("joints", "sigma", "contacts", "up"):
            check_finite(name, getattr(self, name))
        check_times("times_s", self.times_s)


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """Path of the root: (T, 3) m, camera axes."""

    root: Array

    def __post_init__(self) -> None:
        check_shape("root", self.root, ("T", 3))
        check_finite("root", self.root)
