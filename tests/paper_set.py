# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny data set in VideoPose3D's npz formats: moving stick figures of 17 joints that four cameras see.

Cameras and projection are written out here, so that the readers are tested against something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

Floats = npt.NDArray[np.float64]

WIDTH, HEIGHT = 1000, 800
FOCAL, CENTRE = np.array([1100.0, 1110.0]), np.array([512.0, 395.0])
RADIAL, TANGENTIAL = np.array([-0.2, 0.15, -0.01]), np.array([-0.002, 0.003])
# Lengths in m: hip out, thigh, shank, spine, thorax, nose, head, shoulder out, upper arm, forearm
LENGTHS = np.array([0.13, 0.45, 0.45, 0.25, 0.25, 0.12, 0.12, 0.17, 0.28, 0.25])


def figure(rng: np.random.Generator, frames: int, *, size: float = 1.0) -> Floats:
    """Return (N, 17, 3) m, world, z up: limbs swing as sines of random phase, size and place."""
    time = np.arange(frames) / 25.0
    phase = rng.uniform(0.0, 2.0 * np.pi, 16)
    rate = rng.uniform(1.5, 4.0, 16)
    swing = rng.uniform(0.1, 0.6, 16)[:, None] * np.sin(rate[:, None] * time + phase[:, None])
    middle = np.array([0.2, -0.1, 0.2, -0.1, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.6, 0.6, 0.0, 0.0, 0.0, 0.0])
    angle = middle[:, None] + swing
    hip, thigh, shank, spine, thorax, nose, head, shoulder, arm, forearm = LENGTHS * size
    joints = np.zeros((frames, 17, 3))
    lean = Rotation.from_euler("xy", np.stack([0.4 * angle[12], 0.3 * angle[13]], axis=1))
    up = np.array([0.0, 0.0, 1.0])
    joints[:, 7] = lean.apply(spine * up)
    joints[:, 8] = joints[:, 7] + lean.apply(thorax * up)
    joints[:, 9] = joints[:, 8] + lean.apply([0.0, 0.5 * nose, nose])
    joints[:, 10] = joints[:, 9] + lean.apply([0.0, -0.3 * head, head])
    for k, (side, first, shoulder_joint) in enumerate(((1.0, 1, 14), (-1.0, 4, 11))):
        joints[:, first] = [side * hip, 0.0, 0.0]
        bend = np.abs(angle[6 + k])
        joints[:, first + 1] = joints[:, first] + thigh * _limb(angle[k], side * 0.2 * angle[14])
        joints[:, first + 2] = joints[:, first + 1] + shank * _limb(angle[k] - bend, side * 0.2 * angle[14])
        joints[:, shoulder_joint] = joints[:, 8] + lean.apply([side * shoulder, 0.0, -0.03])
        raised = side * (0.2 + 0.8 * np.abs(angle[4 + k]))
        joints[:, shoulder_joint + 1] = joints[:, shoulder_joint] + arm * _limb(angle[2 + k], raised)
        elbow = angle[2 + k] + np.abs(angle[10 + k])
        joints[:, shoulder_joint + 2] = joints[:, shoulder_joint + 1] + forearm * _limb(elbow, raised)
    heading = rng.uniform(0.0, 2.0 * np.pi) + 0.8 * np.sin(0.7 * time + phase[15])
    turn = Rotation.from_euler("z", heading[:, None])
    joints = np.stack([turn.apply(joints[:, joint]) for joint in range(17)], axis=1)
    path = 0.4 * np.sin(np.outer(time, rng.uniform(0.3, 0.8, 2)) + phase[:2])
    place = np.concatenate([path, np.full((frames, 1), 0.95 * size)], axis=1)
    joints += place[:, None]
    return joints


def _limb(forward: Floats, out: Floats) -> Floats:
    """Return unit vectors (N, 3): down, swung forward (y) and out (x)."""
    down = -1.0 * np.cos(forward) * np.cos(out)
    return np.stack([np.sin(out) * np.cos(forward), np.sin(forward), down], axis=-1).astype(np.float64)


def camera_rows(seed: int) -> list[dict[str, object]]:
    """Return four cameras about the origin, as VideoPose3D's tables have them (translation in mm)."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for quarter in range(4):
        angle = 0.7 + quarter * np.pi / 2 + rng.normal(0, 0.05)
        position = np.array([4.5 * np.cos(angle), 4.5 * np.sin(angle), 1.5 + rng.normal(0, 0.05)])
        forward = np.array([0.0, 0.0, 0.9]) - position
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        turn = Rotation.from_matrix(np.stack([right, np.cross(forward, right), forward], axis=1))
        x, y, z, w = turn.as_quat()
        rows.append({"orientation": [w, x, y, z], "translation": (1000.0 * position).tolist()})
    return rows


def pixels(world: Floats, row: Mapping[str, object]) -> Floats:
    """Project world points (N, J, 3) as Human3.6M's cameras do, in px and written out by hand."""
    w, x, y, z = row["orientation"]  # type: ignore[misc]
    turn = Rotation.from_quat([x, y, z, w]).inv()
    centred = world - np.asarray(row["translation"]) / 1000.0
    points = turn.apply(centred.reshape(-1, 3)).reshape(world.shape)
    u, v = points[..., 0] / points[..., 2], points[..., 1] / points[..., 2]
    r2 = u**2 + v**2
    grow = 1 + RADIAL[0] * r2 + RADIAL[1] * r2**2 + RADIAL[2] * r2**3 + TANGENTIAL[0] * u + TANGENTIAL[1] * v
    return np.stack(
        [
            FOCAL[0] * (u * grow + TANGENTIAL[0] * r2) + CENTRE[0],
            FOCAL[1] * (v * grow + TANGENTIAL[1] * r2) + CENTRE[1],
        ],
        axis=-1,
    )


def write_camera_tables(path: Path, cameras: Mapping[str, list[dict[str, object]]]) -> Path:
    """Write the tables as a Python file, as VideoPose3D keeps them."""
    inner = {
        "center": CENTRE.tolist(), "focal_length": FOCAL.tolist(), "radial_distortion": RADIAL.tolist(),
        "tangential_distortion": TANGENTIAL.tolist(), "res_w": WIDTH, "res_h": HEIGHT, "azimuth": 0,
    }  # fmt: skip
    rows = [{"id": str(index), **inner} for index in range(4)]
    path.write_text(
        f"import nothing_that_exists\ntiny_cameras_intrinsic_params = {rows!r}\n"
        f"tiny_cameras_extrinsic_params = {dict(cameras)!r}\n",
        encoding="utf-8",
    )
    return path


def write_tiny_set(
    folder: Path,
    subjects: Mapping[str, int],
    *,
    frames: int = 120,
    seed: int = 0,
    sizes: Mapping[str, float] | None = None,
    noise_px: float = 0.0,
) -> Path:
    """Write data_3d_tiny.npz, data_2d_tiny_gt.npz and cameras.py; subjects and their numbers of takes.

    Returns:
        The file of the cameras.
    """
    rng = np.random.default_rng(seed)
    positions: dict[str, dict[str, npt.NDArray[np.float32]]] = {}
    keypoints: dict[str, dict[str, list[npt.NDArray[np.float32]]]] = {}
    cameras = {subject: camera_rows(seed + index) for index, subject in enumerate(subjects)}
    for subject, takes in subjects.items():
        positions[subject], keypoints[subject] = {}, {}
        for take in range(takes):
            action = f"{('Walk', 'Wave')[take % 2]} {take // 2 + 1}"
            world = figure(rng, frames + 7 * take, size=(sizes or {}).get(subject, 1.0))
            positions[subject][action] = world.astype(np.float32)
            seen = [pixels(world, row) for row in cameras[subject]]
            # One frame more than the 3D, as the original's videos have.
            seen = [
                np.concatenate([xy, xy[-1:]]) + rng.normal(0, noise_px, (len(xy) + 1, 17, 2)) for xy in seen
            ]
            keypoints[subject][action] = [xy.astype(np.float32) for xy in seen]
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "data_3d_tiny.npz", positions_3d=positions)  # type: ignore[arg-type]
    metadata = {
        "layout_name": "h36m",
        "num_joints": 17,
        "keypoints_symmetry": [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]],
    }
    np.savez_compressed(folder / "data_2d_tiny_gt.npz", positions_2d=keypoints, metadata=metadata)  # type: ignore[arg-type]
    return write_camera_tables(folder / "cameras.py", cameras)
