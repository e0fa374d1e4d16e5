# SPDX-License-Identifier: GPL-3.0-or-later
"""BVH files: parsing, and exchange with Motion.

A BVH names no unit and no axes; ours are written y up, -z forward, in centimetres, channels Z X Y.
"Forward" is the file's axis that becomes the world's +y, as in Blender's importer: with y up and -z
forward a person who faces the viewer looks along the file's +z and along the world's -y.
Nothing here guesses: the reader takes unit and axes as arguments.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .arrays import Array
from .bvh_data import AXES, BvhData, bvh_kinematics, format_bvh, frame_lines, head_lines, parse_bvh
from .errors import MotionFormatError
from .euler import euler_from_quat
from .motion import Motion, MotionSkeleton
from .output_file import replaced_when_done
from .rotations import (
    quat_conjugate,
    quat_continuous,
    quat_from_matrix,
    quat_multiply,
    quat_rotate,
)
from .time_blocks import time_blocks

__all__ = [
    "BvhData",
    "bvh_from_motion",
    "bvh_kinematics",
    "file_axes_from_world",
    "format_bvh",
    "load",
    "motion_from_bvh",
    "parse_bvh",
    "save",
    "zxy_degrees",
]

_CENTIMETRES_PER_METRE = 100.0
_END_SUFFIX = "_end"
_MOVING_OFFSET_M = 0.002  # a joint that slides further than this from its mean offset is worth a warning
_EULER_ORDER = "YXZ"  # the file's channels Z X Y turn the last one first
_EULER_COLUMNS = [2, 0, 1]  # of the angles about x, y and z
_FRAMES_AT_ONCE = 256  # bounds the memory that turning quaternions into angles takes
_log = logging.getLogger(__name__)


def load(path: Path | str, *, unit_m: float = 0.01, up: str = "y", forward: str = "-z") -> Motion:
    """Read a BVH file of any skeleton.

    Args:
        path: The file.
        unit_m: Length of the file's unit in metres; 0.01 for centimetres.
        up: The file's axis that points up: "x", "y", "z", or with a minus sign.
        forward: The file's axis that becomes the world's +y.

    Returns:
        The motion, with the file's names; end sites of some length become joints "<parent>_end".

    Raises:
        MotionFormatError: when the file is missing or is no complete BVH.
        ValueError: when the axes are unknown or along one line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise MotionFormatError(
            f"{path} cannot be read: {error.strerror}", hint="Give the path of a BVH file."
        ) from error
    return motion_from_bvh(parse_bvh(text, source=str(path)), unit_m=unit_m, up=up, forward=forward)


def motion_from_bvh(data: BvhData, *, unit_m: float = 0.01, up: str = "y", forward: str = "-z") -> Motion:
    """Turn a parsed BVH into a Motion; see ``load``."""
    if not unit_m > 0:
        raise ValueError(f"unit_m is {unit_m}, expected more than 0")
    if not len(data.frames):
        raise MotionFormatError(
            "The BVH has 0 frames, expected at least one", hint="Export it with its motion."
        )
    if data.parents.count(-1) != 1:
        raise MotionFormatError(
            f"The BVH has {data.parents.count(-1)} roots, expected one", hint="Export one person a file."
        )
    world_from_file = _world_from_file(up, forward)
    turn = quat_from_matrix(world_from_file)
    positions, from_joint = bvh_kinematics(data)
    parents = np.array(data.parents)
    offsets = data.offsets * unit_m
    rotations = from_joint.copy()
    for j in range(1, len(parents)):
        backward = quat_conjugate(from_joint[:, parents[j]])
        rotations[:, j] = quat_multiply(backward, from_joint[:, j])
        if any(channel[1:].lower() == "position" for channel in data.channels[j]):
            local = quat_rotate(backward, positions[:, j] - positions[:, parents[j]]) * unit_m
            offsets[j] = local.mean(axis=0)
            if np.abs(local - offsets[j]).max() > _MOVING_OFFSET_M:
                _log.warning("BVH joint %r slides on its parent; its mean offset is used", data.names[j])
    offsets[0] = 0.0
    keep = [j for j in range(len(parents)) if not (data.is_end_site[j] and not offsets[j].any())]
    kept_parents = tuple(keep.index(parents[j]) if parents[j] >= 0 else -1 for j in keep)
    rotations = quat_multiply(quat_multiply(turn, rotations[:, keep]), quat_conjugate(turn))
    return Motion(
        MotionSkeleton(tuple(data.names[j] for j in keep), kept_parents, offsets[keep] @ world_from_file.T),
        positions[:, 0] * unit_m @ world_from_file.T,
        quat_continuous(rotations),
        np.zeros((len(data.frames), 0)),
        np.ones((len(data.frames), len(keep))),
        frame_rate_hz=1.0 / data.frame_time_s,
    )


def _world_from_file(up: str, forward: str) -> Array:
    """Return the (3, 3) rotation that takes the file's ``up`` to +z and its ``forward`` to +y."""
    z, y = _axis(up), _axis(forward)
    if abs(float(z @ y)) > 0:
        raise ValueError(f"up {up!r} and forward {forward!r} lie along one line")
    return np.stack([np.cross(y, z), y, z])


def _axis(name: str) -> Array:
    letter = name.strip().lstrip("+-").upper()
    if letter not in AXES:
        raise ValueError(f"axis {name!r} is unknown, expected x, y, z, -x, -y or -z")
    return np.eye(3)[AXES[letter]] * (-1.0 if name.strip().startswith("-") else 1.0)


def save(path: Path | str, motion: Motion) -> None:
    """Write a motion as BVH: y up, -z forward, centimetres, channels Z X Y.

    Args:
        path: The file to write.
        motion: Contacts, confidence, camera and meta are not part of a BVH.

    Raises:
        OutputError: when the file cannot be written.
    """
    head, turning = _without_frames(motion)
    with (
        replaced_when_done(Path(path)) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        stream.writelines(head_lines(head, num_frames=len(motion.root_positions)))
        for frames in _frame_blocks(motion, turning, head.offsets[0]):
            stream.writelines(frame_lines(frames))


def bvh_from_motion(motion: Motion) -> BvhData:
    """Return a motion as BVH data: y up, -z forward, centimetres, channels Z X Y, depth first.

    A leaf gets an end site of length 0; a leaf "<parent>_end" that never turns becomes an end site itself.
    """
    head, turning = _without_frames(motion)
    frames = np.concatenate(list(_frame_blocks(motion, turning, head.offsets[0])))
    return dataclasses.replace(head, frames=frames)


def _without_frames(motion: Motion) -> tuple[BvhData, list[int]]:
    """Return the BVH data without its frames, and the joints that turn in the order of their channels."""
    names, parents = motion.skeleton.names, motion.skeleton.parents
    if parents.count(-1) != 1:
        raise ValueError(f"the skeleton has {parents.count(-1)} roots, expected one")
    file_from_world = file_axes_from_world()
    offsets = motion.skeleton.rest_offsets @ file_from_world.T * _CENTIMETRES_PER_METRE
    order = _depth_first(parents)
    root = order[0]
    rows: list[tuple[str, int, Array, tuple[str, ...]]] = []
    turning: list[int] = []
    place: dict[int, int] = {}
    for j in order:
        place[j] = len(rows)
        parent = place[parents[j]] if parents[j] >= 0 else -1
        leaf = j not in parents
        still = bool((np.abs(motion.rotations[:, j, 1:]) < 1e-9).all())
        if leaf and still and parent >= 0 and names[j] == names[parents[j]] + _END_SUFFIX:
            rows.append((names[j], parent, offsets[j], ()))
            continue
        position = ("Xposition", "Yposition", "Zposition") if j == root else ()
        rows.append((names[j], parent, offsets[j], (*position, "Zrotation", "Xrotation", "Yrotation")))
        turning.append(j)
        if leaf:
            rows.append((names[j] + _END_SUFFIX, place[j], np.zeros(3), ()))
    row_names, row_parents, row_offsets, channels = zip(*rows, strict=True)
    frames = np.empty((0, 3 + 3 * len(turning)))
    head = BvhData(
        row_names, row_parents, np.array(row_offsets), channels, frames, 1.0 / motion.frame_rate_hz
    )
    return head, turning


def _frame_blocks(motion: Motion, turning: list[int], root_offset: Array) -> Iterator[Array]:
    """Yield the frames (T, C), some at a time; angles go on from one part to the next."""
    file_from_world = file_axes_from_world()
    turn = quat_from_matrix(file_from_world)
    last = np.zeros((len(turning), 3))
    for block in time_blocks(len(motion.root_positions), margin=0, length=_FRAMES_AT_ONCE):
        root = motion.root_positions[block.kept] @ file_from_world.T * _CENTIMETRES_PER_METRE + root_offset
        rotations = motion.rotations[block.kept][:, turning]
        turned = quat_multiply(quat_multiply(turn, rotations), quat_conjugate(turn))
        joints = [euler_from_quat(turned[:, j], _EULER_ORDER, before=last[j]) for j in range(len(turning))]
        yield np.concatenate([root, *(_zxy_degrees(angles) for angles in joints)], axis=1)
        last = np.array([angles[-1] for angles in joints])


def file_axes_from_world() -> Array:
    """Return the (3, 3) rotation from the world's axes to those of the files we write."""
    return _world_from_file("y", "-z").T


def _depth_first(parents: tuple[int, ...]) -> list[int]:
    order: list[int] = []
    stack = [parents.index(-1)]
    while stack:
        joint = stack.pop()
        order.append(joint)
        stack += [child for child in reversed(range(len(parents))) if parents[child] == joint]
    return order


def zxy_degrees(quats: Array) -> Array:
    """Return (T, 3) angles a, b, c in degrees with rotation = Rz(a) Rx(b) Ry(c), without avoidable jumps."""
    return _zxy_degrees(euler_from_quat(quats, _EULER_ORDER))


def _zxy_degrees(angles_rad: Array) -> Array:
    """Return angles about x, y and z (T, 3) in the order of the channels."""
    return np.degrees(angles_rad[:, _EULER_COLUMNS])
