# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare captures of two calibrated cameras with triangulated markers, beside MediaPipe's own 3D.

Clips, cameras and markers are those of the Pose2Sim demo (BSD-3-Clause), in the folder given:
balance_cam01.mp4, balance_cam03.mp4, balance_cameras.toml, balance_markers.trc.
Run: python benchmarks/balance.py FOLDER [--lifter FILE] [--height M] (Python 3.11 or newer)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tomllib

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vp3d_core.arrays import Array
from vp3d_core.camera import Camera
from vp3d_core.capture.progress import Progress
from vp3d_core.detect.mediapipe_detector import MediaPipeDetector
from vp3d_core.keypoints import Detections2D, Frame
from vp3d_core.lift.lifter import Lifter
from vp3d_core.motion import Motion
from vp3d_core.pipeline import CAPTURE_STAGES, capture_people
from vp3d_core.pose import CANONICAL_HEIGHT_M
from vp3d_core.settings import CaptureSettings
from vp3d_core.skeletons import BLAZEPOSE_33, JOINTS, LIMB_JOINTS
from vp3d_core.train.metrics import mpjpe, p_mpjpe

METHODS = ("VP3D capture", "VP3D lifter alone", "MediaPipe's own")
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


class RecordingDetector(MediaPipeDetector):
    """The detector of a capture, which also keeps MediaPipe's own 3D landmarks of each frame."""

    def __init__(self, *, threads: int = 0) -> None:
        super().__init__(threads=threads)
        self.world: list[Array] = []

    def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
        """Return the people in each frame, and keep their landmarks."""
        found = super().detect(frames)
        self.world += self.last_world_landmarks
        return found


def capture(video: Path, camera: Camera, lifter: Lifter, *, height_m: float) -> dict[str, Array]:
    """Capture a clip; limb joints (T, 12, 3) m, camera axes, by method, NaN where there are none."""
    detector = RecordingDetector()
    settings = CaptureSettings(person=("largest",), height_m=height_m)
    found = capture_people(
        video, settings, Progress(None, CAPTURE_STAGES), camera=camera, detector=detector, lifter=lifter
    )
    detector.close()
    person = found.people[0]
    rows = np.round(person.keypoints.times_s * found.info.average_rate_hz).astype(int)
    joints = {method: np.full((len(found.times_s), 12, 3), np.nan) for method in METHODS}
    limbs = [JOINTS.index(joint) for joint in LIMB_JOINTS]
    joints["VP3D capture"][rows] = _at_times(person.motion, person.keypoints.times_s)[:, limbs]
    joints["VP3D lifter alone"][rows] = (
        lifter.lift(person.keypoints, camera).joints[:, limbs] * height_m / CANONICAL_HEIGHT_M
    )
    track = next(track for track in found.tracks if track.track_id == person.track_id)
    own = [BLAZEPOSE_33.index(joint) for joint in LIMB_JOINTS]
    for row, detection in zip(track.frames, track.detection_index, strict=True):
        if detection >= 0:
            joints["MediaPipe's own"][row] = detector.world[row][detection][own]
    return joints


def _at_times(motion: Motion, times_s: Array) -> Array:
    """Return a motion's joints (T, J, 3) in camera axes at some times."""
    assert motion.camera is not None
    placed = motion.camera.camera_points(motion.joints_world())
    flat = placed.reshape(len(placed), -1)
    columns = [np.interp(times_s, motion.times_s, column) for column in flat.T]
    return np.stack(columns, axis=1).reshape(len(times_s), *placed.shape[1:])


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
    print(f"{'clip':14} {'method':18} {'MPJPE':>7} {'P-MPJPE':>8}  frames")
    for clip, name in (("balance_cam01", "cam_01"), ("balance_cam03", "cam_03")):
        camera, rotation, translation = read_camera(arguments.folder / "balance_cameras.toml", name)
        truth = marker_joints(markers, rotation, translation)
        video = arguments.folder / f"{clip}.mp4"
        for method, joints in capture(video, camera, lifter, height_m=arguments.height).items():
            first, second = compare(joints, truth)
            seen = np.isfinite(joints).all((1, 2)).sum()
            print(f"{clip:14} {method:18} {first:7.1f} {second:8.1f} {seen:7}")


if __name__ == "__main__":
    main()
