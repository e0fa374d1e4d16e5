# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring lifted joints in line with what the picture shows and with bones that keep their length.

The lifter is sure across the picture and unsure in depth; where it is unsure it shortens bones (the mean of
what could be). The keypoints say where a joint is across the picture, and a known bone length then says how
far it goes in depth; which way, the lifter says. Feet that stand say more, see ``standing_feet.py``.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..arrays import Array
from ..body_proportions import BONES
from ..camera import Camera
from ..keypoints import Keypoints2D
from ..pose import Pose3D, Trajectory
from ..rotations import normalize
from ..skeletons import JOINTS
from ..time_blocks import time_blocks
from .standing_feet import hold_standing_feet
from .trajectory import PAIRS

__all__ = ["limb_lengths", "refine"]

KEYPOINT_SD_M = 0.04  # of a keypoint with score 1, across the picture
ACROSS_SHARE = 0.4  # share of a joint's standard error that lies across the picture
DEPTH_WEIGHT = 0.4  # of the lifter's depth against its place across, squared ratio of their errors
STRETCH = 1.6  # a bone is never made longer than this times what the lifter gave
LENGTH_QUANTILE = 0.6  # of a bone's length over the clip; the median is too short, see above
LENGTH_PRIOR_SHARE = 0.1  # of the average body's length in a bone's length
BISECTIONS = 40

# Of the joint at a limb bone's far end, without its side: the joint at the near end.
_LIMB_BONES = {"knee": "hip", "ankle": "knee", "elbow": "shoulder", "wrist": "elbow"}
_CARRIED = {"ankle": ("toe", "heel"), "wrist": ("hand",)}


def refine(
    pose: Pose3D, trajectory: Trajectory, keypoints: Keypoints2D, camera: Camera, *, height_m: float
) -> Pose3D:
    """Return the pose with joints pulled onto their keypoints and limbs of constant length.

    Args:
        pose: (T, 25, 3) m at the person's size, root-relative, camera axes.
        trajectory: The root's path.
        keypoints: (T, 28) slots at the same times.
        camera: Intrinsics and distortion.
        height_m: The person's height, for the prior on limb lengths.
    """
    pose = hold_standing_feet(pose, trajectory)
    lengths = limb_lengths(pose, height_m=height_m)
    for block in time_blocks(len(pose.joints), margin=0):
        rows = block.kept
        pose.joints[rows] = _refined(
            pose.joints[rows],
            trajectory.root[rows],
            pose.sigma[rows],
            (keypoints.xy[rows], keypoints.scores[rows]),
            camera,
            lengths=lengths,
        )
    return dataclasses.replace(pose)  # which checks it


def _refined(
    lifted: Array,
    root: Array,
    sigma: Array,
    keypoints: tuple[Array, Array],
    camera: Camera,
    *,
    lengths: dict[str, float],
) -> Array:
    """Return joints (T, 25, 3), root-relative; every frame for itself. Keypoints are xy and scores."""
    joints = _pull_across(lifted + root[:, None], sigma, *keypoints, camera)
    result = joints.copy()
    for side in ("left", "right"):
        for child, parent in _LIMB_BONES.items():
            c, p = JOINTS.index(f"{side}_{child}"), JOINTS.index(f"{side}_{parent}")
            bone = lifted[:, c] - lifted[:, p]
            result[:, c] = result[:, p] + _fit_bone(
                joints[:, c] - result[:, p], bone, joints[:, c], lengths[child]
            )
            for carried in _CARRIED.get(child, ()):
                k = JOINTS.index(f"{side}_{carried}")
                result[:, k] = joints[:, k] + result[:, c] - joints[:, c]
    return result - result[:, :1]


def limb_lengths(pose: Pose3D, *, height_m: float) -> dict[str, float]:
    """Return the lengths in m of thigh, shank, upper arm and forearm, by the joint at their end."""
    lengths: dict[str, float] = {}
    for child, parent in _LIMB_BONES.items():
        both = [
            np.linalg.norm(
                pose.joints[:, JOINTS.index(f"{side}_{child}")]
                - pose.joints[:, JOINTS.index(f"{side}_{parent}")],
                axis=-1,
            )
            for side in ("left", "right")
        ]
        prior = BONES[f"left_{child}"].share * height_m
        measured = float(np.quantile(np.concatenate(both), LENGTH_QUANTILE))
        lengths[child] = (1 - LENGTH_PRIOR_SHARE) * measured + LENGTH_PRIOR_SHARE * prior
    return lengths


def _pull_across(joints: Array, sigma: Array, xy: Array, scores: Array, camera: Camera) -> Array:
    """Move joints (T, 25, 3) across the picture towards their keypoints, as far as these are surer."""
    joint_index, slot_index = (list(index) for index in zip(*PAIRS, strict=True))
    xy, scores = xy[:, slot_index], scores[:, slot_index]
    seen = (scores > 0) & np.isfinite(xy).all(-1)
    rays = camera.rays(np.where(seen[..., None], xy, 0.0))
    points = joints[:, joint_index]
    variance = (ACROSS_SHARE * sigma[:, joint_index]) ** 2
    noise = (KEYPOINT_SD_M / np.clip(scores, 0.05, 1.0)) ** 2
    share = np.where(seen, variance / (variance + noise), 0.0)[..., None]
    depth = points[..., 2:]
    moved = points.copy()
    moved[..., :2] += share * np.where(seen[..., None], rays * depth - points[..., :2], 0.0)
    result = joints.copy()
    result[:, joint_index] = moved
    result[:, 0] = joints[:, 0]  # the root carries the path
    return result


def _fit_bone(wanted: Array, lifted: Array, place: Array, length: float) -> Array:
    """Return the vectors (T, 3) of a length that are nearest to ``wanted`` across and to ``lifted`` in depth.

    Minimises |v_across - wanted|² + DEPTH_WEIGHT (v_depth - lifted)² on |v| = length; the Lagrange
    multiplier is found by bisection. Depth is measured along the ray to ``place``.
    """
    axes = _ray_axes(place)
    across = np.einsum("tij,tj->ti", axes, wanted)[:, :2]
    depth = np.einsum("tj,tj->t", axes[:, 2], lifted)
    norm = np.sqrt((across**2).sum(-1) + depth**2)
    target = np.clip(length, norm / STRETCH, norm * STRETCH)
    low, high = np.full(len(norm), -DEPTH_WEIGHT + 1e-9), np.full(len(norm), 1e4)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        long = _squared_length(across, depth, middle) > target**2
        low, high = np.where(long, middle, low), np.where(long, high, middle)
    multiplier = ((low + high) / 2)[:, None]
    local = np.concatenate(
        [across / (1 + multiplier), DEPTH_WEIGHT * depth[:, None] / (DEPTH_WEIGHT + multiplier)], axis=1
    )
    local = normalize(local) * target[:, None]
    return np.einsum("tji,tj->ti", axes, local)


def _squared_length(across: Array, depth: Array, multiplier: Array) -> Array:
    return (across**2).sum(-1) / (1 + multiplier) ** 2 + (
        DEPTH_WEIGHT * depth / (DEPTH_WEIGHT + multiplier)
    ) ** 2


def _ray_axes(place: Array) -> Array:
    """Rows right, down, along the ray: (T, 3, 3) for places (T, 3) in camera axes."""
    along = normalize(place)
    right = normalize(np.cross(np.array([0.0, 1.0, 0.0]), along))
    return np.stack([right, np.cross(along, right), along], axis=1)
