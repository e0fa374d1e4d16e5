# SPDX-License-Identifier: GPL-3.0-or-later
"""The root's path in camera axes: weighted reprojection least squares over the whole clip, one banded solve.

With r the undistorted image-plane coordinates of a keypoint and P the root-relative joint, the root t obeys
P_xy + t_xy = r (P_z + t_z), linear in t. These rows, an acceleration prior and standing feet that do not
move give a symmetric block-pentadiagonal system: O(T) in time and memory. Needs scipy (worker only).

Source: Pavllo et al. 2019, sec. 3 (trajectory by reprojection), solved in closed form; Huber 1964 for the
re-weighting.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..camera import Camera
from ..errors import SkeletonMismatch
from ..filters import gaussian_smooth
from ..keypoints import Keypoints2D
from ..motion import CONTACT_JOINTS
from ..pose import Pose3D, Trajectory
from ..skeletons import JOINTS, SLOTS
from ..time_blocks import time_blocks

__all__ = ["SLOT_NAMES", "place", "weak_perspective_depths"]

# Joint and slot that show the same point of the body; all others go by the same name.
SLOT_NAMES = {"pelvis": "mid_hip", "left_toe": "left_big_toe", "right_toe": "right_big_toe"}
_NOT_SEEN = ("spine", "thorax")  # no slot lies there
PAIRS = tuple(
    (JOINTS.index(joint), SLOTS.index(SLOT_NAMES.get(joint, joint)))
    for joint in JOINTS.points
    if joint not in _NOT_SEEN
)
_FEET = tuple(JOINTS.index(joint) for joint in CONTACT_JOINTS)

KEYPOINT_NOISE = 0.014  # of the person's size: what good detectors reach
KEYPOINT_NOISE_PX = 1.0  # added, for people who are small in the picture
BODY_SIZE_M = 1.7  # what KEYPOINT_NOISE is a share of
CORRELATION_S = (
    0.2  # errors of neighbouring frames are not independent: one sample's worth of information in this
)
ACCELERATION_SD = 5.0  # m/s² in root hertz; see CORRELATION_S
VELOCITY_SD = 3.0  # m/s; weak, it only keeps ends without keypoints from running away
STANDING_SPEED_SD = 0.08  # m/s of a foot that stands
STANDING_SPEED_SHARE = (
    0.5  # of the root's speed, added in depth: lifters shorten strides there by a half and more
)
ROOT_SPEED_SMOOTHING_S = 0.25
HUBER = 1.5  # residuals beyond this many standard deviations count linearly
ROUNDS = 4
NEAREST_M, FARTHEST_M = 0.3, 200.0
DEFAULT_DEPTH_M = 4.0  # of a clip without any usable keypoint
RIDGE = 1e-6  # 1/m² a frame: a millionth of what a few keypoints weigh, so that it moves nothing that is seen
LEAST_RIDGE = 1e-14  # of the largest weight, fifty times what float64 rounds away


def place(pose: Pose3D, keypoints: Keypoints2D, camera: Camera) -> Trajectory:
    """Find the root's path that makes the pose project onto the keypoints.

    Args:
        pose: Root-relative joints (T, 25, 3) m at the person's true size.
        keypoints: (T, 28) slots at the same times; missing ones have score 0. Frames without any are
            bridged by the smoothness of the path.
        camera: Intrinsics and distortion; world_from_camera is not used.

    Returns:
        The root (T, 3) m in camera axes, in front of the camera.

    Raises:
        SkeletonMismatch: when pose or keypoints have other points than JOINTS and SLOTS.
        ValueError: when pose and keypoints differ in length.
    """
    if pose.skeleton.points != JOINTS.points or keypoints.skeleton.points != SLOTS.points:
        raise SkeletonMismatch(
            f"place() got {pose.skeleton.name} and {keypoints.skeleton.name}, "
            f"expected {JOINTS.name} and {SLOTS.name}"
        )
    if len(pose.times_s) != len(keypoints.times_s):
        raise ValueError(f"pose has {len(pose.times_s)} frames, keypoints {len(keypoints.times_s)}")
    points, rays, information = _observed(pose, keypoints, camera)
    joint_index = [joint for joint, _ in PAIRS]
    sigma = pose.sigma[:, joint_index].astype(np.float64)
    pixel = 1.0 / float(camera.intrinsics[0, 0])
    feet = pose.joints[:, list(_FEET)].astype(np.float64)

    depths = _bridged_depths(_log_depths(points, rays, information), pose.times_s)
    durations = _frame_durations(pose.times_s)
    prior = _smoothness_bands(pose.times_s)
    robust = np.ones_like(information)
    standing = np.clip(pose.contacts.astype(np.float64), 0.0, 1.0) ** 2
    firm = standing[1:] * standing[:-1]
    root = np.zeros((len(points), 3))
    for _ in range(ROUNDS):
        noise = _noise(points, sigma, depths, pixel)
        weights = information * robust / noise**2
        weights *= (durations / CORRELATION_S)[:, None]
        bands, target = _reprojection_bands(points, rays, weights)
        bands += prior
        ease = _depth_ease(depths, pose.times_s)
        _add_standing_feet(bands, target, feet, firm, pose.times_s, ease=ease)
        root = _solve(bands, target, depths)
        depths = np.clip(root[:, 2], NEAREST_M, FARTHEST_M)
        robust = _huber(_residuals(points, rays, root) / noise)
        speeds = _foot_speeds(feet, root, pose.times_s, ease=ease)
        firm = standing[1:] * standing[:-1] * _huber(speeds / STANDING_SPEED_SD)
    root[:, 2] = np.maximum(root[:, 2], NEAREST_M)
    return Trajectory(root)


def weak_perspective_depths(pose: Pose3D, keypoints: Keypoints2D, camera: Camera) -> Array:
    """Return (T,) rough depths in m: spread of the joints over spread of their rays; gaps interpolated.

    Args:
        pose: Root-relative joints (T, 25, 3) m at the person's true size.
        keypoints: (T, 28) slots at the same times.
        camera: Intrinsics and distortion.
    """
    log_depths = np.empty(len(pose.times_s))
    for block in time_blocks(len(log_depths), margin=0):
        log_depths[block.kept] = _log_depths(*_observed(pose, keypoints, camera, rows=block.kept))
    return _bridged_depths(log_depths, pose.times_s)


def _observed(
    pose: Pose3D, keypoints: Keypoints2D, camera: Camera, *, rows: slice = slice(None)
) -> tuple[Array, Array, Array]:
    """Return joints (T, K, 3) m, their rays (T, K, 2) and what each tells (T, K), 0 where it is not seen."""
    joint_index, slot_index = (list(indices) for indices in zip(*PAIRS, strict=True))
    points = pose.joints[rows, joint_index].astype(np.float64)
    scores = np.nan_to_num(keypoints.scores[rows, slot_index].astype(np.float64))
    xy = keypoints.xy[rows, slot_index]
    seen = (scores > 0) & np.isfinite(xy).all(axis=-1)
    rays = camera.rays(np.where(seen[..., None], xy, 0.0))
    rays = np.where(seen[..., None], rays, 0.0)
    return points, rays, np.square(np.where(seen, scores, 0.0))


def _log_depths(points: Array, rays: Array, information: Array) -> Array:
    """Return (T,) logarithms of first depths (spread of the joints over that of their rays), or NaN."""
    total = np.maximum(information.sum(axis=1), 1e-12)

    def spread(values: Array) -> Array:
        mean = (values * information[..., None]).sum(axis=1, keepdims=True) / total[:, None, None]
        return np.sqrt((((values - mean) ** 2).sum(axis=-1) * information).sum(axis=1) / total)

    size, angle = spread(points[..., :2]), spread(rays)
    usable = ((information > 0).sum(axis=1) >= 3) & (angle > 1e-5) & (size > 1e-3)
    depths = size / np.where(usable, angle, 1.0)
    return np.where(usable, np.log(np.clip(depths, NEAREST_M, FARTHEST_M)), np.nan)


def _bridged_depths(log_depths: Array, times_s: Array) -> Array:
    """Return (T,) depths in m with the unknown ones interpolated."""
    known = np.isfinite(log_depths)
    if not known.any():
        return np.full(len(log_depths), DEFAULT_DEPTH_M)
    return np.exp(np.interp(times_s, times_s[known], log_depths[known]))


def _frame_durations(times_s: Array) -> Array:
    """Return (T,) the time each frame stands for, s, so that uneven times weigh what they should."""
    if len(times_s) < 2:
        return np.full(len(times_s), CORRELATION_S)
    durations = np.gradient(times_s)
    return np.minimum(durations, CORRELATION_S)


def _noise(points: Array, sigma: Array, depths: Array, pixel: float) -> Array:
    """Return (T, K) the standard deviation in m of each row: the pose's, and the keypoint's at its depth."""
    joint_depths = np.maximum(points[..., 2] + depths[:, None], NEAREST_M)
    angle = np.hypot(KEYPOINT_NOISE * BODY_SIZE_M / depths, KEYPOINT_NOISE_PX * pixel)
    return np.hypot(sigma, joint_depths * angle[:, None])


def _reprojection_bands(points: Array, rays: Array, weights: Array) -> tuple[Array, Array]:
    """Return the normal equations of all frames: blocks in upper bands (9, 3T), target (T, 3).

    Per frame, with S = Σw, s = Σwr, q = Σw|r|², b = r P_z - P_xy: [[S I, -s], [-s', q]] t = [Σwb; -Σw r·b].
    """
    total = weights.sum(axis=1)
    first = (weights[..., None] * rays).sum(axis=1)
    second = (weights * (rays**2).sum(axis=-1)).sum(axis=1)
    offsets = rays * points[..., 2:] - points[..., :2]
    target = np.empty((len(points), 3))
    target[:, :2] = (weights[..., None] * offsets).sum(axis=1)
    target[:, 2] = -(weights * (rays * offsets).sum(axis=-1)).sum(axis=1)
    bands = np.zeros((9, 3 * len(points)))
    bands[8, 0::3] = bands[8, 1::3] = total
    bands[8, 2::3] = second
    bands[7, 2::3] = -first[:, 1]
    bands[6, 2::3] = -first[:, 0]
    return bands, target


def _add_pair(
    bands: Array, weights: Array, *, step: int, first: int = 0, axes: tuple[int, ...] = (0, 1, 2)
) -> None:
    """Add weights (N,) between frames i and i + step, from frame ``first``, on some axes."""
    for axis in axes:
        start = 3 * (first + step) + axis
        bands[8 - 3 * step, start : start + 3 * len(weights) : 3] += weights


def _smoothness_bands(times_s: Array) -> Array:
    """Return upper bands (9, 3T) of the acceleration and velocity priors for uneven times."""
    frames = len(times_s)
    bands = np.zeros((9, 3 * frames))
    if frames < 2:
        return bands
    steps = np.diff(times_s)
    pull = 1.0 / (VELOCITY_SD**2 * steps * CORRELATION_S)
    _add_pair(bands, pull, step=0)
    _add_pair(bands, pull, step=0, first=1)
    _add_pair(bands, -pull, step=1)
    if frames < 3:
        return bands
    # Second derivative by divided differences: a t[i-1] + b t[i] + c t[i+1].
    before, after = steps[:-1], steps[1:]
    a, c = 2.0 / (before * (before + after)), 2.0 / (after * (before + after))
    b = -(a + c)
    weight = (before + after) / 2.0 / (ACCELERATION_SD**2 * CORRELATION_S)
    _add_pair(bands, weight * a * a, step=0)
    _add_pair(bands, weight * b * b, step=0, first=1)
    _add_pair(bands, weight * c * c, step=0, first=2)
    _add_pair(bands, weight * a * b, step=1)
    _add_pair(bands, weight * b * c, step=1, first=1)
    _add_pair(bands, weight * a * c, step=2)
    return bands


def _depth_ease(depths: Array, times_s: Array) -> Array:
    """Return (T - 1,) in (0, 1]: what a standing foot's rest in depth counts against its rest across."""
    if len(times_s) < 2:
        return np.ones(0)
    steps = np.diff(times_s)
    smooth = gaussian_smooth(depths, ROOT_SPEED_SMOOTHING_S / float(np.median(steps)))
    return 1.0 / (1.0 + (STANDING_SPEED_SHARE * np.diff(smooth) / steps / STANDING_SPEED_SD) ** 2)


def _add_standing_feet(
    bands: Array, target: Array, feet: Array, firm: Array, times_s: Array, *, ease: Array
) -> None:
    """Add Σ firm |(t[i+1] + F[i+1]) - (t[i] + F[i])|² / (speed² Δt), in place; in depth times ``ease``.

    Args:
        bands: (9, 3T) upper bands.
        target: (T, 3) right-hand side.
        feet: (T, 4, 3) m, root-relative.
        firm: (T - 1, 4) weight of each foot point that stands in both frames.
        times_s: (T,) s.
        ease: (T - 1,), see ``_depth_ease``.
    """
    if len(times_s) < 2:
        return
    steps = np.diff(times_s)
    weights = firm / (STANDING_SPEED_SD**2 * steps * CORRELATION_S)[:, None]
    total = weights.sum(axis=1)
    for pull, axes in ((total, (0, 1)), (total * ease, (2,))):
        _add_pair(bands, pull, step=0, axes=axes)
        _add_pair(bands, pull, step=0, first=1, axes=axes)
        _add_pair(bands, -pull, step=1, axes=axes)
    push = (weights[..., None] * np.diff(feet, axis=0)).sum(axis=1)
    push[:, 2] *= ease
    target[:-1] += push
    target[1:] -= push


def _solve(bands: Array, target: Array, depths: Array) -> Array:
    """Solve for the root (T, 3); a ridge towards the optical axis makes any input solvable."""
    from scipy.linalg import solveh_banded

    ridge = max(RIDGE, LEAST_RIDGE * float(bands[8].max()))
    bands[8] += ridge
    target = target.copy()
    target[:, 2] += ridge * depths
    return solveh_banded(bands, target.reshape(-1), overwrite_ab=True, check_finite=False).reshape(-1, 3)


def _residuals(points: Array, rays: Array, root: Array) -> Array:
    """Return (T, K) distance in metres between joint and ray at the joint's depth."""
    placed = points + root[:, None]
    return np.linalg.norm(placed[..., :2] - rays * np.maximum(placed[..., 2:], NEAREST_M), axis=-1)


def _foot_speeds(feet: Array, root: Array, times_s: Array, *, ease: Array) -> Array:
    """Return (T - 1, 4) speed of toes and heels, m/s, in depth as far as it counts."""
    steps = np.diff(feet + root[:, None], axis=0)
    steps[..., 2] *= np.sqrt(ease)[:, None]
    return np.linalg.norm(steps, axis=-1) / np.diff(times_s)[:, None]


def _huber(scaled: Array) -> Array:
    """Return Huber's weights of residuals given in standard deviations."""
    return 1.0 / np.maximum(np.abs(scaled) / HUBER, 1.0)
