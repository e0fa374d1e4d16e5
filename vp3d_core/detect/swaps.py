# SPDX-License-Identifier: GPL-3.0-or-later
"""Find and undo bursts in which a detector takes left for right.

First the whole body is judged, then trunk, face, legs and arms apart: the most plausible sequence of the two
states (as detected, swapped) is found by dynamic programming. Its cost is the error of straight-on prediction
of the way from the right to the left keypoint of each pair: a swap turns it round, and how the person moves
as a whole does not matter. Limbs that would be crossed by a swap while the trunk is not speak against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, BoolArray, IntArray
from ..skeletons import KeypointSkeleton
from .body_size import frame_step

__all__ = ["find_swaps", "swap_sides"]


@dataclass(frozen=True, slots=True)
class _Group:
    """Parts that swap together.

    Attributes:
        parts: Names without the side.
        acceleration_per_s2: How fast the way across may change its velocity, in body heights per s^2.
        root: The pair of trunk points that the first part hangs on, or "".
    """

    parts: tuple[str, ...]
    acceleration_per_s2: float
    root: str = ""


# A trunk turns at up to about a turn a second; running legs swing 0.2 of the height to both sides 1.4 times.
TRUNK = _Group(("shoulder", "hip"), 5.0)
FACE = _Group(("eye", "ear"), 5.0)
LEGS = _Group(("knee", "ankle", "heel", "big_toe", "small_toe"), 14.0, "hip")
ARMS = _Group(("elbow", "wrist", "hand"), 14.0, "shoulder")
# Judged in this order, each on what those before have put right.
STAGES = ((TRUNK, FACE, LEGS, ARMS), (TRUNK,), (FACE,), (LEGS,), (ARMS,))

# Usual error of the way across as a share of the person's size.
NOISE_SHARE = 0.015
# Prediction never continues for more than this many of the steps before it.
MAX_STEP_RATIO = 2.0
# Cost of one pair's prediction is at most this: one wild keypoint decides nothing.
MAX_COST = 16.0
# Keypoints of a group err together: their mean counts like this many independent ones.
INDEPENDENT_PAIRS = 2.0
# Cost of entering or leaving a swap, and of each second in it: the detector is right until shown wrong.
SWITCH_COST = 12.0
COST_PER_S = 20.0
# More of it, per second, when the swap crosses the limbs; in full from this distance on, as a share of size.
CROSSING_COST_PER_S = 40.0
CROSSING_SHARE = 0.05


def find_swaps(
    xy: Array, scores: Array, times_s: Array, sizes_px: Array, skeleton: KeypointSkeleton
) -> BoolArray:
    """Find where left and right have to be exchanged.

    Args:
        xy: (T, K, 2) px, NaN where missing.
        scores: (T, K).
        times_s: (T,) s.
        sizes_px: (T,) px, the person's size.
        skeleton: Names of the keypoints.

    Returns:
        (T, K) bool, alike for both of a pair.
    """
    swapped = np.zeros(xy.shape[:2], dtype=bool)
    for groups in STAGES:
        upright, upright_scores = swap_sides(xy, scores, swapped, skeleton)
        for_groups = [_pairs(group.parts, skeleton) for group in groups]
        left, right = (np.concatenate(each) for each in zip(*for_groups, strict=True))
        valid = np.all(np.isfinite(upright[:, left] + upright[:, right]), axis=-1)
        frames = np.flatnonzero(np.any(valid, axis=1))
        if len(frames) < 4:
            continue
        parts = (upright[frames], upright_scores[frames], times_s[frames], sizes_px[frames], skeleton)
        costs = np.sum([_costs(*parts, group) for group in groups], axis=0)
        rates_per_s = np.full(len(frames), COST_PER_S)
        if len(groups) == 1:
            rates_per_s += CROSSING_COST_PER_S * _crossing(parts[0], parts[3], skeleton, groups[0])
        states = _viterbi(costs, times_s[frames], rates_per_s)
        swapped[np.ix_(frames[states], np.concatenate([left, right]))] ^= True
    return swapped


def swap_sides(
    xy: Array, scores: Array, swapped: BoolArray, skeleton: KeypointSkeleton
) -> tuple[Array, Array]:
    """Exchange left and right of (T, K, 2) points and (T, K) scores where ``swapped`` says so."""
    mirror = list(skeleton.mirror)
    return np.where(swapped[..., None], xy[:, mirror], xy), np.where(swapped, scores[:, mirror], scores)


def _pairs(parts: tuple[str, ...], skeleton: KeypointSkeleton) -> tuple[IntArray, IntArray]:
    points = skeleton.points
    names = [(f"left_{part}", f"right_{part}") for part in parts]
    present = [pair for pair in names if set(pair) <= set(points)]
    left = np.array([points.index(pair[0]) for pair in present], dtype=np.intp)
    right = np.array([points.index(pair[1]) for pair in present], dtype=np.intp)
    return left, right


def _costs(
    xy: Array, scores: Array, times_s: Array, sizes_px: Array, skeleton: KeypointSkeleton, group: _Group
) -> Array:
    """(N - 2, 2, 2, 2) cost of the states (before last, last, now), 0 as given and 1 swapped."""
    left, right = _pairs(group.parts, skeleton)
    costs = np.zeros((len(times_s) - 2, 2, 2, 2))
    if not len(left):
        return costs
    across = xy[:, left] - xy[:, right]
    weights = np.minimum(scores[:, left], scores[:, right])
    weight = np.minimum(np.minimum(weights[2:], weights[1:-1]), weights[:-2])
    weight = np.where(np.isfinite(across[2:] + across[1:-1] + across[:-2]).all(axis=-1), weight, 0.0)
    across = np.nan_to_num(across)
    steps = np.diff(times_s)
    ratio = np.minimum(steps[1:] / steps[:-1], MAX_STEP_RATIO)
    noise = NOISE_SHARE * np.sqrt(1.0 + (1.0 + ratio) ** 2 + ratio**2)
    swing = group.acceleration_per_s2 * steps[1:] * (steps[1:] + steps[:-1]) / 2.0
    sigma = sizes_px[2:] * np.hypot(noise, swing)
    for older, old, now in np.ndindex(2, 2, 2):
        sign_older, sign_old, sign_now = (1.0 - 2.0 * state for state in (older, old, now))
        last = sign_old * across[1:-1]
        error = sign_now * across[2:] - last - ratio[:, None, None] * (last - sign_older * across[:-2])
        cost = np.minimum((error**2).sum(axis=-1) / (2.0 * sigma[:, None] ** 2), MAX_COST)
        # the mean over pairs, by score; keypoints that are hardly seen weigh less in all
        costs[:, older, old, now] = (weight * cost).sum(axis=1) / np.maximum(weight.sum(axis=1), 0.5)
    return INDEPENDENT_PAIRS * costs


def _crossing(xy: Array, sizes_px: Array, skeleton: KeypointSkeleton, group: _Group) -> Array:
    """(N,) in [0, 1]: how far a swap would cross the limbs below their root; 0 where that cannot be told."""
    upper, roots = _pairs(group.parts[:1], skeleton), _pairs((group.root,), skeleton)
    if not len(upper[0]) or not len(roots[0]):
        return np.zeros(len(xy))
    across, limbs = (xy[:, pair[0][0]] - xy[:, pair[1][0]] for pair in (roots, upper))
    width = np.linalg.norm(across, axis=-1)
    apart = (limbs * across).sum(axis=-1) / np.maximum(width, 1e-6)
    return np.clip(np.nan_to_num(np.minimum(width, apart) / (CROSSING_SHARE * sizes_px)), 0.0, 1.0)


def _viterbi(costs: Array, times_s: Array, rates_per_s: Array) -> BoolArray:
    """(N,) the cheapest sequence of swapped or not, starting and ending as detected.

    Source: Viterbi 1967; second order, by pairs of states.
    """
    step_s = frame_step(times_s)
    prior = rates_per_s * np.minimum(np.diff(times_s, prepend=times_s[0] - step_s), 2.0 * step_s)
    switch = SWITCH_COST * (1.0 - np.eye(2))
    edge = np.array([0.0, SWITCH_COST])
    total = (edge + [0.0, prior[0]])[:, None] + switch + np.array([0.0, prior[1]])[None, :]
    best_older = np.zeros((len(costs), 2, 2), dtype=np.intp)
    for t, cost in enumerate(costs):  # each step needs the one before
        paths = total[:, :, None] + cost + switch[None] + np.array([0.0, prior[t + 2]])
        best_older[t] = paths.argmin(axis=0)
        total = paths.min(axis=0)
    states = np.zeros(len(times_s), dtype=np.intp)
    states[-2:] = np.unravel_index(int((total + edge[None, :]).argmin()), (2, 2))
    for t in range(len(costs) - 1, -1, -1):
        states[t] = best_older[t, states[t + 1], states[t + 2]]
    return states.astype(bool)
