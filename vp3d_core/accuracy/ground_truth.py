# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known to be true of one person in a rendered clip.

World: z up, floor at z = 0. The files are those that ``tools/render_person`` writes (format
"vp3d.render_truth"); only what a comparison needs is read. Frame i is at i / rate seconds.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..arrays import Array, check_finite, check_shape
from ..camera import Camera
from ..errors import InputError
from ..skeletons import JOINTS

__all__ = ["GroundTruth", "load_truth"]

FORMAT = "vp3d.render_truth"
VERSION = "1"


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """One person's true motion.

    Attributes:
        joints_world: (T, 25, 3) m, ``JOINTS``, world.
        contacts: (T, 4) in [0, 1], in the order of ``motion.CONTACT_JOINTS``.
        camera: That filmed it, with world_from_camera (T, 4, 4).
        frame_rate_hz: Of the clip.
        image_size: (width, height) px.
    """

    joints_world: Array
    contacts: Array
    camera: Camera
    frame_rate_hz: float
    image_size: tuple[int, int]

    def __post_init__(self) -> None:
        frames = len(self.joints_world)
        check_shape("joints_world", self.joints_world, (frames, len(JOINTS.points), 3))
        check_shape("contacts", self.contacts, (frames, 4))
        check_shape("world_from_camera", self.camera.world_from_camera, (frames, 4, 4))
        check_finite("joints_world", self.joints_world)
        if not self.frame_rate_hz > 0:
            raise ValueError(f"frame_rate_hz is {self.frame_rate_hz}, expected more than 0")

    @property
    def times_s(self) -> Array:
        """(T,) time of each frame, s."""
        return np.arange(len(self.joints_world)) / self.frame_rate_hz

    def in_picture(self) -> Array:
        """Return (T,) the share of the joints that lie in the picture."""
        xy = self.camera.project_world_points(self.joints_world)
        inside = (xy >= 0) & (xy <= np.array(self.image_size) - 1.0)  # NaN behind the camera: outside
        return inside.all(axis=-1).mean(axis=-1)


def load_truth(path: Path, *, person: int = 0) -> GroundTruth:
    """Read the truth of one person of a rendered clip.

    Args:
        path: The ``.npz`` file.
        person: Number of the person, from 0.

    Raises:
        InputError: when the file is missing, broken, of another format, or has no such person.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path} is no file of true joints: {error}", hint="Take the one that came with the clip."
        ) from error
    if str(arrays.get("format")) != FORMAT or str(arrays.get("version")) != VERSION:
        raise InputError(f"{path} is no {FORMAT} of version {VERSION}", hint="Render the clip again.")
    if person >= len(arrays["joints_world"]):
        raise InputError(f"{path} has {len(arrays['joints_world'])} people, there is no number {person}")
    width, height = (int(value) for value in arrays["image_size"].tolist())
    intrinsics, places = (arrays[name].astype(np.float64) for name in ("intrinsics", "world_from_camera"))
    return GroundTruth(
        arrays["joints_world"][person].astype(np.float64),
        arrays["contacts"][person].astype(np.float64),
        Camera(intrinsics, None, places),
        float(arrays["frame_rate_hz"]),
        (width, height),
    )
