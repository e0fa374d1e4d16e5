# SPDX-License-Identifier: GPL-3.0-or-later
"""Acclaim ASF/AMC mocap: a skeleton file and its motion files.

Source: "Acclaim ASF/AMC", a bone's global rotation is parent · axis · motion · axis⁻¹.
Each bone becomes a joint at the bone's start, and its end a further joint "<bone>_end" for leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import MotionFormatError
from ..rotations import IDENTITY, quat_conjugate, quat_from_axis_angle, quat_multiply, quat_rotate

__all__ = ["AsfSkeleton", "asf_kinematics", "parse_amc", "parse_asf"]


@dataclass(frozen=True, slots=True, eq=False)
class AsfSkeleton:
    """An ASF skeleton: bones with direction, length, axis (quaternion), degrees of freedom and parent."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    vectors: Array
    axes: Array
    dofs: tuple[tuple[str, ...], ...]


def _euler(values_deg: list[float], order: str) -> Array:
    turn = IDENTITY
    for axis, value in zip(order.lower(), values_deg, strict=True):
        unit = np.eye(3)["xyz".index(axis)]
        turn = quat_multiply(quat_from_axis_angle(unit, np.radians(value)), turn)
    return turn


def parse_asf(text: str, *, source: str = "ASF") -> AsfSkeleton:
    """Parse an ASF file; MotionFormatError when bones or hierarchy are missing."""
    if ":bonedata" not in text or ":hierarchy" not in text:
        raise MotionFormatError(f"{source} is no ASF: :bonedata and :hierarchy were expected")
    bonedata, hierarchy = text.split(":bonedata", 1)[1].split(":hierarchy", 1)
    names, vectors, axes, dofs = ["root"], [np.zeros(3)], [IDENTITY], [()]
    for block in bonedata.split("begin")[1:]:
        bone = _parse_bone(block)
        names.append(str(bone["name"]))
        vectors.append(np.array(bone["direction"]) * float(bone["length"]))
        axes.append(bone["axis"])
        dofs.append(bone["dof"])
    parents = [-1] * len(names)
    for line in hierarchy.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] in names:
            for child in words[1:]:
                parents[names.index(child)] = names.index(words[0])
    return AsfSkeleton(tuple(names), tuple(parents), np.array(vectors), np.array(axes), tuple(dofs))


def _parse_bone(block: str) -> dict[str, Any]:
    bone: dict[str, Any] = {"dof": ()}
    for line in block.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "name":
            bone["name"] = words[1]
        elif words[0] == "direction":
            bone["direction"] = [float(w) for w in words[1:4]]
        elif words[0] == "length":
            bone["length"] = float(words[1])
        elif words[0] == "axis":
            bone["axis"] = _euler([float(w) for w in words[1:4]], words[4])
        elif words[0] == "dof":
            bone["dof"] = tuple(words[1:])
    return bone


def parse_amc(text: str, *, source: str = "AMC") -> list[dict[str, list[float]]]:
    """Parse an AMC file into one dictionary of bone values a frame."""
    frames: list[dict[str, list[float]]] = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0][0] in "#:":
            continue
        if len(words) == 1 and words[0].isdigit():
            frames.append({})
        elif frames:
            frames[-1][words[0]] = [float(word) for word in words[1:]]
    if not frames or "root" not in frames[0]:
        raise MotionFormatError(f"{source} is no AMC: no frame with a root was found")
    return frames


def asf_kinematics(
    skeleton: AsfSkeleton, frames: list[dict[str, list[float]]]
) -> tuple[tuple[str, ...], Array, Array]:
    """Return joint names, global positions (T, J, 3) in ASF units and global quaternions (T, J, 4).

    A joint lies where its bone starts; leaves get a further joint "<bone>_end".
    """
    count, bones = len(frames), len(skeleton.names)
    starts, ends = np.zeros((count, bones, 3)), np.zeros((count, bones, 3))
    turns = np.tile(IDENTITY, (count, bones, 1))
    for b in _parents_first(skeleton.parents):
        name, parent = skeleton.names[b], skeleton.parents[b]
        motion = _bone_motion(skeleton.dofs[b] if parent >= 0 else ("rx", "ry", "rz"), frames, name)
        axis = skeleton.axes[b]
        local = quat_multiply(quat_multiply(axis, motion), quat_conjugate(axis))
        if parent < 0:
            starts[:, b] = ends[:, b] = np.array([frame["root"][:3] for frame in frames])
            turns[:, b] = local
        else:
            turns[:, b] = quat_multiply(turns[:, parent], local)
            starts[:, b] = ends[:, parent]
            ends[:, b] = starts[:, b] + quat_rotate(turns[:, b], skeleton.vectors[b])
    leaves = [b for b in range(bones) if b not in skeleton.parents]
    names = (*skeleton.names, *(f"{skeleton.names[b]}_end" for b in leaves))
    return (
        names,
        np.concatenate([starts, ends[:, leaves]], axis=1),
        np.concatenate([turns, turns[:, leaves]], axis=1),
    )


def _parents_first(parents: tuple[int, ...]) -> list[int]:
    order = [b for b, parent in enumerate(parents) if parent < 0]
    for b in order:
        order += [child for child, parent in enumerate(parents) if parent == b]
    return order


def _bone_motion(dofs: tuple[str, ...], frames: list[dict[str, list[float]]], name: str) -> Array:
    turn = np.tile(IDENTITY, (len(frames), 1))
    offset = 3 if name == "root" else 0
    for i, dof in enumerate(dof for dof in dofs if dof in ("rx", "ry", "rz")):
        values = np.array([frame[name][offset + i] if name in frame else 0.0 for frame in frames])
        unit = np.eye(3)["xyz".index(dof[1])]
        turn = quat_multiply(quat_from_axis_angle(unit, np.radians(values)), turn)
    return turn
