# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads data sets in VideoPose3D's npz formats into views: what one camera saw of one take.

A folder holds ``data_3d_<set>.npz`` (metres, world, z up), ``data_2d_<set>_<detector>.npz`` (px) and the
cameras (``camera_files.py``). The arrays are pickled objects; they are read without running anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import numpy as np

from ..arrays import Array, check_shape
from ..detect.object_arrays import read_npz
from ..errors import InputError, SkeletonMismatch
from .camera_files import PaperCamera, cameras_of, read_cameras
from .layouts import H36M_17, H36M_17_OF_32, JointLayout, KeypointLayout, joint_layout, keypoint_layout
from .projection import screen_from_pixels
from .subsets import subset_slice

__all__ = ["PaperData", "View", "load_data", "select_views", "subset_views"]

# Two actions of Human3.6M have other names for S1; one take's 3D is corrupt.
_RENAMED = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}
_CORRUPT = (("S11", "Directions"),)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One take of one subject as one camera saw it.

    Attributes:
        subject, action: Names of the data set; the action's number comes after a blank.
        camera: Index among the subject's.
        keypoints: (N, K, 2 or 3) screen units, and the score if the detector gives one.
        positions: (N, J, 3) m, camera axes; joint 0 absolute, the others relative to it. None: no labels.
        intrinsics: (9,), None where unknown.
    """

    subject: str
    action: str
    camera: int
    keypoints: Array
    positions: Array | None
    intrinsics: Array | None

    def __post_init__(self) -> None:
        check_shape("keypoints", self.keypoints, ("N", "K", self.keypoints.shape[-1]))
        if self.positions is not None:
            check_shape("positions", self.positions, (len(self.keypoints), "J", 3))


@dataclass(frozen=True, slots=True, eq=False)
class PaperData:
    """All views of a data set."""

    joints: JointLayout
    keypoints: KeypointLayout
    views: tuple[View, ...]


def load_data(
    folder: Path, dataset: str, detector: str, *, cameras: Path | None = None, all_joints: bool = False
) -> PaperData:
    """Read a data set.

    Args:
        folder: Holds the npz files.
        dataset: ``<set>`` of the files' names: h36m, humaneva15, ...
        detector: ``<detector>`` of the 2D file's name: gt, cpn_ft_h36m_dbb, ...
        cameras: File of the cameras; ``cameras_<set>.json`` in the folder when None.
        all_joints: Keep 32 joints where the data has them, instead of the 17 that move.

    Raises:
        InputError: A file is missing or damaged, or 2D and 3D do not fit.
    """
    path_3d, path_2d = folder / f"data_3d_{dataset}.npz", folder / f"data_2d_{dataset}_{detector}.npz"
    for path in (path_3d, path_2d):
        if not path.is_file():
            raise InputError(
                f"There is no {path}",
                hint="Prepare the data as VideoPose3D's DATASETS.md tells, or 'vp3d paper-data'.",
            )
    rigs = read_cameras(cameras or folder / f"cameras_{dataset}.json")
    joints, takes = _positions(read_npz(path_3d), path=path_3d, all_joints=all_joints)
    layout, seen = _keypoints(read_npz(path_2d), path=path_2d)
    views: list[View] = []
    for (subject, action), world in takes.items():
        if (subject, action) not in seen:
            raise InputError(
                f"{path_2d} lacks {subject}/{action}", hint="Detect 2D for every take of the 3D file."
            )
        views += _views(subject, action, world, seen[subject, action], cameras_of(rigs, subject))
    return PaperData(joints, layout, tuple(views))


def _takes(content: object, *, path: Path) -> dict[tuple[str, str], Any]:
    """Flatten {subject: {action: value}}; renames and drops what the original's preparation does."""
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no subjects", hint="Give a file in VideoPose3D's format.")
    takes: dict[tuple[str, str], Any] = {}
    for subject, actions in cast(Mapping[str, Mapping[str, Any]], content).items():
        for action, value in actions.items():
            name, _, number = action.partition(" ")
            name = _RENAMED.get(name, name)
            if (subject, action) not in _CORRUPT:
                takes[subject, f"{name} {number}".rstrip()] = value
    return takes


def _positions(
    content: Mapping[str, object], *, path: Path, all_joints: bool
) -> tuple[JointLayout, dict[tuple[str, str], Array]]:
    takes = {
        key: np.asarray(value, np.float32)
        for key, value in _takes(content.get("positions_3d"), path=path).items()
    }
    counts = {array.shape[1:] for array in takes.values()}
    if len(counts) != 1 or (shape := counts.pop())[1:] != (3,):
        raise SkeletonMismatch(
            f"{path} holds no takes, or of several shapes", hint="Expected (N, J, 3) each."
        )
    layout = joint_layout(shape[0])
    if shape[0] == len(H36M_17_OF_32) or shape[0] != 32 or all_joints:
        return layout, takes
    return H36M_17, {key: array[:, H36M_17_OF_32] for key, array in takes.items()}


def _keypoints(
    content: Mapping[str, object], *, path: Path
) -> tuple[KeypointLayout, dict[tuple[str, str], list[Array]]]:
    takes = {
        key: [np.asarray(array, np.float32) for array in views]
        for key, views in _takes(content.get("positions_2d"), path=path).items()
    }
    counts = {array.shape[1:] for views in takes.values() for array in views}
    if len(counts) != 1 or (shape := counts.pop())[-1] not in (2, 3):
        raise SkeletonMismatch(
            f"{path} holds no views, or of several shapes", hint="Expected (N, K, 2 or 3) each."
        )
    metadata = content.get("metadata")
    metadata = cast(Mapping[str, Any], metadata if isinstance(metadata, dict) else {})
    layout = keypoint_layout(
        metadata.get("layout_name"), shape[0], symmetry=metadata.get("keypoints_symmetry")
    )
    return layout, takes


def _views(
    subject: str, action: str, world: Array, seen: list[Array], cameras: list[PaperCamera]
) -> list[View]:
    if len(seen) > len(cameras):
        raise InputError(
            f"{subject}/{action} was seen by {len(seen)} cameras, {len(cameras)} are known",
            hint="Give the file with all cameras.",
        )
    views: list[View] = []
    for index, (pixels, camera) in enumerate(zip(seen, cameras, strict=False)):
        if len(pixels) < len(world):
            raise InputError(
                f"{subject}/{action} camera {index} has {len(pixels)} frames of 2D, {len(world)} of 3D",
                hint="Detect 2D in every frame.",
            )
        keypoints = pixels[: len(world)].copy()  # the original's videos run a few frames longer
        keypoints[..., :2] = screen_from_pixels(keypoints[..., :2], width=camera.width, height=camera.height)
        positions = camera.camera_from_world(world.astype(np.float64))
        positions[:, 1:] -= positions[:, :1]
        views.append(
            View(
                subject, action, index, keypoints, positions.astype(np.float32),
                None if camera.intrinsics is None else camera.intrinsics.astype(np.float32),
            )
        )  # fmt: skip
    return views


def select_views(data: PaperData, subjects: str, *, actions: str = "*") -> list[View]:
    """Return the views of some subjects and actions.

    Args:
        data: The data set.
        subjects: Names or patterns such as "Train/*", separated by commas.
        actions: Beginnings of names, separated by commas; "*" for all.

    Raises:
        InputError: A name fits nothing.
    """
    names = [name for name in subjects.split(",") if name]
    starts = [] if actions == "*" else actions.split(",")
    views: list[View] = []
    for name in names:
        fitting = [view for view in data.views if fnmatchcase(view.subject, name)]
        if not fitting:
            known = ", ".join(sorted({view.subject for view in data.views}))
            raise InputError(f"No subject fits {name!r}", hint=f"Subjects: {known}.")
        views += [view for view in fitting if not any(view is other for other in views)]
    kept = [view for view in views if not starts or view.action.startswith(tuple(starts))]
    if names and not kept:
        raise InputError(f"No action begins with {actions!r}", hint="Actions are named as in the data set.")
    return kept


def subset_views(views: list[View], *, fraction: float = 1.0, step: int = 1) -> list[View]:
    """Keep a part of each view, see ``subset_slice``; views of which nothing is left are dropped."""
    kept: list[View] = []
    for view in views:
        frames = subset_slice(len(view.keypoints), fraction=fraction, step=step)
        part = replace(
            view,
            keypoints=view.keypoints[frames],
            positions=None if view.positions is None else view.positions[frames],
        )
        if len(part.keypoints):
            kept.append(part)
    return kept
