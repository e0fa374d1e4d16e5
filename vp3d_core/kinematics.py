# SPDX-License-Identifier: GPL-3.0-or-later
"""From joint positions to a Motion: constant bone lengths, rotations, feet that stand. numpy only."""

from __future__ import annotations

import numpy as np

from .arrays import Array, check_finite, check_shape, check_times
from .camera import Camera
from .filters import butterworth_smooth, frame_times, interpolate_cubic, interpolate_linear
from .fitting.body_shape import fit_body
from .fitting.foot_lock import lock_feet
from .fitting.hinge_axes import HINGE_REACH_S
from .fitting.joint_rotations import local_rotations, solve_pose
from .motion import Motion, MotionSkeleton
from .rotations import normalize
from .skeletons import JOINTS, MOTION_SKELETON_NAMES
from .time_blocks import time_blocks

__all__ = ["camera_at", "fit_skeleton"]

SMOOTHING_HZ = 7.0  # half amplitude; what people do stays below it (Winter 2009: gait up to 6 Hz)
FAST_SMOOTHING_HZ = 10.0  # of hands and feet
FAST_JOINTS = tuple(
    JOINTS.index(f"{side}_{part}")
    for side in ("left", "right")
    for part in ("wrist", "hand", "ankle", "toe", "heel")
)
SMOOTHING_REACH_S = 2.0  # frames further apart do not influence each other
SLOPE_ROWS = 4  # more on both sides than the slopes of the cubic are made from
_ANKLES = [JOINTS.index("left_ankle"), JOINTS.index("right_ankle")]


def fit_skeleton(
    joints_world: Array,
    *,
    times_s: Array,
    frame_rate_hz: float,
    contacts: Array | None = None,
    confidence: Array | None = None,
    smooth: bool = True,
    foot_lock: bool = True,
    skeleton: MotionSkeleton | None = None,
    camera: Camera | None = None,
    image_size: tuple[int, int] | None = None,
    meta: dict[str, object] | None = None,
) -> Motion:
    """Fit a skeleton of constant bone lengths to joint positions.

    Args:
        joints_world: (T, 25, 3) m, ``JOINTS`` in the world (z up, floor at 0).
        times_s: (T,) s, strictly increasing, at any spacing.
        frame_rate_hz: Rate of the motion; the first frame is at the first time, the duration is kept.
        contacts: (T, 4) probabilities in the order of ``CONTACT_JOINTS``; None lets speed and height decide.
        confidence: (T, 25) in [0, 1]; None trusts all joints alike.
        smooth: Whether to take out what is faster than people move.
        foot_lock: Whether standing feet are pinned to the floor.
        skeleton: Bones to use instead of those that fit best.
        camera: The camera that filmed it; it travels with the motion. A moving one has T places.
        image_size: (width, height) px.
        meta: Where it comes from; plain JSON values.

    Returns:
        The motion, with the 29 joints of ``MOTION_SKELETON_NAMES``.

    Raises:
        ValueError: when shapes or times are wrong, or positions are not finite.
    """
    check_shape("joints_world", joints_world, (len(times_s), len(JOINTS.points), 3))
    check_finite("joints_world", joints_world)
    check_times("times_s", times_s)
    if not len(times_s) or not frame_rate_hz > 0:
        raise ValueError(
            f"{len(times_s)} frames at {frame_rate_hz} Hz, expected at least one at more than 0 Hz"
        )
    trust = np.ones(joints_world.shape[:2]) if confidence is None else confidence
    # What is large is float32: fine enough for motion, and half as large.
    trust = np.clip(trust, 0.0, 1.0, dtype=np.float32)
    del confidence  # of a long clip it is large, and nobody else may hold it
    body = skeleton or fit_body(joints_world, confidence=trust)
    new_times_s = frame_times(times_s, frame_rate_hz)
    root, turns, ankles = _solve(
        joints_world, trust, times_s, new_times_s, body, rate_hz=frame_rate_hz, smooth=smooth
    )
    del joints_world  # likewise
    trust = _motion_confidence(trust, times_s, new_times_s)
    known = (
        None if contacts is None else np.clip(interpolate_linear(times_s, contacts, new_times_s), 0.0, 1.0)
    )
    if foot_lock:
        root, known = lock_feet(body, root, turns, ankles=ankles, contacts=known, rate_hz=frame_rate_hz)
    return Motion(
        body,
        root,
        local_rotations(body, turns, out=turns),
        np.zeros((len(root), 4)) if known is None else known,
        trust,
        frame_rate_hz=frame_rate_hz,
        start_time_s=float(times_s[0]),
        camera=camera_at(camera, times_s, new_times_s),
        image_size=image_size,
        meta=dict(meta or {}),
    )


def _solve(
    joints_world: Array,
    trust: Array,
    times_s: Array,
    new_times_s: Array,
    body: MotionSkeleton,
    *,
    rate_hz: float,
    smooth: bool,
) -> tuple[Array, Array, Array]:
    """Return root (N, 3) m, world rotations (N, 29, 4) and seen ankles (N, 2, 3) m at new times (N,).

    Part by part: a clip of twenty minutes needs no more for what lies between than one of two.
    """
    count = len(new_times_s)
    root, ankles = np.empty((count, 3)), np.empty((count, 2, 3))
    turns = np.empty((count, len(body.names), 4), dtype=np.float32)
    for block in time_blocks(count, margin=int(np.ceil((SMOOTHING_REACH_S + HINGE_REACH_S) * rate_hz))):
        at_s = new_times_s[block.read]
        first, last = np.searchsorted(times_s, at_s[[0, -1]])
        rows = slice(max(0, int(first) - SLOPE_ROWS), int(last) + SLOPE_ROWS)
        joints = interpolate_cubic(times_s[rows], joints_world[rows], at_s)
        if smooth:
            joints = _smoothed(joints, rate_hz)
        known = interpolate_linear(times_s[rows], trust[rows], at_s)
        part = solve_pose(joints, body, confidence=known, rate_hz=rate_hz)
        root[block.kept], turns[block.kept] = (each[block.inside] for each in part)
        ankles[block.kept] = joints[block.inside, _ANKLES]
    return root, turns, ankles


def _smoothed(joints: Array, rate_hz: float) -> Array:
    """Low-pass (T, 25, 3) positions: hands and feet less than the trunk."""
    result = butterworth_smooth(joints, cutoff_hz=SMOOTHING_HZ, rate_hz=rate_hz)
    fast = list(FAST_JOINTS)
    result[:, fast] = butterworth_smooth(joints[:, fast], cutoff_hz=FAST_SMOOTHING_HZ, rate_hz=rate_hz)
    return result


def _motion_confidence(confidence: Array, times_s: Array, new_times_s: Array) -> Array:
    """Return (N, 29) at new times: neck and clavicles have the thorax's, the head that of the ears."""
    result = np.empty((len(new_times_s), len(MOTION_SKELETON_NAMES)), dtype=np.float32)
    sources = {"neck": ("thorax",), "head": ("left_ear", "right_ear"),
               "left_clavicle": ("thorax",), "right_clavicle": ("thorax",)}  # fmt: skip
    for block in time_blocks(len(result), margin=0):
        known = interpolate_linear(times_s, confidence, new_times_s[block.kept])
        for j, name in enumerate(MOTION_SKELETON_NAMES):
            source = [JOINTS.index(joint) for joint in sources.get(name, (name,))]
            result[block.kept, j] = known[:, source].mean(axis=1)
    return result


def camera_at(camera: Camera | None, times_s: Array, new_times_s: Array) -> Camera | None:
    """Return the camera with the places of a moving one brought to the motion's frames."""
    if camera is None or camera.world_from_camera.ndim == 2:
        return camera
    moved = interpolate_linear(times_s, camera.world_from_camera, new_times_s)
    x = normalize(moved[:, :3, 0])
    y = normalize(moved[:, :3, 1] - x * (moved[:, :3, 1] * x).sum(-1, keepdims=True))
    moved[:, :3, :3] = np.stack([x, y, np.cross(x, y)], axis=-1)
    return Camera(camera.intrinsics, camera.distortion, moved)
