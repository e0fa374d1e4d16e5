# SPDX-License-Identifier: GPL-3.0-or-later
"""The BVH text format: parsing, writing, and the kinematics of what was read; file units, file axes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .arrays import Array, check_finite, check_shape
from .errors import MotionFormatError
from .rotations import IDENTITY, quat_from_axis_angle, quat_multiply, quat_rotate

__all__ = ["AXES", "BvhData", "bvh_kinematics", "format_bvh", "frame_lines", "head_lines", "parse_bvh"]

AXES = {"X": 0, "Y": 1, "Z": 2}
NO_OFFSET_SHARE = 0.01  # position channels below this share of the offset were left empty
SHORTEST_FRAME_S = 1e-9  # files hold nine decimals
_HINT = "Export it again, or use another copy."


@dataclass(frozen=True, slots=True, eq=False)
class BvhData:
    """A parsed BVH, in the file's own unit and axes.

    Attributes:
        names: J names; end sites are called "<parent>_end".
        parents: J indices, each before its children; -1 for the root.
        offsets: (J, 3) file units.
        channels: For each joint its channels, such as ("Xposition", "Zrotation"); () for end sites.
        frames: (T, C) values in the order of the channels; rotations in degrees.
        frame_time_s: Time between frames, s.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    channels: tuple[tuple[str, ...], ...]
    frames: Array
    frame_time_s: float

    def __post_init__(self) -> None:
        check_shape("offsets", self.offsets, (len(self.names), 3))
        check_finite("offsets", self.offsets)
        check_shape("frames", self.frames, ("T", sum(len(c) for c in self.channels)))
        check_finite("frames", self.frames)
        if not SHORTEST_FRAME_S <= self.frame_time_s < np.inf:
            raise ValueError(
                f"a frame lasts {self.frame_time_s} s, expected more than 0 and less than infinity"
            )

    @property
    def is_end_site(self) -> tuple[bool, ...]:
        """Whether each joint is an end site."""
        return tuple(not channels for channels in self.channels)


def parse_bvh(text: str, *, source: str = "BVH") -> BvhData:
    """Parse the text of a BVH file.

    Args:
        text: The whole file.
        source: Name of the file, for messages.

    Raises:
        MotionFormatError: when it is not a complete BVH.
    """
    head, found, tail = text.partition("MOTION")
    if not found or not head.lstrip().upper().startswith("HIERARCHY"):
        raise MotionFormatError(f"{source} is no BVH: HIERARCHY and MOTION were expected", hint=_HINT)
    try:
        names, parents, offsets, channels = _parse_hierarchy(head.split())
        frames, frame_time_s = _parse_motion(tail, sum(len(c) for c in channels))
        return BvhData(
            tuple(names),
            tuple(parents),
            np.array(offsets, dtype=np.float64),
            tuple(channels),
            frames,
            frame_time_s,
        )
    except (ValueError, IndexError) as error:
        found = "it ends early, or its braces do not match" if isinstance(error, IndexError) else error
        raise MotionFormatError(f"{source} is no complete BVH: {found}", hint=_HINT) from error


def _parse_hierarchy(
    tokens: list[str],
) -> tuple[list[str], list[int], list[list[float]], list[tuple[str, ...]]]:
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[str, ...]] = []
    stack: list[int] = []
    i = 1
    while i < len(tokens):
        token = tokens[i].upper()
        if token in ("ROOT", "JOINT", "END"):
            brace = tokens.index("{", i)  # a name may hold spaces
            parent = stack[-1] if stack else -1
            names.append(f"{names[parent]}_end" if token == "END" else " ".join(tokens[i + 1 : brace]))
            parents.append(parent)
            offsets.append([0.0, 0.0, 0.0])
            channels.append(())
            stack.append(len(names) - 1)
            i = brace + 1
        elif token == "OFFSET":
            offsets[stack[-1]] = [float(value) for value in tokens[i + 1 : i + 4]]
            i += 4
        elif token == "CHANNELS":
            channels[stack[-1]] = _channels(tokens, i + 1)
            i += 2 + len(channels[stack[-1]])
        elif token == "}":
            stack.pop()
            i += 1
        else:
            raise ValueError(f"{tokens[i]!r} was not expected in the hierarchy")
    if stack or not names:
        raise ValueError("the hierarchy has no end")
    return names, parents, offsets, channels


def _channels(tokens: list[str], i: int) -> tuple[str, ...]:
    """Return the channels whose number is the token ``i``."""
    count = int(tokens[i])
    if count < 0:
        raise ValueError(f"{count} channels were announced, expected 0 or more")
    names = tokens[i + 1 : i + 1 + count]
    for name in names:
        if name[:1].upper() not in AXES or name[1:].lower() not in ("position", "rotation"):
            raise ValueError(f"{name!r} is no channel such as Xposition or Zrotation")
    return tuple(names)


def _parse_motion(text: str, channel_count: int) -> tuple[Array, float]:
    lines = text.strip().splitlines()
    if not lines[0].strip().lower().startswith("frames:"):
        raise ValueError("'Frames:' was expected after MOTION")
    count = int(lines[0].split(":")[1])
    frame_time_s = float(lines[1].split(":")[1])
    if count < 0:
        raise ValueError(f"{count} frames were announced, expected 0 or more")
    if not channel_count:
        raise ValueError("no joint has channels, expected at least those of the root")
    values = np.array(" ".join(lines[2:]).split(), dtype=np.float64)
    if len(values) < count * channel_count:
        raise ValueError(
            f"{count} frames of {channel_count} values were announced, {len(values)} values found"
        )
    return values[: count * channel_count].reshape(count, channel_count), frame_time_s


def bvh_kinematics(data: BvhData) -> tuple[Array, Array]:
    """Return global positions (T, J, 3) in file units and global quaternions (T, J, 4).

    Position channels replace a joint's offset, except where they are (nearly) zero below the root: some
    writers announce six channels everywhere and fill in rotations only.
    """
    frames = len(data.frames)
    positions = np.zeros((frames, len(data.names), 3))
    rotations = np.tile(IDENTITY, (frames, len(data.names), 1))
    column = 0
    for j, (parent, channels) in enumerate(zip(data.parents, data.channels, strict=True)):
        local = np.tile(data.offsets[j], (frames, 1))
        turn = np.tile(IDENTITY, (frames, 1))
        for channel in channels:
            axis = AXES[channel[0].upper()]
            values = data.frames[:, column]
            column += 1
            if channel[1:].lower() == "position":
                local[:, axis] = values
            else:
                turn = quat_multiply(turn, quat_from_axis_angle(np.eye(3)[axis], np.radians(values)))
        if parent >= 0 and np.abs(local).max() < NO_OFFSET_SHARE * np.abs(data.offsets[j]).max():
            local = np.tile(data.offsets[j], (frames, 1))
        if parent == -1:
            positions[:, j], rotations[:, j] = local, turn
        else:
            positions[:, j] = positions[:, parent] + quat_rotate(rotations[:, parent], local)
            rotations[:, j] = quat_multiply(rotations[:, parent], turn)
    return positions, rotations


def format_bvh(data: BvhData) -> str:
    """Return BVH data as the text of a file; joints must be in depth-first order."""
    return "".join([*head_lines(data, num_frames=len(data.frames)), *frame_lines(data.frames)])


def head_lines(data: BvhData, *, num_frames: int) -> Iterator[str]:
    """Yield the lines of a file before its frames, each with its end; ``data`` need not hold the frames."""
    lines = [*_hierarchy(data), "MOTION", f"Frames: {num_frames}", f"Frame Time: {data.frame_time_s:.9f}"]
    return (line + "\n" for line in lines)


def frame_lines(frames: Array) -> Iterator[str]:
    """Yield the lines of some frames (T, C), so that those of a long file are never held as a whole."""
    for row in frames:
        yield " ".join([f"{value:.6f}" for value in row.tolist()]) + "\n"


def _hierarchy(data: BvhData) -> list[str]:
    lines = ["HIERARCHY"]
    open_joints: list[int] = []
    for j, (name, parent, channels) in enumerate(zip(data.names, data.parents, data.channels, strict=True)):
        while open_joints and open_joints[-1] != parent:
            open_joints.pop()
            lines.append("\t" * len(open_joints) + "}")
        indent = "\t" * len(open_joints)
        kind = "ROOT" if parent == -1 else "JOINT"
        lines += [indent + (f"{kind} {name}" if channels else "End Site"), indent + "{"]
        open_joints.append(j)
        lines.append(indent + "\tOFFSET " + " ".join(f"{value:.6f}" for value in data.offsets[j]))
        if channels:
            lines.append(f"{indent}\tCHANNELS {len(channels)} {' '.join(channels)}")
    while open_joints:
        open_joints.pop()
        lines.append("\t" * len(open_joints) + "}")
    return lines
