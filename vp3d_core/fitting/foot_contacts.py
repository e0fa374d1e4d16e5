# SPDX-License-Identifier: GPL-3.0-or-later
"""When toes and heels stand on the floor, and where: runs with hysteresis, stances with fixed targets.

numpy only. Contact points come in the order of ``CONTACT_JOINTS``; a foot is a pair (toe, heel).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, BoolArray
from ..filters import gaussian_smooth
from ..ground import CONTACT_HEIGHTS_M
from ..rotations import normalize
from ..time_blocks import time_blocks

__all__ = ["Stance", "contact_runs", "find_contacts", "find_stances", "geometric_median"]

CONTACT_ON, CONTACT_OFF = 0.55, 0.40  # probability
SPEED_ON_M_S, SPEED_OFF_M_S = 0.60, 0.90  # beside the lifter's own contacts, which know speed already
HEIGHT_ON_M, HEIGHT_OFF_M = 0.08, 0.12  # above a standing point's height
# From the first probability on, these limits grow; from the second on they are so many times as large: where
# the contact is certain, it is the place that is wrong.
CERTAIN_FROM, CERTAIN, CERTAIN_FACTOR = 0.6, 0.9, 2.0
BLIND_SPEED_ON_M_S, BLIND_SPEED_OFF_M_S = 0.15, 0.30  # where nobody tells the contacts
BLIND_SHORTEST_CONTACT_S = 0.10
BLIND_HEIGHT_ON_M, BLIND_HEIGHT_OFF_M = 0.06, 0.09
SPEED_SMOOTHING_S = 0.04
SHORTEST_CONTACT_S = 0.05
SHORTEST_GAP_S = 0.07
LARGEST_SHIFT_M = 0.08  # a stance whose foot strays further from its middle is two stances
LARGEST_TURN = np.cos(np.radians(20.0))
SETTLING_S = 0.10  # no part of a split stance is shorter
STEP_OVER_S = 0.10  # free time between the two parts of a stance that was split


@dataclass(frozen=True, slots=True, eq=False)
class Stance:
    """One foot standing: frames [start, end) in which toe, heel or both are pinned.

    Attributes:
        start: First frame.
        end: Frame after the last.
        targets: (2, 3) m, where toe and heel are pinned.
    """

    start: int
    end: int
    targets: Array


def find_contacts(feet: Array, *, contacts: Array | None, rate_hz: float) -> BoolArray:
    """Decide in which frames toes and heels stand.

    A point stands when it is probable, slow and low at once, and ceases to when one of them clearly ends;
    very short runs are dropped, very short gaps closed.

    Args:
        feet: (T, 4, 3) m, world.
        contacts: (T, 4) probabilities, or None when nobody knows: speed and height alone decide, strictly.
        rate_hz: Frames per second.

    Returns:
        (T, 4).
    """
    on, off = np.zeros((2, *feet.shape[:2]), dtype=bool)
    if len(feet) < 2:
        return on
    for block in time_blocks(len(feet), margin=int(4 * SPEED_SMOOTHING_S * rate_hz) + 2):
        near = _stands_or_not(feet[block.read], None if contacts is None else contacts[block.read], rate_hz)
        on[block.kept], off[block.kept] = (each[block.inside] for each in near)
    stands = _hysteresis(on, off)
    shortest_s = SHORTEST_CONTACT_S if contacts is not None else BLIND_SHORTEST_CONTACT_S
    for k in range(stands.shape[1]):
        for start, end in contact_runs(~stands[:, k]):
            if start > 0 and end < len(stands) and end - start < SHORTEST_GAP_S * rate_hz:
                stands[start:end, k] = True
        for start, end in contact_runs(stands[:, k]):
            if end - start < shortest_s * rate_hz:
                stands[start:end, k] = False
    return stands


def _stands_or_not(feet: Array, contacts: Array | None, rate_hz: float) -> tuple[BoolArray, BoolArray]:
    """Return (T, 4) where a point begins to stand if it did not, and (T, 4) where it ceases to if it did."""
    steps = np.gradient(gaussian_smooth(feet, SPEED_SMOOTHING_S * rate_hz), axis=0)
    speed = np.linalg.norm(steps, axis=-1) * rate_hz
    height = feet[..., 2] - CONTACT_HEIGHTS_M
    if contacts is None:
        on = (speed < BLIND_SPEED_ON_M_S) & (height < BLIND_HEIGHT_ON_M)
        return on, (speed > BLIND_SPEED_OFF_M_S) | (height > BLIND_HEIGHT_OFF_M)
    leeway = certainty_leeway(contacts)
    on = (contacts > CONTACT_ON) & (speed < leeway * SPEED_ON_M_S) & (height < leeway * HEIGHT_ON_M)
    off = (speed > leeway * SPEED_OFF_M_S) | (height > leeway * HEIGHT_OFF_M)
    return on, off | (contacts < CONTACT_OFF)


def certainty_leeway(contacts: Array) -> Array:
    """Return the factor of limits on a standing point's speed, height and straying, for its probability."""
    share = np.clip((contacts - CERTAIN_FROM) / (CERTAIN - CERTAIN_FROM), 0.0, 1.0)
    return 1.0 + (CERTAIN_FACTOR - 1.0) * share


def _hysteresis(on: BoolArray, off: BoolArray) -> BoolArray:
    """Return (T, C): True from an ``on`` frame until the next ``off`` frame."""
    decided = np.where(off, 0, np.where(on, 1, -1))
    decided[0] = np.maximum(decided[0], 0)
    last = np.maximum.accumulate(np.where(decided >= 0, np.arange(len(on))[:, None], 0), axis=0)
    return np.take_along_axis(decided, last, axis=0) == 1


def contact_runs(stands: BoolArray) -> list[tuple[int, int]]:
    """Return the runs [start, end) of True in (T,)."""
    edges = np.diff(np.concatenate([[0], stands.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def find_stances(
    foot: Array, stands: BoolArray, *, sole_m: float, rate_hz: float, leeway: Array | None = None
) -> tuple[list[Stance], BoolArray]:
    """Return the stances of one foot, with the point on the floor where each is pinned.

    Args:
        foot: (T, 2, 3) m, toe and heel, world.
        stands: (T, 2) which of them stand.
        sole_m: Distance from heel to toe.
        rate_hz: Frames per second.
        leeway: (T, 2) factor of how far a point may stray within a stance, see ``certainty_leeway``.

    Returns:
        The stances, and (T, 2) the points that they pin: a stance in which the foot moved on is split, with
        a moment in between in which nothing is pinned.
    """
    pinned = stands.copy()
    reach = LARGEST_SHIFT_M * (np.ones(stands.shape) if leeway is None else leeway)
    stances: list[Stance] = []
    waiting = contact_runs(np.any(stands, axis=1))[::-1]
    shortest = max(int(2 * SETTLING_S * rate_hz), 2)
    while waiting:
        start, end = waiting.pop()
        targets = _targets(foot[start:end], pinned[start:end], sole_m)
        split = _split_frame(foot[start:end], pinned[start:end], targets, reach[start:end], rate_hz)
        if end - start <= shortest or not split:
            stances.append(Stance(start, end, targets))
            continue
        half_gap = max(int(round(STEP_OVER_S * rate_hz / 2)), 1)
        low, high = max(start + split - half_gap, start), min(start + split + half_gap, end)
        pinned[low:high] = False
        waiting += [(a, b) for a, b in ((high, end), (start, low)) if b > a and pinned[a:b].any()]
    return stances, pinned


def _targets(foot: Array, stands: BoolArray, sole_m: float) -> Array:
    """Return (2, 3): the median place of toe and heel, on the floor; one sole apart where both stand."""
    heights = CONTACT_HEIGHTS_M[:2]
    targets = np.zeros((2, 3))
    for point in range(2):
        own = foot[stands[:, point], point]
        targets[point] = geometric_median(own if len(own) else foot[:, point])
    both = np.all(stands, axis=1)
    if both.any():
        middle = geometric_median(foot[both].mean(axis=1))
        heading = normalize((foot[both, 0] - foot[both, 1])[:, :2]).mean(axis=0)
        level = np.sqrt(max(sole_m**2 - float(heights[1] - heights[0]) ** 2, 0.0))
        step = normalize(heading) * level / 2
        targets[0, :2], targets[1, :2] = middle[:2] + step, middle[:2] - step
    targets[:, 2] = heights
    return targets


def geometric_median(points: Array) -> Array:
    """Return the place (3,) with the least sum of distances to (N, 3) points (Weiszfeld).

    Unlike a median of each coordinate it turns with the world.
    """
    middle = points.mean(axis=0)
    for _ in range(20):
        weights = 1.0 / np.maximum(np.linalg.norm(points - middle, axis=-1), 1e-3)
        middle = (points * weights[:, None]).sum(axis=0) / weights.sum()
    return middle


def _split_frame(foot: Array, stands: BoolArray, targets: Array, reach: Array, rate_hz: float) -> int:
    """Return the frame at which a foot that moved within a stance moved fastest; 0 when it stayed."""
    smooth = gaussian_smooth(foot, SETTLING_S * rate_hz)
    strays = (np.linalg.norm((smooth - targets)[..., :2], axis=-1) > reach) & stands
    both = np.all(stands, axis=1)
    headings = normalize((smooth[:, 0] - smooth[:, 1])[:, :2])
    target_heading = normalize((targets[0] - targets[1])[:2])
    turned = both.any() and (headings[both] @ target_heading).min() < LARGEST_TURN
    if not strays.any() and not turned:
        return 0
    margin = max(int(SETTLING_S * rate_hz), 1)
    speed = np.linalg.norm(np.gradient(smooth, axis=0), axis=-1).sum(axis=1)[margin:-margin]
    return margin + int(np.argmax(speed)) if len(speed) else 0
