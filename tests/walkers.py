# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic people in the picture: walking figures with all 28 slots, and what a detector makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vp3d_core.keypoints import Detections2D, Keypoints2D
from vp3d_core.skeletons import SLOTS

Floats = npt.NDArray[np.float64]

IMAGE_SIZE = (1280, 720)
# Lengths as shares of the height.
THIGH, SHANK, FOOT, HIP_UP, SHOULDER_UP, HEAD_UP = 0.245, 0.246, 0.1, 0.53, 0.82, 0.93
HIP_OUT, SHOULDER_OUT, UPPER_ARM, FOREARM, HAND = 0.055, 0.11, 0.17, 0.15, 0.05


def times(num_frames: int, *, rate_hz: float = 30.0, jitter: float = 0.0, seed: int = 0) -> Floats:
    """Return (T,) s; with jitter, steps vary by that share (0 to 1)."""
    steps = 1.0 + jitter * np.random.default_rng(seed).uniform(-1.0, 1.0, num_frames)
    return np.cumsum(steps) / rate_hz


def walker(
    times_s: Floats,
    *,
    height_px: float = 400.0,
    start_x: float = 200.0,
    speed_per_s: float = 0.7,
    view_rad: float = 0.0,
    floor_y: float = 650.0,
    phase: float = 0.0,
) -> Floats:
    """Return (T, 28, 2) px of a walking person.

    Args:
        times_s: (T,) s.
        height_px: Body height.
        start_x: x of the pelvis at time 0.
        speed_per_s: Body heights a second along x; negative walks left.
        view_rad: 0 seen from the side, pi/2 from the front (the speed along x stays).
        floor_y: y of the soles.
        phase: Of the gait, rad.
    """
    gait = 2.0 * np.pi * 0.9 * times_s + phase
    points = {"mid_hip": _point(0, 0, HIP_UP, gait), "neck": _point(0, 0, SHOULDER_UP, gait)}
    points |= {"head_top": _point(0.02, 0, 1.0, gait), "nose": _point(0.07, 0, HEAD_UP, gait)}
    for side, out, cycle in (("left", 1.0, gait), ("right", -1.0, gait + np.pi)):
        points |= {f"{side}_{name}": value for name, value in _half(out, cycle).items()}
    body = np.stack([points[name] for name in SLOTS.points], axis=1)  # forward, left, up
    bob = 0.01 * np.cos(2.0 * gait)
    facing = np.sign(speed_per_s) or 1.0
    across = facing * np.cos(view_rad) * body[..., 0] - np.sin(view_rad) * body[..., 1]
    x = start_x + height_px * (speed_per_s * times_s[:, None] + across)
    y = floor_y - height_px * (body[..., 2] + bob[:, None])
    return np.stack([x, y], axis=-1)


def _point(forward: Floats | float, left: float, up: Floats | float, gait: Floats) -> Floats:
    return np.stack(np.broadcast_arrays(forward, left, up, gait)[:3], axis=-1).astype(np.float64)


def _half(out: float, cycle: Floats) -> dict[str, Floats]:
    """One side of the body: leg swinging with ``cycle``, arm against it."""
    thigh = 0.45 * np.sin(cycle)
    shank = thigh - 0.35 - 0.35 * np.sin(cycle - 2.0)
    knee_forward, knee_up = THIGH * np.sin(thigh), HIP_UP - THIGH * np.cos(thigh)
    ankle_forward, ankle_up = knee_forward + SHANK * np.sin(shank), knee_up - SHANK * np.cos(shank)
    arm = -0.4 * np.sin(cycle)
    elbow_forward, elbow_up = UPPER_ARM * np.sin(arm), SHOULDER_UP - UPPER_ARM * np.cos(arm)
    reach = FOREARM * np.sin(arm + 0.3), FOREARM * np.cos(arm + 0.3)
    hips, shoulders = out * HIP_OUT, out * SHOULDER_OUT
    parts = {
        "eye": (0.06, out * 0.02, HEAD_UP + 0.02),
        "ear": (0.0, out * 0.04, HEAD_UP),
        "shoulder": (0.0, shoulders, SHOULDER_UP),
        "elbow": (elbow_forward, shoulders, elbow_up),
        "wrist": (elbow_forward + reach[0], shoulders, elbow_up - reach[1]),
        "hand": (elbow_forward + 1.3 * reach[0], shoulders, elbow_up - 1.3 * reach[1]),
        "hip": (0.0, hips, HIP_UP),
        "knee": (knee_forward, hips, knee_up),
        "ankle": (ankle_forward, hips, ankle_up),
        "heel": (ankle_forward - 0.03, hips, ankle_up - 0.03),
        "big_toe": (ankle_forward + FOOT, hips, ankle_up - 0.03),
        "small_toe": (ankle_forward + 0.9 * FOOT, out * (HIP_OUT + 0.03), ankle_up - 0.03),
    }
    return {name: _point(*value, cycle) for name, value in parts.items()}


def keypoints(xy: Floats, times_s: Floats, *, scores: Floats | float = 0.9) -> Keypoints2D:
    """Return one person's keypoints; NaN has score 0."""
    known = np.isfinite(xy).all(axis=-1)
    return Keypoints2D(xy, np.where(known, scores, 0.0), times_s, IMAGE_SIZE, SLOTS)


@dataclass(frozen=True)
class Scene:
    """What a detector reports, and which person each detection is: ``owners[t][row]``."""

    detections: list[Detections2D]
    owners: list[npt.NDArray[np.intp]]


def observe(
    people: list[Floats], *, seed: int = 0, noise: float = 0.0, miss: float = 0.0, hide_behind: float = 0.0
) -> Scene:
    """Detect people with faults, rows shuffled.

    Args:
        people: (T, 28, 2) px each, nearest first; a frame of NaN shows nobody.
        seed: Of noise, misses and order.
        noise: Standard deviation as a share of the height.
        miss: Probability that a person is missed in a frame.
        hide_behind: A person this close (share of height) behind a nearer one is not detected.
    """
    rng = np.random.default_rng(seed)
    scene = Scene([], [])
    for t in range(len(people[0])):
        poses = [person[t] for person in people]
        there = [i for i, pose in enumerate(poses) if _is_seen(pose, poses[:i], hide_behind)]
        there = [i for i in there if rng.random() >= miss]
        rng.shuffle(there)
        scene.detections.append(detection([poses[i] for i in there], noise=noise, rng=rng))
        scene.owners.append(np.array(there, dtype=np.intp))
    return scene


def _is_seen(pose: Floats, nearer: list[Floats], hide_behind: float) -> bool:
    if not np.isfinite(pose).any():
        return False
    reach = hide_behind * np.ptp(pose[:, 1])
    return all(not abs(np.mean(pose[:, 0]) - np.mean(other[:, 0])) < reach for other in nearer)


def detection(
    poses: list[Floats], *, noise: float = 0.0, rng: np.random.Generator | None = None
) -> Detections2D:
    """Return one frame's detections of poses (28, 2) px; NaN has score 0."""
    xy = np.array(poses, dtype=np.float64).reshape(len(poses), len(SLOTS.points), 2)
    if rng is not None and len(poses):
        xy = xy + noise * np.ptp(xy[..., 1], axis=1)[:, None, None] * rng.normal(size=xy.shape)
    boxes = np.zeros((0, 4))
    if len(poses):
        boxes = np.concatenate([np.nanmin(xy, axis=1), np.nanmax(xy, axis=1)], axis=1)
    scores = np.where(np.isfinite(xy).all(axis=-1), 0.9, 0.0)
    return Detections2D(boxes, np.full(len(xy), 0.9), xy, scores, SLOTS)
