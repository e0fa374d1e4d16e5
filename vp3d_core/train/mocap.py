# SPDX-License-Identifier: GPL-3.0-or-later
"""Mocap files (BVH, ASF/AMC) as clips of our 25 joints on one canonical body height.

World: z up, floor at 0, metres of a body 1.70 m tall. The scale comes from the bones, so that no unit has
to be known. Besides the joints a clip carries the axes of five rigid segments, on which the keypoints that a
detector would see are placed (``bodies.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..arrays import Array
from ..bvh import bvh_kinematics, parse_bvh
from ..errors import MotionFormatError
from ..pose import CANONICAL_HEIGHT_M
from ..rotations import matrix_from_quat, normalize
from ..skeletons import JOINTS
from .asf_amc import asf_kinematics, parse_amc, parse_asf
from .contact_labels import contact_labels, floor_height
from .mocap_joints import (
    LEG_FRACTION,
    SEGMENTS,
    acclaim_rest,
    foot_axes,
    place_joints,
    rigid_axes,
    trunk_axes,
)
from .mocap_rigs import MocapRig, find_rig

__all__ = ["CLIP_RATE_HZ", "MocapClip", "read_mocap"]

CLIP_RATE_HZ = 60.0
PLAUSIBLE_M = (  # wide enough for every rig
    ("pelvis", "nose", (0.35, 0.95)),
    ("left_hip", "left_knee", (0.3, 0.55)),
    ("left_knee", "left_ankle", (0.3, 0.55)),
    ("left_shoulder", "left_elbow", (0.15, 0.45)),
    ("left_elbow", "left_wrist", (0.1, 0.4)),
)
MOST_HEAD_TURNED = 0.2  # share of frames; two salsas have 38 and 100 %, dancers who throw it back 8
NO_FLAT_FLOOR = re.compile(r"slope|cmu_asfamc/0[13]/|iclone/00[13]/|makehuman|test_soccer|climb")


@dataclass(frozen=True, slots=True, eq=False)
class MocapClip:
    """One trial at ``CLIP_RATE_HZ``.

    Attributes:
        name: Path below the mocap folder.
        joints: (T, 25, 3) m, world.
        segments: (T, 5, 3, 3) world_from_segment of ``SEGMENTS``; columns forward, left, up.
        contacts: (T, 4) in [0, 1]: left toe, left heel, right toe, right heel; NaN without a flat floor.
    """

    name: str
    joints: Array
    segments: Array
    contacts: Array


def read_mocap(path: Path, *, name: str = "") -> MocapClip:
    """Read one BVH or AMC file (with the ASF beside it).

    Raises:
        MotionFormatError: when it cannot be parsed or its skeleton is of no known family.
    """
    name = name or path.name
    text = path.read_text(errors="replace")
    if path.suffix.lower() == ".amc":
        asf = sorted(path.parent.glob("*.asf"))
        if not asf:
            raise MotionFormatError(f"{name}: no .asf skeleton beside it")
        names, positions, turns = asf_kinematics(
            parse_asf(asf[0].read_text(errors="replace"), source=asf[0].name), parse_amc(text, source=name)
        )
        rate_hz, rest = 120.0, None
    else:
        data = parse_bvh(text, source=name)
        names, rate_hz = data.names, 1.0 / data.frame_time_s
        positions, turns = bvh_kinematics(data)
        rest = _rest_positions(data.parents, data.offsets)
    rig = find_rig(names)
    if rig is None:
        raise MotionFormatError(f"{name}: the skeleton ({', '.join(names[:6])} …) is of no known family")
    if "salsa" in name:
        rate_hz = 60.0  # the header says 120; the collection's readme says 60
    if rig.skip_first_frame and len(positions) > 1:
        positions, turns = positions[1:], turns[1:]
    return _build_clip(name, rig, names, _z_up(positions, rig), matrix_from_quat(turns), rate_hz, rest)


def _rest_positions(parents: tuple[int, ...], offsets: Array) -> Array:
    rest = np.array(offsets)
    for j, parent in enumerate(parents):
        if parent >= 0:
            rest[j] += rest[parent]
    return rest


def _z_up(positions: Array, rig: MocapRig) -> Array:
    if rig.up == "z":
        return positions
    return np.stack([positions[..., 0], -positions[..., 2], positions[..., 1]], axis=-1)


def _build_clip(
    name: str,
    rig: MocapRig,
    names: tuple[str, ...],
    positions: Array,
    turns: Array,
    rate_hz: float,
    rest: Array | None,
) -> MocapClip:
    points = _anatomical_points(rig, names, positions)
    scale = _canonical_scale(points)
    points = {key: value * scale for key, value in points.items()}
    pelvis, chest = trunk_axes(points)
    basis = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]) if rig.up == "y" else np.eye(3)
    turns = basis @ turns @ basis.T
    rest_points = None
    if rest is not None and rig.rest_is_anatomical:
        rest_points = _anatomical_points(rig, names, _z_up(rest[None], rig))
    index = {key: names.index(value) for key, value in _joint_names(rig).items()}
    head = rigid_axes(turns[:, index["head"]], chest, rest_points or acclaim_rest(rig))
    feet = [
        foot_axes(turns[:, index[f"{side}_ankle"]], points, side, rest_points or acclaim_rest(rig))
        for side in ("left", "right")
    ]
    segments = np.stack([pelvis, chest, head, *feet], axis=1)
    joints = place_joints(points, segments, rig)
    _check_body(name, joints, segments)
    joints, segments = _resample(joints, segments, rate_hz)
    joints[..., 2] -= floor_height(joints)
    contacts = contact_labels(joints, rate_hz=CLIP_RATE_HZ)
    if NO_FLAT_FLOOR.search(name) or len(joints) < 2:
        contacts[:] = np.nan
    return MocapClip(
        name, joints.astype(np.float32), segments.astype(np.float32), contacts.astype(np.float32)
    )


def _check_body(name: str, joints: Array, segments: Array) -> None:
    """Raise MotionFormatError unless bones and head are a body's: misread files teach nonsense."""
    for a, b, (shortest, longest) in PLAUSIBLE_M:
        distances = np.linalg.norm(joints[:, JOINTS.index(a)] - joints[:, JOINTS.index(b)], axis=-1)
        length = float(np.median(distances))
        if not shortest < length < longest:
            raise MotionFormatError(
                f"{name}: from {a} to {b} there are {length:.3g} m on a body 1.70 m tall, "
                f"expected {shortest} to {longest}"
            )
    if not np.allclose(np.linalg.det(segments), 1.0, atol=1e-3):
        raise MotionFormatError(f"{name}: the axes of pelvis, chest, head or feet are undefined")
    chest_up, head_up = (segments[:, SEGMENTS.index(part), :, 2] for part in ("chest", "head"))
    turned = float(np.mean((chest_up * head_up).sum(axis=-1) < 0.0))
    if turned > MOST_HEAD_TURNED:
        raise MotionFormatError(f"{name}: the head is upside down on the chest in {turned:.0%} of the frames")


def _joint_names(rig: MocapRig) -> dict[str, str]:
    table = {"thorax": rig.thorax, "head": rig.head}
    for side, written in zip(("left", "right"), rig.sides, strict=True):
        for part in ("hip", "knee", "ankle", "toe", "shoulder", "elbow", "wrist", "hand"):
            table[f"{side}_{part}"] = getattr(rig, part).format(s=written)
    return table


def _anatomical_points(rig: MocapRig, names: tuple[str, ...], positions: Array) -> dict[str, Array]:
    points = {key: positions[:, names.index(value)] for key, value in _joint_names(rig).items()}
    points["pelvis"] = (points["left_hip"] + points["right_hip"]) / 2
    return points


def _canonical_scale(points: dict[str, Array]) -> float:
    def length(a: str, b: str) -> float:
        return float(np.median(np.linalg.norm(points[a] - points[b], axis=-1)))

    legs = [length(f"{s}_hip", f"{s}_knee") + length(f"{s}_knee", f"{s}_ankle") for s in ("left", "right")]
    return CANONICAL_HEIGHT_M * LEG_FRACTION / (sum(legs) / 2)


def _resample(joints: Array, segments: Array, rate_hz: float) -> tuple[Array, Array]:
    """Bring a clip to ``CLIP_RATE_HZ``: box filter when faster, linear when slower."""
    if len(joints) < 2:
        return joints, segments
    step = max(1, round(rate_hz / CLIP_RATE_HZ))
    if step > 1:
        padded = np.pad(joints, ((step // 2, step - 1 - step // 2), (0, 0), (0, 0)), mode="edge")
        joints = np.lib.stride_tricks.sliding_window_view(padded, step, axis=0).mean(axis=-1)
    source = np.arange(len(joints)) / rate_hz
    times = np.arange(0.0, source[-1], 1.0 / CLIP_RATE_HZ)
    low = np.clip(np.searchsorted(source, times, side="right") - 1, 0, len(source) - 2)
    part = ((times - source[low]) * rate_hz)[:, None, None]
    joints = joints[low] * (1 - part) + joints[low + 1] * part
    mixed = segments[low] * (1 - part[..., None]) + segments[low + 1] * part[..., None]
    forward = normalize(mixed[..., 0])
    up = normalize(mixed[..., 2] - forward * (mixed[..., 2] * forward).sum(-1, keepdims=True))
    return joints, np.stack([forward, np.cross(up, forward), up], axis=-1)
