# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras of a data set, from JSON or from the calibration tables of the user's own copy of VideoPose3D.

We ship no calibration: it belongs to the data sets. ``cameras_<set>.json`` is ours (written by
``vp3d paper-data``); a ``.py`` file is read as text, and only the literals of its two tables are used.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Array, check_finite, check_shape
from ..errors import InputError
from ..output_file import replaced_when_done
from ..rotations import quat_conjugate, quat_rotate
from .projection import INTRINSICS, screen_from_pixels

__all__ = ["PaperCamera", "cameras_of", "read_cameras", "write_cameras"]

FORMAT, VERSION = "vp3d.paper-cameras", 1
_HINT = "Give cameras_<set>.json, or VideoPose3D's common/h36m_dataset.py or humaneva_dataset.py."


@dataclass(frozen=True, slots=True, eq=False)
class PaperCamera:
    """A calibrated camera.

    Attributes:
        name: Its number in the data set.
        width, height: px.
        orientation: (4,) unit quaternion wxyz, world from camera.
        position: (3,) m, world: the camera's centre.
        intrinsics: (9,) as in ``projection.py``, or None where only the place is known (HumanEva).
    """

    name: str
    width: int
    height: int
    orientation: Array
    position: Array
    intrinsics: Array | None

    def __post_init__(self) -> None:
        check_shape("orientation", self.orientation, (4,))
        check_shape("position", self.position, (3,))
        check_finite("orientation", self.orientation)
        check_finite("position", self.position)
        if self.intrinsics is not None:
            check_shape("intrinsics", self.intrinsics, (INTRINSICS,))
            check_finite("intrinsics", self.intrinsics)

    def camera_from_world(self, points: Array) -> Array:
        """Return world points (..., 3) m in the camera's axes."""
        turn = quat_conjugate(self.orientation)
        return quat_rotate(turn, points - self.position)

    def world_from_camera(self, points: Array) -> Array:
        """Return points (..., 3) m in camera axes in the world's."""
        return quat_rotate(self.orientation, points) + self.position


def read_cameras(path: Path) -> dict[str, list[PaperCamera]]:
    """Read the cameras of each subject.

    Raises:
        InputError: The file is missing, of another kind, or holds no cameras.
    """
    try:
        text = path.read_text(encoding="utf-8")
        subjects = _tables_of_code(text) if path.suffix == ".py" else _content(json.loads(text))
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"No cameras can be read from {path}: {error}", hint=_HINT) from error
    if not any(subjects.values()):
        raise InputError(f"{path} holds no cameras", hint=_HINT)
    return subjects


def write_cameras(path: Path, subjects: Mapping[str, Sequence[PaperCamera]]) -> None:
    """Write cameras as JSON."""
    rows = {
        subject: [
            {
                "name": camera.name,
                "width": camera.width,
                "height": camera.height,
                "orientation_wxyz": camera.orientation.tolist(),
                "position_m": camera.position.tolist(),
                "intrinsics": None if camera.intrinsics is None else camera.intrinsics.tolist(),
            }
            for camera in cameras
        ]
        for subject, cameras in subjects.items()
    }
    with replaced_when_done(path) as temporary:
        temporary.write_text(json.dumps({"format": FORMAT, "version": VERSION, "subjects": rows}), "utf-8")


def cameras_of(subjects: Mapping[str, list[PaperCamera]], subject: str) -> list[PaperCamera]:
    """Return a subject's cameras; HumanEva's "Train/S1" are those of "S1".

    Raises:
        InputError: There are none.
    """
    found = subjects.get(subject) or subjects.get(subject.rpartition("/")[2])
    if not found:
        raise InputError(
            f"There are no cameras for subject {subject!r}", hint=f"Known: {', '.join(subjects)}."
        )
    return found


def _content(content: Any) -> dict[str, list[PaperCamera]]:
    if (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"it is {content.get('format')!r} version {content.get('version')!r}")
    return {
        subject: [
            PaperCamera(
                str(row["name"]), int(row["width"]), int(row["height"]),
                np.array(row["orientation_wxyz"], np.float64), np.array(row["position_m"], np.float64),
                None if row["intrinsics"] is None else np.array(row["intrinsics"], np.float64),
            )
            for row in rows
        ]
        for subject, rows in content["subjects"].items()
    }  # fmt: skip


def _tables_of_code(text: str) -> dict[str, list[PaperCamera]]:
    """Read the literals assigned to ``*_intrinsic_params`` and ``*_extrinsic_params``; no code is run."""
    tables: dict[str, Any] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            for kind in ("intrinsic_params", "extrinsic_params"):
                if node.targets[0].id.endswith(kind):
                    tables[kind] = ast.literal_eval(node.value)
    inner, outer = tables["intrinsic_params"], tables["extrinsic_params"]
    return {
        subject: [_camera(a, b) for a, b in zip(inner, rows, strict=False) if "orientation" in b]
        for subject, rows in outer.items()
    }


def _camera(inner: Mapping[str, Any], outer: Mapping[str, Any]) -> PaperCamera:
    width, height = int(inner["res_w"]), int(inner["res_h"])
    intrinsics = None
    if "focal_length" in inner:
        centre = screen_from_pixels(np.array(inner["center"], np.float64), width=width, height=height)
        focal = np.array(inner["focal_length"], np.float64) * 2.0 / width
        distortion = [*inner["radial_distortion"], *inner["tangential_distortion"]]
        intrinsics = np.concatenate([focal, centre, distortion])
    return PaperCamera(
        str(inner["id"]), width, height, np.array(outer["orientation"], np.float64),
        np.array(outer["translation"], np.float64) / 1000.0, intrinsics,
    )  # fmt: skip
