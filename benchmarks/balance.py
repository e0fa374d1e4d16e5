# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare captures of two calibrated cameras with triangulated markers, beside MediaPipe's own 3D.

Clips, cameras and markers are those of the Pose2Sim demo (BSD-3-Clause), in the folder given:
balance_cam01.mp4, balance_cam03.mp4, balance_cameras.toml, balance_markers.trc.
Run: python benchmarks/balance.py FOLDER [--lifter FILE] [--height M] (Python 3.11 or newer)
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tomllib

from vp3d_core.arrays import Array
from vp3d_core.camera import Camera
from vp3d_core.detect.clean import clean
from vp3d_core.detect.mediapipe_detector import MediaPipeDetector
from vp3d_core.detect.select import select_keypoints, select_tracks
from vp3d_core.detect.tracker import track
from vp3d_core.lift.lifter import Lifter
from vp3d_core.skeletons import JOINTS, LIMB_JOINTS
from vp3d_core.train.metrics import mpjpe, p_mpjpe
from vp3d_core.video import probe, read_frames

LAG_FRAMES = 1  # video frame i shows marker frame i - 1 best


def read_markers(path: Path) -> dict[str, Array]:
    """Return marker name -> (T, 3) m, world z up."""
    lines = path.read_text().splitlines()
    names = [name for name in lines[3].split("\t")[2:] if name]
    rows = np.array([[float(v) for v in line.split("\t")[2:] if v] for line in lines[5:] if line.strip()])
    return {name: rows[:, [3 * i + 2, 3 * i, 3 * i + 1]] for i, name in enumerate(names)}


def read_camera(path: Path, name: str) -> tuple[Camera, Array, Array]:
    """Return the camera (in its own axes), and camera_from_world as rotation and translation."""
    import cv2

    entry = tomllib.loads(path.read_text())[name]
    rotation, _ = cv2.Rodrigues(np.array(entry["rotation"]))
    distortion = np.array([*entry["distortions"], 0.0])
    return (
        Camera(np.array(entry["matrix"]), distortion),
        np.asarray(rotation, np.float64),
        np.array(entry["translation"]),
    )


def marker_joints(markers: dict[str, Array], rotation: Array, translation: Array) -> Array:
    """Return the 12 limb joints (T, 12, 3) in camera axes."""

    def marker(joint: str) -> str:
        side, part = joint.split("_")
        return side[0].upper() + part.capitalize()

    world = np.stack([markers[marker(joint)] for joint in LIMB_JOINTS], axis=1)
    return world @ rotation.T + translation


def capture(video: Path, camera: Camera, lifter: Lifter) -> dict[str, Array]:
    """Detect, track, clean and lift; limb joints (T, 12, 3) of ours and of MediaPipe's world landmarks."""
    info = probe(video)
    size = (info.width, info.height)
    detector = MediaPipeDetector()
    detections, times, world = [], [], []
    for frame in read_frames(video):
        detections += detector.detect([frame])
        times.append(frame.time_s)
        world += detector.last_world_landmarks
    detector.close()
    tracks = select_tracks(
        track(detections, np.array(times), image_size=size), detections, np.array(times), person=("largest",)
    )
    keypoints = clean(select_keypoints(tracks[0], detections, np.array(times), image_size=size))
    pose = lifter.lift(keypoints, camera)
    full = np.full((len(times), len(LIMB_JOINTS), 3), np.nan)
    full[tracks[0].frames] = pose.joints[:, [JOINTS.index(j) for j in LIMB_JOINTS]]
    own = np.full_like(full, np.nan)
    names = detector.skeleton.points
    for frame, person in zip(tracks[0].frames, tracks[0].detection_index, strict=True):
        if person >= 0:
            own[frame] = world[frame][person][[names.index(joint) for joint in LIMB_JOINTS]]
    return {"VP3D": full, "MediaPipe world": own}


def compare(predicted: Array, truth: Array) -> tuple[float, float]:
    """Return root-relative MPJPE and P-MPJPE in mm; the root is the middle of the hips."""
    hips = [LIMB_JOINTS.index("left_hip"), LIMB_JOINTS.index("right_hip")]
    predicted = predicted[LAG_FRAMES : len(truth) + LAG_FRAMES]
    truth = truth[: len(predicted)]
    seen = np.isfinite(predicted).all((1, 2))
    predicted, truth = predicted[seen], truth[seen]
    predicted = predicted - predicted[:, hips].mean(1, keepdims=True)
    truth = truth - truth[:, hips].mean(1, keepdims=True)
    return 1000 * mpjpe(predicted, truth), 1000 * p_mpjpe(predicted, truth)


def main() -> None:
    """Print a table for both cameras."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lifter", default=None)
    parser.add_argument("--height", type=float, default=1.70, help="of the person, in metres")
    arguments = parser.parse_args()
    lifter = Lifter.load(arguments.lifter, device="cpu")
    markers = read_markers(arguments.folder / "balance_markers.trc")
    print(f"lifter {lifter.model_id}; 12 limb joints; mm")
    print(f"{'clip':16} {'method':16} {'MPJPE':>7} {'P-MPJPE':>8}  frames")
    for clip, name in (("balance_cam01", "cam_01"), ("balance_cam03", "cam_03")):
        camera, rotation, translation = read_camera(arguments.folder / "balance_cameras.toml", name)
        truth = marker_joints(markers, rotation, translation)
        for method, joints in capture(arguments.folder / f"{clip}.mp4", camera, lifter).items():
            scale = arguments.height / 1.70 if method == "VP3D" else 1.0
            first, second = compare(joints * scale, truth)
            print(
                f"{clip:16} {method:16} {first:7.1f} {second:8.1f}  {np.isfinite(joints).all((1, 2)).sum()}"
            )


if __name__ == "__main__":
    main()
