# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does: sections of mocap files, joined, turned and put in place. No bpy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vp3d_core import motion_file
from vp3d_core.errors import InputError
from vp3d_core.filters import interpolate_cubic, smoothstep
from vp3d_core.kinematics import fit_skeleton
from vp3d_core.skeletons import JOINTS
from vp3d_core.train.contact_labels import floor_height
from vp3d_core.train.mocap import CLIP_RATE_HZ, read_mocap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp3d_core.arrays import Array
    from vp3d_core.motion import Motion

    from .scene import MotionPart, PersonDescription

__all__ = ["join_parts", "person_motion", "placed"]

BLEND_S = 0.4  # of two sections that are joined
RATE_HZ = CLIP_RATE_HZ
LEFT_HIP, RIGHT_HIP = JOINTS.index("left_hip"), JOINTS.index("right_hip")


def person_motion(person: PersonDescription, mocap: Path, *, frame_rate_hz: float) -> Motion:
    """Return a person's motion in the world, at the video's rate."""
    joints = join_parts([_read(part, mocap) for part in person.motion])
    joints = placed(joints, middle_m=person.place_m, turn_rad=float(np.radians(person.turn_deg)))
    times_s = np.arange(len(joints)) / RATE_HZ
    motion = fit_skeleton(joints, times_s=times_s, frame_rate_hz=frame_rate_hz)
    return replace(motion, meta={"sources": [part.file for part in person.motion]})


def _read(part: MotionPart, mocap: Path) -> Array:
    """Return a section's joints (T, 25, 3) at ``RATE_HZ``, turned as it asks for."""
    path = mocap / part.file
    if path.suffix == ".npz":
        motion = motion_file.load(path)
        joints, rate_hz = motion.joints_world()[:, : len(JOINTS.points)], motion.frame_rate_hz
    else:
        joints, rate_hz = read_mocap(path, name=part.file).joints.astype(np.float64), CLIP_RATE_HZ
    last_s = (len(joints) - 1) / rate_hz
    end_s = last_s if part.end_s is None else min(part.end_s, last_s)
    if end_s - part.start_s < 1.0 / RATE_HZ:
        raise InputError(
            f"{part.file} lasts {last_s:.2f} s; a section from {part.start_s} s on is empty",
            hint="Choose an earlier start.",
        )
    count = int((end_s - part.start_s) / part.speed * RATE_HZ) + 1
    times_s = part.start_s + np.arange(count) / RATE_HZ * part.speed
    section = interpolate_cubic(np.arange(len(joints)) / rate_hz, joints, np.minimum(times_s, last_s))
    section[..., 2] -= floor_height(section)
    return _turned(section, float(np.radians(part.turn_deg)))


def join_parts(parts: Sequence[Array]) -> Array:
    """Join sections (T, 25, 3): each starts where, and facing where, the one before ends.

    The last and first ``BLEND_S`` of neighbours overlap and are blended.
    """
    joined = parts[0]
    for part in parts[1:]:
        overlap = min(int(BLEND_S * RATE_HZ), len(joined) // 2, len(part) // 2)
        middle = overlap // 2
        seam, start = joined[len(joined) - overlap + middle], part[middle]
        part = _turned(part, _heading(seam) - _heading(start))
        part[..., :2] += _ground_place(seam) - _ground_place(part[middle])
        share = smoothstep(np.linspace(0.0, 1.0, overlap))[:, None, None]
        blended = joined[len(joined) - overlap :] * (1.0 - share) + part[:overlap] * share
        joined = np.concatenate([joined[: len(joined) - overlap], blended, part[overlap:]])
    return joined


def placed(joints: Array, *, middle_m: tuple[float, float], turn_rad: float) -> Array:
    """Return joints (T, 25, 3) that on average face -y turned by an angle, their path about a point."""
    sideways = (joints[:, LEFT_HIP] - joints[:, RIGHT_HIP])[:, :2].mean(axis=0)
    turned = _turned(joints, turn_rad - float(np.arctan2(sideways[1], sideways[0])))
    path = turned[:, 0, :2]
    turned[..., :2] += np.array(middle_m) - (path.min(axis=0) + path.max(axis=0)) / 2
    return turned


def _turned(joints: Array, angle_rad: float) -> Array:
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    turn = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return joints @ turn.T


def _heading(joints: Array) -> float:
    """Return the direction of the hip line of joints (25, 3) on the floor, rad."""
    left = joints[LEFT_HIP] - joints[RIGHT_HIP]
    return float(np.arctan2(left[1], left[0]))


def _ground_place(joints: Array) -> Array:
    return joints[0, :2]
