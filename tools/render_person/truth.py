# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth of a rendered clip: joints, contacts, camera and bones of each frame. numpy only, no bpy.

World: z up, floor at 0, m. Camera axes are OpenCV's: x right, y down, z forward. Pixels: the centre of the
first pixel is (0, 0), as in ``vp3d_core.camera``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vp3d_core.arrays import Array, check_finite, check_shape
from vp3d_core.camera import Camera
from vp3d_core.skeletons import JOINTS

__all__ = ["FORMAT", "BoneTruth", "ClipTruth", "load", "save"]

FORMAT = "vp3d.render_truth"
VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class BoneTruth:
    """The bones of one person's rig.

    Attributes:
        names: B names.
        parents: B indices, -1 for none.
        rest: (B, 4, 4) world_from_bone of the unposed rig, m.
        posed: (T, B, 4, 4) world_from_bone.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    rest: Array
    posed: Array


@dataclass(frozen=True, slots=True, eq=False)
class ClipTruth:
    """What is known of a rendered clip.

    Attributes:
        joints_world: (P, T, 25, 3) m, ``JOINTS``, of the rendered bodies.
        contacts: (P, T, 4) in [0, 1], in the order of ``vp3d_core.motion.CONTACT_JOINTS``.
        camera: Its intrinsics, and world_from_camera (T, 4, 4).
        frame_rate_hz: Of the video.
        image_size: (width, height) px.
        bones: One for each person.
    """

    joints_world: Array
    contacts: Array
    camera: Camera
    frame_rate_hz: float
    image_size: tuple[int, int]
    bones: tuple[BoneTruth, ...]

    def __post_init__(self) -> None:
        people, frames = self.joints_world.shape[:2]
        check_shape("joints_world", self.joints_world, (people, frames, len(JOINTS.points), 3))
        check_shape("contacts", self.contacts, (people, frames, 4))
        check_shape("world_from_camera", self.camera.world_from_camera, (frames, 4, 4))
        check_finite("joints_world", self.joints_world)

    def joints_camera(self) -> Array:
        """Return the joints in camera axes: (P, T, 25, 3) m."""
        return np.stack([self.camera.camera_points(joints) for joints in self.joints_world])

    def joints_px(self) -> Array:
        """Return where the joints appear: (P, T, 25, 2) px; NaN behind the camera."""
        return np.stack([self.camera.project_world_points(joints) for joints in self.joints_world])


def save(path: Path, truth: ClipTruth) -> None:
    """Write a truth as ``.npz``; joints_camera and joints_px are written too, for other programs."""
    arrays: dict[str, object] = {
        "format": FORMAT,
        "version": VERSION,
        "joint_names": np.array(JOINTS.points),
        "joints_world": truth.joints_world.astype(np.float32),
        "joints_camera": truth.joints_camera().astype(np.float32),
        "joints_px": truth.joints_px().astype(np.float32),
        "contacts": truth.contacts.astype(np.float32),
        "intrinsics": truth.camera.intrinsics,
        "world_from_camera": truth.camera.world_from_camera,
        "frame_rate_hz": float(truth.frame_rate_hz),
        "image_size": np.array(truth.image_size),
    }
    for number, bones in enumerate(truth.bones):
        arrays[f"bone_names_{number}"] = np.array(bones.names)
        arrays[f"bone_parents_{number}"] = np.array(bones.parents)
        arrays[f"bone_rest_{number}"] = bones.rest.astype(np.float32)
        arrays[f"bone_posed_{number}"] = bones.posed.astype(np.float32)
    with path.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def load(path: Path) -> ClipTruth:
    """Read what ``save`` wrote.

    Raises:
        ValueError: when the file is of another format or version.
    """
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    if str(arrays.get("format")) != FORMAT or int(arrays["version"]) != VERSION:
        raise ValueError(f"{path} is no {FORMAT} of version {VERSION}")
    width, height = (int(value) for value in arrays["image_size"])
    people = range(len(arrays["joints_world"]))
    bones = tuple(
        BoneTruth(
            tuple(str(name) for name in arrays[f"bone_names_{number}"]),
            tuple(int(parent) for parent in arrays[f"bone_parents_{number}"]),
            arrays[f"bone_rest_{number}"],
            arrays[f"bone_posed_{number}"],
        )
        for number in people
    )
    return ClipTruth(
        arrays["joints_world"].astype(np.float64),
        arrays["contacts"].astype(np.float64),
        Camera(arrays["intrinsics"], None, arrays["world_from_camera"]),
        float(arrays["frame_rate_hz"]),
        (width, height),
        bones,
    )
