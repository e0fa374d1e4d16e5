# SPDX-License-Identifier: GPL-3.0-or-later
"""Mocap files of a made-up person 1.70 m tall, as each known family of skeletons would write them.

World: z up, m; at heading 0 the person faces -y, with the left side at +x. In a file of a family with y up
that is facing +z, as most mocap does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from vp3d_core.arrays import Array
from vp3d_core.bvh_data import BvhData, format_bvh
from vp3d_core.train.dataset import save_bank
from vp3d_core.train.mocap import MocapClip, read_mocap
from vp3d_core.train.mocap_rigs import RIGS, MocapRig

LEG_M, TRUNK_M = 0.491 * 1.70, 0.288 * 1.70  # Drillis & Contini 1966
HIP_UP_M = 0.085 + LEG_M
SHOULDER_UP_M = HIP_UP_M + TRUNK_M
# Rest pose (forward, left, up) m of the middle and of the left side, and the parent; arms held out.
MIDDLE = {
    "root": ("", (0.0, 0.0, HIP_UP_M)),
    "thorax": ("root", (0.0, 0.0, SHOULDER_UP_M)),
    "head": ("thorax", (0.0, 0.0, SHOULDER_UP_M + 0.10)),
}
SIDE = {
    "hip": ("root", (0.0, 0.08, HIP_UP_M)),
    "knee": ("hip", (0.0, 0.08, HIP_UP_M - LEG_M / 2)),
    "ankle": ("knee", (0.0, 0.08, HIP_UP_M - LEG_M)),
    "toe": ("ankle", (0.13, 0.08, 0.03)),
    "shoulder": ("thorax", (0.0, 0.18, SHOULDER_UP_M)),
    "elbow": ("shoulder", (0.0, 0.46, SHOULDER_UP_M)),
    "wrist": ("elbow", (0.0, 0.71, SHOULDER_UP_M)),
    "hand": ("wrist", (0.0, 0.79, SHOULDER_UP_M)),
}
END_M = {"head": (0.0, 0.0, 0.15), "toe": (0.05, 0.0, 0.0), "hand": (0.0, 0.05, 0.0)}
WORLD_FROM_BODY = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # from forward, left, up
WORLD_FROM_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
RIG_NAMES = tuple(rig.name for rig in RIGS if rig.name != "asf")


@dataclass(frozen=True)
class Performance:
    """Global rotations {part: (T, 3, 3)}, other parts follow their parent; and the root's path (T, 3) m."""

    turns: dict[str, Array]
    root: Array


def rest_parts() -> dict[str, tuple[str, Array]]:
    """Return {part: (parent, world position m)}, parents first."""
    parts: dict[str, tuple[str, Array]] = {}
    for name, (parent, place) in MIDDLE.items():
        parts[name] = (parent, WORLD_FROM_BODY @ np.array(place, np.float64))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for part, (parent, place) in SIDE.items():
            above = parent if parent in MIDDLE else f"{side}_{parent}"
            parts[f"{side}_{part}"] = (above, WORLD_FROM_BODY @ (np.array(place) * [1.0, sign, 1.0]))
    return parts


def standing(num_frames: int = 10) -> Performance:
    """Return a person who stands with the arms held out."""
    root = rest_parts()["root"][1]
    return Performance({"root": np.tile(np.eye(3), (num_frames, 1, 1))}, np.tile(root, (num_frames, 1)))


def walking(
    num_frames: int = 180, *, rate_hz: float = 60.0, heading_rad: float = 0.0, cadence_hz: float = 0.9
) -> Performance:
    """Return a person who walks: legs swing, knees bend, feet stay level, arms hang and swing, head level."""
    phase = 2 * np.pi * cadence_hz * np.arange(num_frames) / rate_hz
    about_z = _about(2, np.full(num_frames, heading_rad))
    turns = {"root": about_z.as_matrix()}
    turns["thorax"] = turns["head"] = turns["root"]
    for side, sign, shift in (("left", 1.0, 0.0), ("right", -1.0, np.pi)):
        swing = np.sin(phase + shift)
        lifted = np.maximum(0.0, np.cos(phase + shift))
        # Facing -y, a turn about -x brings a hanging limb forward.
        thigh, shank = -0.4 * swing - 0.2 * lifted, -0.4 * swing + 0.7 * lifted
        turns[f"{side}_hip"] = (about_z * _about(0, thigh)).as_matrix()
        turns[f"{side}_knee"] = (about_z * _about(0, shank)).as_matrix()
        turns[f"{side}_ankle"] = turns["root"]
        hanging = _about(1, np.full(num_frames, sign * 1.4))
        turns[f"{side}_shoulder"] = (about_z * _about(0, 0.4 * swing) * hanging).as_matrix()
        turns[f"{side}_elbow"] = (about_z * _about(0, 0.4 * swing - 0.4) * hanging).as_matrix()
    root = np.zeros((num_frames, 3))
    root += np.arange(num_frames)[:, None] / rate_hz * 1.2 * heading(heading_rad)
    sole = performed(Performance(turns, root))
    lowest = np.minimum(sole["left_toe"][:, 2], sole["right_toe"][:, 2])
    root[:, 2] += 0.03 - lowest
    return Performance(turns, root)


def heading(heading_rad: float) -> Array:
    """Return the direction (3,) that a person of this heading faces."""
    return np.array([np.sin(heading_rad), -np.cos(heading_rad), 0.0])


def performed(performance: Performance) -> dict[str, Array]:
    """Return where all parts are: {part: (T, 3)} m."""
    parts = rest_parts()
    turns = _all_turns(performance)
    places = {"root": performance.root}
    for part, (parent, rest) in parts.items():
        if parent:
            places[part] = places[parent] + turns[parent] @ (rest - parts[parent][1])
    return places


def bvh_text(rig: MocapRig, performance: Performance, *, rate_hz: float = 60.0, unit_m: float = 0.01) -> str:
    """Return the BVH file of a family; where it says so, with a T-pose far off as an added first frame.

    A family whose rest pose is not anatomical gets joints whose own axes point anywhere.
    """
    parts, turns, root = rest_parts(), _all_turns(performance), performance.root
    if rig.skip_first_frame:
        turns = {part: np.concatenate([np.eye(3)[None], turn]) for part, turn in turns.items()}
        root = np.concatenate([[[9.0, 9.0, 9.0]], root])
    world_from_file = WORLD_FROM_Y_UP if rig.up == "y" else np.eye(3)
    rng = np.random.default_rng(len(rig.name))
    axes = {
        part: np.eye(3) if rig.rest_is_anatomical else Rotation.from_rotvec(rng.normal(size=3)).as_matrix()
        for part in parts
    }
    own = {part: world_from_file.T @ turns[part] @ world_from_file @ axes[part] for part in parts}
    names, parents, offsets, channels, columns = [], [], [], [], [root @ world_from_file / unit_m]
    place: dict[str, int] = {}

    def add(part: str, parent: str, offset: Array, *, end: bool) -> None:
        place[part] = len(names)
        names.append(f"{names[place[parent]]}_end" if end else _name_in(rig, part))
        parents.append(place[parent] if parent else -1)
        frame = axes[parent] if parent else np.eye(3)
        offsets.append(frame.T @ world_from_file.T @ offset / unit_m)
        turning = ("Zrotation", "Xrotation", "Yrotation")
        channels.append(
            () if end else turning if parent else ("Xposition", "Yposition", "Zposition", *turning)
        )
        if not end:
            local = np.swapaxes(own[parent], -1, -2) @ own[part] if parent else own[part]
            columns.append(Rotation.from_matrix(local).as_euler("ZXY", degrees=True))

    for part in _depth_first(parts, rig):
        parent, rest = parts[part]
        add(
            part,
            parent,
            rest - parts[parent][1] if parent else rest,
            end=_name_in(rig, part).endswith("_end"),
        )
        kind = part.rpartition("_")[2]
        if kind in END_M and not names[-1].endswith("_end"):
            sign = [1.0, -1.0 if part.startswith("right") else 1.0, 1.0]
            add(f"{part} end", part, WORLD_FROM_BODY @ (np.array(END_M[kind]) * sign), end=True)
    frames = np.concatenate(columns, axis=1)
    return format_bvh(
        BvhData(tuple(names), tuple(parents), np.array(offsets), tuple(channels), frames, 1.0 / rate_hz)
    )


def write_bank(path: Path, *, names: tuple[str, ...], seconds: float = 4.0) -> Path:
    """Write a bank of walks, one a name, each with its own heading and cadence, and return its path."""
    rig = next(rig for rig in RIGS if rig.name == "motionbuilder")
    clips: list[MocapClip] = []
    for i, name in enumerate(names):
        file = path.with_name(f"walk_{i}.bvh")
        performance = walking(round(60 * seconds), heading_rad=0.9 * i, cadence_hz=0.7 + 0.1 * (i % 4))
        file.write_text(bvh_text(rig, performance))
        clips.append(read_mocap(file, name=name))
    save_bank(path, clips)
    return path


def _about(axis: int, angles_rad: Array) -> Rotation:
    return Rotation.from_rotvec(angles_rad[:, None] * np.eye(3)[axis])


def _all_turns(performance: Performance) -> dict[str, Array]:
    turns: dict[str, Array] = {}
    for part, (parent, _) in rest_parts().items():
        turns[part] = performance.turns[part] if part in performance.turns else turns[parent]
    return turns


def _name_in(rig: MocapRig, part: str) -> str:
    if part == "root":
        return "Root"
    if part in ("thorax", "head"):
        return str(getattr(rig, part))
    side, _, kind = part.partition("_")
    return str(getattr(rig, kind)).format(s=rig.sides[side == "right"])


def _depth_first(parts: dict[str, tuple[str, Array]], rig: MocapRig) -> list[str]:
    """Return the parts as a BVH lists them, without a hand that the family does not tell from the wrist."""

    def below(part: str) -> list[str]:
        children = [child for child, (parent, _) in parts.items() if parent == part]
        return [part, *(name for child in children for name in below(child))]

    same = rig.hand == rig.wrist
    return [part for part in below("root") if not (same and part.endswith("_hand"))]
