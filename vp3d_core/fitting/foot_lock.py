# SPDX-License-Identifier: GPL-3.0-or-later
"""Feet that stand do not slide: pinned toes and heels, the pelvis first, then two-bone IK. numpy only.

Standing toes and heels are put at ``CONTACT_HEIGHTS_M`` above the floor. Outside of contacts the correction
fades, or runs over to that of the next contact, so that it adds no jerk; what is in the air stays there.
Legs are never stretched or rescaled: where a pinned foot is out of reach the pelvis comes down.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array, BoolArray
from ..filters import gaussian_smooth, max_filter, smoothstep
from ..motion import CONTACT_JOINTS, MotionSkeleton
from ..rotations import normalize, quat_between, quat_multiply, quat_rotate
from ..time_blocks import time_blocks
from .foot_contacts import certainty_leeway, contact_runs, find_contacts, find_stances

__all__ = ["carried", "lock_feet", "two_bone_ik"]

CARRY_OVER_S = 0.8  # between contacts closer than this the correction runs over from one to the next
FADE_S = 0.3  # elsewhere it fades to nothing in this time
PELVIS_SMOOTHING_S = 0.15
FREE_FOOT_SHARE = 0.03  # of a foot in the air in the pelvis's correction
REACH = 0.995  # of thigh + shank, unless the leg was straighter before
LARGEST_DROP_M = 0.15
DROP_SMOOTHING_S = 0.1
LOWEST_POINT_M = 0.010  # of toes and heels: tiptoe brings a toe lower than a flat foot
LEG_PARTS = ("hip", "knee", "ankle")
BENT_KNEE_M = 0.03  # a knee this far off the line hip-ankle tells its own plane; backwards twice as far


def lock_feet(
    skeleton: MotionSkeleton,
    root_positions: Array,
    world_from_joint: Array,
    *,
    ankles: Array,
    contacts: Array | None,
    rate_hz: float,
) -> tuple[Array, Array]:
    """Keep standing feet in place and all feet above the floor.

    Args:
        skeleton: The 29 joints of a Motion.
        root_positions: (T, 3) m, world.
        world_from_joint: (T, 29, 4) world rotations; those of the legs are changed in place.
        ankles: (T, 2, 3) m, where the left and right ankle were seen.
        contacts: (T, 4) probabilities in the order of ``CONTACT_JOINTS``, or None.
        rate_hz: Frames per second.

    Returns:
        root_positions (T, 3), contacts (T, 4): 1 where a point is pinned.
    """
    index = {name: j for j, name in enumerate(skeleton.names)}
    turns = world_from_joint
    points = [index[name] for name in CONTACT_JOINTS]
    feet = np.repeat(ankles, 2, axis=1)
    for k, point in enumerate(points):
        feet[:, k] += quat_rotate(turns[:, skeleton.parents[point]], skeleton.rest_offsets[point])
    stands = find_contacts(feet, contacts=contacts, rate_hz=rate_hz)
    leeway = np.ones(stands.shape) if contacts is None else certainty_leeway(contacts)
    pinned = np.zeros_like(stands)
    corrections = np.zeros_like(ankles)
    for side in range(2):
        pair = slice(2 * side, 2 * side + 2)
        ankle = _ankle(index, side)
        offsets = skeleton.rest_offsets[points[pair]]
        turns[:, ankle], corrections[:, side], pinned[:, pair] = _correct_foot(
            ankles[:, side],
            feet[:, pair],
            stands[:, pair],
            turns[:, ankle],
            offsets,
            leeway=leeway[:, pair],
            rate_hz=rate_hz,
        )
        for point in points[pair]:
            turns[:, point] = turns[:, ankle]
    del feet
    targets = ankles + corrections
    held = np.stack([np.any(pinned[:, :2], axis=1), np.any(pinned[:, 2:], axis=1)], axis=1)
    shift = _pelvis_shift(corrections, held, rate_hz)
    shift[:, 2] -= _pelvis_drop(skeleton, root_positions, turns, shift, targets, held, rate_hz)
    for block in time_blocks(len(turns), margin=0):
        rows = block.kept
        placed = _placed(skeleton, root_positions[rows], turns[rows])
        _bend_legs(skeleton, placed, turns[rows], shift[rows], targets[rows])
    return root_positions + shift, pinned.astype(np.float64)


def _ankle(index: dict[str, int], side: int) -> int:
    return index[("left_ankle", "right_ankle")[side]]


def _placed(skeleton: MotionSkeleton, root_positions: Array, world_from_joint: Array) -> Array:
    """Return positions (T, J, 3) of the pelvis and the legs' joints from world rotations; 0 for others."""
    positions = np.zeros((*world_from_joint.shape[:2], 3))
    for j in skeleton.order():
        parent = skeleton.parents[j]
        if parent < 0:
            positions[:, j] = root_positions
        elif skeleton.names[j].rpartition("_")[2] in LEG_PARTS:
            bone = quat_rotate(world_from_joint[:, parent], skeleton.rest_offsets[j])
            positions[:, j] = positions[:, parent] + bone
    return positions


def _correct_foot(
    ankle: Array,
    foot: Array,
    stands: BoolArray,
    turn: Array,
    offsets: Array,
    *,
    leeway: Array,
    rate_hz: float,
) -> tuple[Array, Array, BoolArray]:
    """Pin one foot where it stands.

    Args:
        ankle: (T, 3) m.
        foot: (T, 2, 3) m, toe and heel.
        stands: (T, 2).
        turn: (T, 4) world rotation of the foot.
        offsets: (2, 3) m, toe and heel from the ankle in the rest pose.
        leeway: (T, 2) of straying, see ``certainty_leeway``.
        rate_hz: Frames per second.

    Returns:
        The foot's world rotation (T, 4), the ankle's correction (T, 3) m, and (T, 2) what is pinned.
    """
    sole = normalize(foot[:, 0] - foot[:, 1])
    sole_m = float(np.linalg.norm(offsets[0] - offsets[1]))
    stances, pinned = find_stances(foot, stands, sole_m=sole_m, rate_hz=rate_hz, leeway=leeway)
    targets = np.zeros_like(foot)
    for stance in stances:
        targets[stance.start : stance.end] = stance.targets
    both = np.all(pinned, axis=1)
    tilt = np.where(both[:, None], normalize(targets[:, 0] - targets[:, 1]) - sole, 0.0)
    wanted = normalize(sole + carried(tilt, both, rate_hz))
    wanted = _above_floor(wanted, targets, pinned, sole_m)
    turn = quat_multiply(quat_between(sole, wanted), turn)
    arms = np.stack([quat_rotate(turn, offset) for offset in offsets], axis=1)
    held = np.any(pinned, axis=1)
    count = np.maximum(pinned.sum(axis=1), 1)[:, None]
    place = ((targets - arms) * pinned[..., None]).sum(axis=1) / count
    correction = carried(np.where(held[:, None], place - ankle, 0.0), held, rate_hz)
    lowest = (ankle + correction)[:, 2] + arms[..., 2].min(axis=1)
    deficit = np.where(held, 0.0, np.maximum(LOWEST_POINT_M - lowest, 0.0))
    # Twice the kernel's reach: the smoothed rise is nowhere less than what is needed.
    frames = 0.03 * rate_hz
    rise = gaussian_smooth(max_filter(deficit, int(np.ceil(2 * frames))), frames)
    correction[:, 2] += np.where(held, 0.0, np.maximum(rise, deficit))
    return turn, correction, pinned


def _above_floor(sole: Array, targets: Array, pinned: BoolArray, sole_m: float) -> Array:
    """Tilt the sole's direction (T, 3) so that a foot pinned at one end does not dip into the floor."""
    highest = np.where(pinned[:, 0], (targets[:, 0, 2] - LOWEST_POINT_M) / sole_m, 1.0)
    lowest = np.where(pinned[:, 1], (LOWEST_POINT_M - targets[:, 1, 2]) / sole_m, -1.0)
    rise = np.clip(sole[:, 2], np.minimum(lowest, highest), highest)
    level = normalize(sole[:, :2]) * np.sqrt(np.maximum(1.0 - rise**2, 0.0))[:, None]
    return np.where((rise == sole[:, 2])[:, None], sole, np.concatenate([level, rise[:, None]], axis=-1))


def carried(values: Array, held: BoolArray, rate_hz: float) -> Array:
    """Fill (T, N) where nothing is held: run over to the next contact, or fade."""
    values = np.array(values)
    frames = len(values)
    fade = max(FADE_S * rate_hz, 1.0)
    for start, end in contact_runs(~held):
        before = values[start - 1] if start > 0 else None
        after = values[end] if end < frames else None
        steps = np.arange(start, end)[:, None]
        if before is not None and after is not None and end - start <= CARRY_OVER_S * rate_hz:
            share = smoothstep((steps - start + 1) / (end - start + 1))
            values[start:end] = before + share * (after - before)
            continue
        values[start:end] = 0.0
        if before is not None:
            values[start:end] += before * (1.0 - smoothstep((steps - start + 1) / fade))
        if after is not None:
            values[start:end] += after * (1.0 - smoothstep((end - steps) / fade))
    return values


def _pelvis_shift(corrections: Array, held: BoolArray, rate_hz: float) -> Array:
    """Return (T, 3) what the pelvis takes over from the feet: the slow part of their corrections."""
    weights = np.where(held, 1.0, FREE_FOOT_SHARE)
    mean = (corrections * weights[..., None]).sum(axis=1) / weights.sum(axis=1)[:, None]
    return gaussian_smooth(mean, PELVIS_SMOOTHING_S * rate_hz)


def _leg(skeleton: MotionSkeleton, side: int) -> tuple[int, int, int, float, float]:
    name = ("left", "right")[side]
    hip, knee, ankle = (skeleton.names.index(f"{name}_{part}") for part in LEG_PARTS)
    thigh, shank = (float(np.linalg.norm(skeleton.rest_offsets[j])) for j in (knee, ankle))
    return hip, knee, ankle, thigh, shank


def _farthest(placed: Array, hip: int, ankle: int, leg_m: float) -> Array:
    """Return (T,) how far an ankle may be from its hip: never straighter than REACH, unless it was."""
    return np.maximum(REACH * leg_m, np.linalg.norm(placed[:, ankle] - placed[:, hip], axis=-1))


def _pelvis_drop(
    skeleton: MotionSkeleton,
    root_positions: Array,
    turns: Array,
    shift: Array,
    targets: Array,
    held: BoolArray,
    rate_hz: float,
) -> Array:
    """Return (T,) >= 0 how far the pelvis must come down for pinned feet to be in reach, m."""
    drop = np.zeros(len(turns))
    for block in time_blocks(len(turns), margin=0):
        rows = block.kept
        placed = _placed(skeleton, root_positions[rows], turns[rows])
        for side in range(2):
            hip, _, ankle, thigh, shank = _leg(skeleton, side)
            farthest = _farthest(placed, hip, ankle, thigh + shank)
            offset = placed[:, hip] + shift[rows] - targets[rows, side]
            level = (offset[:, :2] ** 2).sum(axis=-1)
            allowed = np.sqrt(np.maximum(farthest**2 - level, 0.0))
            needed = np.where(held[rows, side], np.maximum(offset[:, 2] - allowed, 0.0), 0.0)
            drop[rows] = np.maximum(drop[rows], needed)
    frames = DROP_SMOOTHING_S * rate_hz
    return gaussian_smooth(max_filter(np.minimum(drop, LARGEST_DROP_M), int(np.ceil(2 * frames))), frames)


def _bend_legs(skeleton: MotionSkeleton, placed: Array, turns: Array, shift: Array, targets: Array) -> None:
    """Bring the ankles to their targets by turning hips and knees, in place; feet keep their rotations."""
    for side in range(2):
        hip, knee, ankle, thigh, shank = _leg(skeleton, side)
        hinge = quat_rotate(turns[:, hip], np.array([1.0, 0.0, 0.0]))
        before = placed[:, [hip, knee, ankle]]
        new_knee, new_ankle = two_bone_ik(
            before,
            placed[:, hip] + shift,
            targets[:, side],
            hinge=hinge,
            farthest_m=_farthest(placed, hip, ankle, thigh + shank),
        )
        start = placed[:, hip] + shift
        thigh_turn = quat_between(before[:, 1] - before[:, 0], new_knee - start)
        shank_turn = quat_between(before[:, 2] - before[:, 1], new_ankle - new_knee)
        turns[:, hip] = quat_multiply(thigh_turn, turns[:, hip])
        turns[:, knee] = quat_multiply(shank_turn, turns[:, knee])


def two_bone_ik(
    leg: Array, hip: Array, target: Array, *, hinge: Array, farthest_m: Array
) -> tuple[Array, Array]:
    """Place knee and ankle for a hip and a target, in the plane the leg had.

    Args:
        leg: (T, 3, 3) m, hip, knee and ankle before.
        hip: (T, 3) m.
        target: (T, 3) m of the ankle.
        hinge: (T, 3) unit, the knee's axis, for legs too straight to have a plane.
        farthest_m: (T,) greatest distance from hip to ankle.

    Returns:
        Knee (T, 3) and ankle (T, 3), m; the ankle falls short of a target out of reach.
    """
    thigh = np.linalg.norm(leg[:, 1] - leg[:, 0], axis=-1)
    shank = np.linalg.norm(leg[:, 2] - leg[:, 1], axis=-1)
    old = normalize(leg[:, 2] - leg[:, 0])
    bend = (leg[:, 1] - leg[:, 0]) - old * ((leg[:, 1] - leg[:, 0]) * old).sum(-1, keepdims=True)
    forward = normalize(np.cross(old, hinge))
    backward = np.minimum((bend * forward).sum(-1, keepdims=True), 0.0)
    bend = bend - forward * backward * (1.0 - smoothstep(-backward / BENT_KNEE_M - 1.0))
    straight = 1.0 - smoothstep(np.linalg.norm(bend, axis=-1, keepdims=True) / BENT_KNEE_M)
    pole = normalize(bend + straight * BENT_KNEE_M * forward)
    way = target - hip
    farthest_m = np.minimum(farthest_m, thigh + shank)
    reach = np.clip(np.linalg.norm(way, axis=-1), np.abs(thigh - shank) + 1e-3, farthest_m)
    direction = np.where(np.linalg.norm(way, axis=-1, keepdims=True) > 1e-6, normalize(way), old)
    pole = quat_rotate(quat_between(old, direction), pole)
    along = (thigh**2 + reach**2 - shank**2) / (2.0 * reach)
    aside = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    knee = hip + direction * along[:, None] + pole * aside[:, None]
    return knee, hip + direction * reach[:, None]
