# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns mocap into a data set in VideoPose3D's npz formats, so that the paper's experiments run on free data.

Four cameras stand about the origin as Human3.6M's do: some 5 m away, 1.5 m high, 1000 px wide pictures, a
focal length of about 1150 px, distortion. A take is cut to the longest part in which the person stays near
the middle. 2D comes exact ("gt") and with a detector's errors at several levels ("noise5": 5 px).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..arrays import Array
from ..errors import InputError
from ..output_file import replaced_when_done
from ..rotations import quat_from_matrix
from ..train.dataset import MocapBank
from ..train.mocap import CLIP_RATE_HZ
from ..train.splits import trial_of
from .camera_files import PaperCamera, write_cameras
from .layouts import H36M_17
from .projection import pixels_from_screen, project, screen_from_pixels

__all__ = ["DATASET", "RATE_HZ", "mocap_takes", "person_of", "write_mocap_data"]

DATASET = "mocap"
RATE_HZ = 30.0
MIN_FRAMES = 30  # 1 s
MAX_DISTANCE_M = 2.5  # from the middle of the take, so that nobody comes near a camera
PICTURE_PX = 1000
FOCAL_PX = 1150.0
RADIAL, TANGENTIAL = (-0.2, 0.2, 0.0), (-0.001, 0.001)
CAMERA_HEIGHT_M, CAMERA_DISTANCE_M = 1.5, 5.2
_METADATA = {
    "layout_name": "h36m",
    "num_joints": len(H36M_17.parents),
    "keypoints_symmetry": [list(H36M_17.left), list(H36M_17.right)],
}
SLOW_FRAMES = 9  # the slow part of a detector's error has a new value so often


def person_of(name: str) -> str:
    """Return who moves in a clip: CMU's subject number, else the folder the file lies in."""
    subject, _, number = trial_of(name).partition("_")
    return subject if number.isdigit() and subject.isdigit() else Path(name).parent.name


def mocap_takes(bank: MocapBank) -> dict[str, dict[str, Array]]:
    """Return {person: {action: (N, 17, 3) m, world, z up}} at ``RATE_HZ``.

    A trial that several archives hold comes once; renamed copies (``cmu_actions``) are left out.
    """
    takes: dict[str, dict[str, Array]] = {}
    joints = bank.joints[:, : len(H36M_17.parents)].cpu().numpy()
    step = round(CLIP_RATE_HZ / RATE_HZ)
    seen: set[str] = set()
    for name, start, length in zip(bank.names, bank.starts.tolist(), bank.lengths.tolist(), strict=True):
        trial = trial_of(name)
        if trial in seen or "cmu_actions" in name:
            continue
        seen.add(trial)
        take = _longest_near_middle(joints[start : start + length : step])
        if len(take) >= MIN_FRAMES:
            person = person_of(name)
            label = (trial if trial != name else Path(name).stem).replace(" ", "-")
            takes.setdefault(person, {})[f"{person} {label}"] = take
    return takes


def _longest_near_middle(joints: Array) -> Array:
    """Cut the longest run within ``MAX_DISTANCE_M`` of where the person mostly is, moved to the origin."""
    middle = np.median(joints[:, 0, :2], axis=0)
    near = np.linalg.norm(joints[:, 0, :2] - middle, axis=-1) < MAX_DISTANCE_M
    edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    best = int(np.argmax(ends - starts))
    return joints[starts[best] : ends[best]] - np.array([*middle, 0.0], dtype=joints.dtype)


def write_mocap_data(
    out: Path, bank: MocapBank, *, noise_px: Sequence[float] = (5.0, 10.0, 20.0), seed: int = 0
) -> dict[str, int]:
    """Write ``data_3d_mocap.npz``, ``data_2d_mocap_*.npz`` and ``cameras_mocap.json``.

    Args:
        out: Folder.
        bank: The mocap.
        noise_px: Levels of the detector's errors: standard deviation of x and of y, px.
        seed: Of cameras and errors.

    Returns:
        Frames of each person.

    Raises:
        InputError: The mocap has nothing that is long enough.
    """
    takes = mocap_takes(bank)
    if not takes:
        raise InputError("The mocap holds no take of a second or more", hint="Give other folders.")
    rng = np.random.default_rng(seed)
    cameras = {person: _cameras(rng) for person in takes}
    exact = {
        person: {
            action: [_pixels(take, camera) for camera in cameras[person]] for action, take in own.items()
        }
        for person, own in takes.items()
    }
    out.mkdir(parents=True, exist_ok=True)
    _save(out / f"data_3d_{DATASET}.npz", positions_3d=takes)
    write_cameras(out / f"cameras_{DATASET}.json", cameras)
    _save(out / f"data_2d_{DATASET}_gt.npz", positions_2d=exact, metadata=_METADATA)
    for level in noise_px:
        noisy = {
            person: {action: [_with_errors(xy, level, rng) for xy in views] for action, views in own.items()}
            for person, own in exact.items()
        }
        _save(out / f"data_2d_{DATASET}_noise{level:g}.npz", positions_2d=noisy, metadata=_METADATA)
    return {person: sum(len(take) for take in own.values()) for person, own in takes.items()}


def _save(path: Path, **content: Any) -> None:
    """Write an npz of pickled dicts, as the format wants it."""
    with replaced_when_done(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **content)


def _cameras(rng: np.random.Generator) -> list[PaperCamera]:
    return [_camera(index, quarter, rng) for index, quarter in enumerate((0.13, 0.37, 0.63, 0.87))]


def _camera(index: int, turn: float, rng: np.random.Generator) -> PaperCamera:
    """Make a camera that looks at the middle of a person at the origin."""
    angle = 2.0 * np.pi * (turn + rng.normal(0.0, 0.01))
    distance = CAMERA_DISTANCE_M + rng.normal(0.0, 0.3)
    height = CAMERA_HEIGHT_M + rng.normal(0.0, 0.05)
    position = np.array([distance * np.cos(angle), distance * np.sin(angle), height])
    forward = np.array([0.0, 0.0, 0.9]) - position
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    world_from_camera = np.stack([right, np.cross(forward, right), forward], axis=1)
    centre_px = PICTURE_PX / 2.0 + rng.normal(0.0, 10.0, 2)
    centre = screen_from_pixels(centre_px, width=PICTURE_PX, height=PICTURE_PX)
    focal = np.full(2, (FOCAL_PX + rng.normal(0.0, 3.0)) * 2.0 / PICTURE_PX)
    intrinsics = np.concatenate([focal, centre, RADIAL, TANGENTIAL])
    return PaperCamera(
        str(index), PICTURE_PX, PICTURE_PX, quat_from_matrix(world_from_camera), position, intrinsics
    )


def _pixels(take: Array, camera: PaperCamera) -> Array:
    points = torch.from_numpy(camera.camera_from_world(take.astype(np.float64)))
    screen = project(points[None], torch.from_numpy(camera.intrinsics)[None])[0].numpy()
    return pixels_from_screen(screen, width=camera.width, height=camera.height).astype(np.float32)


def _with_errors(xy: Array, level_px: float, rng: np.random.Generator) -> Array:
    """Add errors, four fifths of them slow (a new value every ``SLOW_FRAMES`` frames), the rest white."""
    frames = len(xy)
    keys = rng.normal(0.0, 1.0, (frames // SLOW_FRAMES + 2, *xy.shape[1:]))
    place = np.arange(frames) / SLOW_FRAMES
    low = place.astype(np.int64)
    part = (place - low)[:, None, None]
    slow = (keys[low] * (1 - part) + keys[low + 1] * part) / np.sqrt((1 - part) ** 2 + part**2)
    error = level_px * (0.8 * slow + 0.6 * rng.normal(0.0, 1.0, xy.shape))
    return (xy + error).astype(np.float32)
