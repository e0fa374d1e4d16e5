# SPDX-License-Identifier: GPL-3.0-or-later
"""Find and undo bursts in which a detector takes left for right.

First the whole body is judged, then trunk, face, legs and arms apart: the most plausible sequence of the two
states (as detected, swapped) is looked for. What is judged is the way from the right to the left keypoint of
each pair: a swap turns it round, and how the person moves as a whole does not matter. ``way_filter.py``
predicts it. Legs seen from the side are exchanged where they pass each other, so that the way hardly jumps;
but its velocity turns round, which shows over the next frames: several histories are followed at a time
(beam search). Limbs that would be crossed by a swap while the trunk is not speak against it.

So many histories reach back so many frames, not seconds: of a video of a higher rate every n-th frame makes a
sequence that is judged by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, BoolArray, IntArray
from ..filters import frame_step
from ..skeletons import KeypointSkeleton
from .way_filter import carry, first_states, misfit, update

__all__ = ["find_swaps", "swap_sides"]


@dataclass(frozen=True, slots=True)
class _Group:
    """Parts that swap together.

    Attributes:
        parts: Names without the side.
        jerk: How the acceleration of the way across wanders, in body heights per s^2.5 (root of the spectral
            density of its derivative).
        root: The pair of trunk points that the first part hangs on, or "".
    """

    parts: tuple[str, ...]
    jerk: float
    root: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Ways:
    """The ways from right to left of P pairs in N frames.

    Attributes:
        values: (N, 2, P) heights, 0 where not seen.
        seen: (N, P).
        weights: (N, P) of each pair in a frame's cost.
        noise: (N,) standard deviation of a coordinate, heights.
        jerk: (P,) see ``_Group``.
        times_s: (N,) s.
    """

    values: Array
    seen: BoolArray
    weights: Array
    noise: Array
    jerk: Array
    times_s: Array


# Tuned on training motions with a detector's errors; running legs change the way by 10 heights/s^2 in 0.2 s.
TRUNK = _Group(("shoulder", "hip"), 6.0)
FACE = _Group(("eye", "ear"), 6.0)
LEGS = _Group(("knee", "ankle", "heel", "big_toe", "small_toe"), 25.0, "hip")
ARMS = _Group(("elbow", "wrist", "hand"), 25.0, "shoulder")
# Judged in this order, each on what those before have put right.
STAGES = ((TRUNK, FACE, LEGS, ARMS), (TRUNK,), (FACE,), (LEGS,), (ARMS,))

# Usual error of the way across as a share of the person's size, and in px for people who are small.
NOISE_SHARE = 0.010
NOISE_PX = 1.0
LONGEST_STEP_S = 0.25  # a longer gap tells no more than that one
# Keypoints of a group err together: their mean counts like this many independent ones.
INDEPENDENT_PAIRS = 2.0
# A wild keypoint decides nothing: this share of the pairs, or the one, that fits worst is left out.
TRIMMED_SHARE = 0.25
# Cost of entering or leaving a swap, and of each second in it: the detector is right until shown wrong.
SWITCH_COST = 10.0
COST_PER_S = 20.0
# More of it, per second, when the swap crosses the limbs; in full from this distance on, as a share of size.
CROSSING_COST_PER_S = 100.0
CROSSING_SHARE = 0.05
SIGNS = np.array([1.0, -1.0])[:, None, None]  # of a way as detected, and swapped
# Histories that are followed at a time; those alike in so many last frames are one.
HISTORIES = 16
RECENT_FRAMES = 8
# Usual step, s, between the frames of a sequence: the histories then reach back for 0.3 s.
SEQUENCE_STEP_S = 1.0 / 30.0
RATE_FRAMES = 9  # over so many frames the rate is measured; it may change within a video


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
    numbers = _sequence_numbers(times_s)
    for number in np.unique(numbers):
        own = numbers == number
        swapped[own] = _find_in_sequence(xy[own], scores[own], times_s[own], sizes_px[own], skeleton)
    return swapped


def _sequence_numbers(times_s: Array) -> IntArray:
    """(T,) of the sequence that each frame is judged in: 0 for all at about 30 Hz and below."""
    from scipy.ndimage import median_filter

    if len(times_s) < 2:
        return np.zeros(len(times_s), dtype=np.intp)
    steps_s = np.diff(times_s, append=2.0 * times_s[-1] - times_s[-2])
    halvings = np.log2(SEQUENCE_STEP_S / median_filter(steps_s, RATE_FRAMES, mode="nearest"))
    # Only powers of two, far from each other: at jittering times n stays the same.
    return np.arange(len(times_s)) % 2 ** np.maximum(np.rint(halvings), 0.0).astype(np.intp)


def _find_in_sequence(
    xy: Array, scores: Array, times_s: Array, sizes_px: Array, skeleton: KeypointSkeleton
) -> BoolArray:
    """``find_swaps`` for frames that are about SEQUENCE_STEP_S apart, or more."""
    swapped = np.zeros(xy.shape[:2], dtype=bool)
    for groups in STAGES:
        upright, upright_scores = swap_sides(xy, scores, swapped, skeleton)
        left, right = _pairs(sum((group.parts for group in groups), ()), skeleton)
        valid = np.all(np.isfinite(upright[:, left] + upright[:, right]), axis=-1)
        frames = np.flatnonzero(np.any(valid, axis=1))
        if len(frames) < 4:
            continue
        here, sizes = upright[frames], sizes_px[frames]
        weights = [_weights(here, upright_scores[frames], skeleton, group) for group in groups]
        rates_per_s = np.full(len(frames), COST_PER_S)
        if len(groups) == 1:
            rates_per_s += CROSSING_COST_PER_S * _crossing(here, sizes, skeleton, groups[0])
        ways = _Ways(
            _ways_across(here, valid[frames], left, right) / sizes[:, None, None],
            valid[frames],
            np.concatenate(weights, axis=1),
            np.hypot(NOISE_SHARE, NOISE_PX / sizes),
            np.concatenate([np.full(w.shape[1], g.jerk) for w, g in zip(weights, groups, strict=True)]),
            times_s[frames],
        )
        states = _most_plausible(ways, rates_per_s)
        swapped[np.ix_(frames[states], np.concatenate([left, right]))] ^= True
    return swapped


def swap_sides(
    xy: Array, scores: Array, swapped: BoolArray, skeleton: KeypointSkeleton
) -> tuple[Array, Array]:
    """Exchange left and right of (T, K, 2) points and (T, K) scores where ``swapped`` says so."""
    mirror = list(skeleton.mirror)
    return np.where(swapped[..., None], xy[:, mirror], xy), np.where(swapped, scores[:, mirror], scores)


def _ways_across(xy: Array, seen: BoolArray, left: IntArray, right: IntArray) -> Array:
    """Return (N, 2, P) px from right to left, 0 where not seen (N, P)."""
    return np.where(seen[:, None], (xy[:, left] - xy[:, right]).transpose(0, 2, 1), 0.0)


def _pairs(parts: tuple[str, ...], skeleton: KeypointSkeleton) -> tuple[IntArray, IntArray]:
    points = skeleton.points
    names = [(f"left_{part}", f"right_{part}") for part in parts]
    present = [pair for pair in names if set(pair) <= set(points)]
    left = np.array([points.index(pair[0]) for pair in present], dtype=np.intp)
    right = np.array([points.index(pair[1]) for pair in present], dtype=np.intp)
    return left, right


def _weights(xy: Array, scores: Array, skeleton: KeypointSkeleton, group: _Group) -> Array:
    """(N, P) what each pair of a group counts: by score; those that are hardly seen weigh less in all."""
    left, right = _pairs(group.parts, skeleton)
    known = np.isfinite(xy[:, left] + xy[:, right]).all(axis=-1)
    weights = np.where(known, np.minimum(scores[:, left], scores[:, right]), 0.0)
    return INDEPENDENT_PAIRS * weights / np.maximum(weights.sum(axis=1, keepdims=True), 0.5)


def _crossing(xy: Array, sizes_px: Array, skeleton: KeypointSkeleton, group: _Group) -> Array:
    """(N,) in [0, 1]: how far a swap would cross the limbs below their root; 0 where that cannot be told."""
    upper, roots = _pairs(group.parts[:1], skeleton), _pairs((group.root,), skeleton)
    if not len(upper[0]) or not len(roots[0]):
        return np.zeros(len(xy))
    across, limbs = (xy[:, pair[0][0]] - xy[:, pair[1][0]] for pair in (roots, upper))
    width = np.linalg.norm(across, axis=-1)
    apart = (limbs * across).sum(axis=-1) / np.maximum(width, 1e-6)
    return np.clip(np.nan_to_num(np.minimum(width, apart) / (CROSSING_SHARE * sizes_px)), 0.0, 1.0)


def _most_plausible(ways: _Ways, rates_per_s: Array) -> BoolArray:
    """Return (N,) the cheapest sequence of swapped or not, starting and ending as detected.

    Args:
        ways: What was detected.
        rates_per_s: (N,) cost of each second swapped.
    """
    steps_s = np.minimum(np.diff(ways.times_s, prepend=ways.times_s[0]), LONGEST_STEP_S)
    prior = rates_per_s * np.minimum(np.maximum(steps_s, 1e-3), 2.0 * frame_step(ways.times_s))
    costs, recent = np.zeros(1), np.zeros(1, dtype=np.intp)
    known = first_states(len(ways.jerk))
    parents: list[IntArray] = []
    chosen: list[IntArray] = []
    for t, way in enumerate(ways.values):  # each frame is judged by those before
        known = carry(known, steps_s[t], ways.jerk)
        both = _trimmed_sum(misfit(known, SIGNS * way, ways.noise[t]), ways.weights[t])
        both += costs + SWITCH_COST * (np.arange(2)[:, None] != (recent & 1))
        both[1] += prior[t]
        state, parent = np.divmod(np.arange(both.size), len(costs))
        histories = ((recent[parent] << 1) | state) & ((1 << RECENT_FRAMES) - 1)
        kept = _best_of_each(both.ravel(), histories)
        costs, recent, state, parent = both.ravel()[kept], histories[kept], state[kept], parent[kept]
        signs = 1.0 - 2.0 * state[:, None]
        known = update(known.taken(parent), signs * way[:, None], ways.seen[t], ways.noise[t])
        parents.append(parent)
        chosen.append(state)
    best = int(np.argmin(costs + SWITCH_COST * chosen[-1]))
    states = np.zeros(len(ways.values), dtype=bool)
    for t in range(len(states) - 1, -1, -1):
        states[t] = chosen[t][best]
        best = int(parents[t][best])
    return states


def _trimmed_sum(misfits: Array, weights: Array) -> Array:
    """Sum misfits (..., P) by weights (P,); the worst, see ``TRIMMED_SHARE``, count like the others."""
    trimmed = max(TRIMMED_SHARE, 1.0 / len(weights))
    order = misfits.argsort(axis=-1)
    own = weights[order]
    before = own.cumsum(axis=-1) - own
    kept = np.minimum(np.maximum((1.0 - trimmed) * weights.sum() - before, 0.0), own)
    misfits = np.sort(misfits, axis=-1)
    return (kept * misfits).sum(axis=-1) / (1.0 - trimmed)


def _best_of_each(costs: Array, histories: IntArray) -> IntArray:
    """Return the rows of the cheapest of each history, at most ``HISTORIES``, cheapest first."""
    order = np.argsort(costs, kind="stable")
    cheapest: dict[int, int] = {}
    for row, history in zip(order.tolist(), histories[order].tolist(), strict=True):
        cheapest.setdefault(history, row)  # a few rows: quicker than numpy
    return np.array(list(cheapest.values())[:HISTORIES], dtype=np.intp)
