# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's trajectory network against the least-squares trajectory, on the same people and keypoints.

Usage: python benchmarks/trajectory.py DATA OUT [--keypoints noise5] [--epochs 8]

DATA is made by ``vp3d paper-data MOCAP -o DATA``. A pose and a trajectory network (27 frames) are trained as
``vp3d train --paper --trajectory`` does. On people that nothing is learnt from, the root's path is then found
four ways: by the network, by ``vp3d_core.lift.trajectory.place`` from the pose network's poses, by the same
from the true poses, and as the mean of the first two. Errors of the root: mean distance in mm and in per cent
of the true depth, and of its velocity in mm a frame at 30 Hz.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.paper_mocap import COMMON, FAMILIES, LABELLED, TEST, UNLABELLED
from vp3d_core.arrays import Array
from vp3d_core.camera import Camera
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.lift.trajectory import PAIRS, place
from vp3d_core.paper import train_command
from vp3d_core.paper.datasets import View, load_data, select_views, subset_views
from vp3d_core.paper.evaluation import predict
from vp3d_core.paper.options import experiment_of
from vp3d_core.paper.training import train_experiment
from vp3d_core.pose import Pose3D
from vp3d_core.skeletons import JOINTS, SLOTS

RATE_HZ = 30.0
POSE_SIGMA_M = 0.06  # the paper's network does not say how sure it is
UNDISTORTION_ROUNDS = 10


def undistorted(keypoints: Array, intrinsics: Array) -> Array:
    """Return the rays (N, 17, 2) of keypoints in screen units: ``projection.project``, backwards."""
    focal, centre, radial, tangential = np.split(intrinsics.astype(np.float64), [2, 4, 7])
    seen = (keypoints[..., :2] - centre) / focal
    rays = seen.copy()
    for _ in range(UNDISTORTION_ROUNDS):
        square = (rays**2).sum(-1, keepdims=True)
        powers = np.concatenate([square, square**2, square**3], axis=-1)
        scale = 1.0 + (powers * radial).sum(-1, keepdims=True) + (rays * tangential).sum(-1, keepdims=True)
        rays = (seen - tangential * square) / scale
    return rays


def least_squares(view: View, poses: Array) -> Array:
    """Return the root (N, 3) m that makes poses (N, 17, 3) project onto a view's keypoints."""
    assert view.intrinsics is not None
    frames = len(poses)
    focal = float(view.intrinsics[:2].mean())
    xy = np.full((frames, len(SLOTS.points), 2), np.nan)
    rays = undistorted(view.keypoints, view.intrinsics)
    for joint, slot in PAIRS:
        if joint < rays.shape[1]:  # Human3.6M's 17 joints are the first of JOINTS
            xy[:, slot] = rays[:, joint] * focal
    scores = np.isfinite(xy).all(-1).astype(np.float64)
    times_s = np.arange(frames) / RATE_HZ
    joints = np.zeros((frames, len(JOINTS.points), 3))
    joints[:, : poses.shape[1]] = poses
    joints[:, 0] = 0.0
    pose = Pose3D(
        joints,
        times_s,
        np.full(joints.shape[:2], POSE_SIGMA_M),
        np.zeros((frames, 4)),
        np.tile([0.0, -1.0, 0.0], (frames, 1)),
    )
    # Keypoints in units of 1/500 of the screen's half width, so that a unit is a pixel of a 1000 px picture.
    camera = Camera(np.diag([500.0 * focal, 500.0 * focal, 1.0]))
    return place(pose, Keypoints2D(500.0 * xy, scores, times_s, (1000, 1000), SLOTS), camera).root


def main() -> int:
    """Train, compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--keypoints", default="noise5")
    parser.add_argument("--epochs", default="8")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    train_parser = argparse.ArgumentParser()
    train_command.add_arguments(train_parser)
    words = [
        str(arguments.data), *COMMON, "-k", arguments.keypoints, "--train", f"{LABELLED},{UNLABELLED}",
        "--subset", "0.2", "--widths", FAMILIES[27], "--epochs", arguments.epochs, "--decay", "0.55",
        "--trajectory", "-o", str(arguments.out),
    ]  # fmt: skip
    options = train_parser.parse_args(words)
    print("vp3d train --paper", *words, flush=True)
    data = load_data(arguments.data, "mocap", arguments.keypoints)
    chosen = subset_views(select_views(data, options.train), fraction=options.subset)
    models = train_experiment(
        data, chosen, experiment_of(options), arguments.out, device=torch.device("cpu"), unlabelled=()
    )
    assert models.trajectory is not None
    rows: dict[str, list[tuple[Array, Array]]] = {}
    for view in select_views(data, TEST):
        assert view.positions is not None
        truth = view.positions.astype(np.float64)
        poses = predict(models.pose, view.keypoints, (data.keypoints.mirror, data.joints.mirror))
        network = predict(models.trajectory, view.keypoints, (data.keypoints.mirror, (0,)))[:, 0]
        solved = least_squares(view, poses.astype(np.float64))
        found = {
            "network": network.astype(np.float64),
            "least squares": solved,
            "least squares, true poses": least_squares(view, truth),
            "mean of network and least squares": (network + solved) / 2,
        }
        for name, root in found.items():
            rows.setdefault(name, []).append((root, truth[:, 0]))
    print(f"{'trajectory':36}{'mm':>8}{'% depth':>9}{'mm/frame':>10}")
    for name, pairs in rows.items():
        error = np.concatenate([np.linalg.norm(root - truth, axis=-1) for root, truth in pairs])
        depth = np.concatenate([truth[:, 2] for _, truth in pairs])
        moves = np.concatenate(
            [np.linalg.norm(np.diff(root - truth, axis=0), axis=-1) for root, truth in pairs]
        )
        values = (1000 * error.mean(), 100 * (error / depth).mean(), 1000 * moves.mean())
        print(f"{name:36}{values[0]:8.0f}{values[1]:9.2f}{values[2]:10.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
