# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion files: ``.npz``, format "vp3d.motion", version 1, read without pickle.

Arrays: format, version, names, parents, rest_offsets, root_positions, rotations, contacts, confidence,
frame_rate_hz, start_time_s, meta (JSON text) and, when there is a camera, camera_intrinsics,
camera_distortion (or absent), camera_world_from_camera; image_size when it is known.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .arrays import Array
from .camera import Camera
from .errors import MotionFormatError
from .motion import Motion, MotionSkeleton
from .npz_writing import write_npz
from .output_file import replaced_when_done

__all__ = ["FORMAT", "VERSION", "load", "save"]

FORMAT = "vp3d.motion"
VERSION = 1

# What numpy and zipfile raise on files that are damaged, encrypted or something else altogether.
_BROKEN = (
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    EOFError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)

SHARE_TOLERANCE = 1e-5  # by which float32 may round contacts and confidence out of [0, 1]

_Arrays = dict[str, npt.NDArray[np.generic]]


def save(path: Path | str, motion: Motion) -> None:
    """Write a motion to an ``.npz`` file; an existing file is replaced whole or not at all.

    Args:
        path: The file to write.
        motion: What to write; ``motion.meta`` must hold plain JSON values.

    Raises:
        OutputError: when the file cannot be written.
        TypeError: when ``motion.meta`` does not fit in JSON.
        ValueError: when names repeat, or contacts or confidence are outside [0, 1]: ``load`` takes neither.
    """
    _check_names_and_shares(motion)
    arrays: _Arrays = {
        "format": np.array(FORMAT),
        "version": np.array(VERSION),
        "names": np.array(motion.skeleton.names),
        "parents": np.array(motion.skeleton.parents, dtype=np.int32),
        "rest_offsets": motion.skeleton.rest_offsets,
        "root_positions": motion.root_positions,
        "rotations": motion.rotations,
        "contacts": motion.contacts,
        "confidence": motion.confidence,
        "frame_rate_hz": np.array(motion.frame_rate_hz, dtype=np.float64),
        "start_time_s": np.array(motion.start_time_s, dtype=np.float64),
        "meta": np.array(json.dumps(motion.meta, ensure_ascii=False)),
    }
    if motion.camera is not None:
        arrays["camera_intrinsics"] = motion.camera.intrinsics
        arrays["camera_world_from_camera"] = motion.camera.world_from_camera
        if motion.camera.distortion is not None:
            arrays["camera_distortion"] = motion.camera.distortion
    if motion.image_size is not None:
        arrays["image_size"] = np.array(motion.image_size, dtype=np.int64)
    with replaced_when_done(Path(path)) as temporary, temporary.open("wb") as stream:
        write_npz(stream, arrays)


def load(path: Path | str) -> Motion:
    """Read a motion file.

    Args:
        path: An ``.npz`` file that ``save`` wrote.

    Raises:
        MotionFormatError: when the file is missing, broken, of another format or of an unknown version.
    """
    path = Path(path)
    try:
        # numpy leaves a file open that it opened itself and could not read.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays: _Arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise MotionFormatError(
            f"{path} was not found", hint="Give the path of a motion .npz file."
        ) from error
    except _BROKEN as error:
        raise MotionFormatError(
            f"{path} is no whole motion file: {error}", hint="Capture it again, or use another copy."
        ) from error
    _check_version(path, arrays)
    try:
        motion = _motion_from_arrays(arrays)
        _check_names_and_shares(motion)
    except (KeyError, ValueError, TypeError, IndexError, RecursionError) as error:
        detail = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise MotionFormatError(
            f"{path} is no valid motion file: {detail}", hint="Capture it again, or use another copy."
        ) from error
    return motion


def _check_version(path: Path, arrays: _Arrays) -> None:
    if "format" not in arrays or str(arrays["format"]) != FORMAT:
        found = str(arrays["format"]) if "format" in arrays else "no format name"
        raise MotionFormatError(f"{path} holds {found[:60]!r}, expected {FORMAT!r}")
    found = str(arrays.get("version", "none"))
    if found != str(VERSION):
        raise MotionFormatError(
            f"{path} is version {found[:60]} of {FORMAT}, this program reads version {VERSION}",
            hint="Use the program's version that wrote it, or capture again.",
        )


def _motion_from_arrays(arrays: _Arrays) -> Motion:
    camera = None
    if "camera_intrinsics" in arrays:
        distortion = _floats(arrays, "camera_distortion") if "camera_distortion" in arrays else None
        camera = Camera(
            _floats(arrays, "camera_intrinsics"), distortion, _floats(arrays, "camera_world_from_camera")
        )
    image_size = None
    if "image_size" in arrays:
        width, height = _integers(arrays, "image_size")
        image_size = (width, height)
    meta = json.loads(str(arrays["meta"]))
    if not isinstance(meta, dict):
        raise ValueError("meta is no JSON object")
    skeleton = MotionSkeleton(
        tuple(str(name) for name in arrays["names"].tolist()),
        _integers(arrays, "parents"),
        _floats(arrays, "rest_offsets"),
    )
    return Motion(
        skeleton,
        _floats(arrays, "root_positions"),
        _floats(arrays, "rotations"),
        _floats(arrays, "contacts"),
        _floats(arrays, "confidence"),
        frame_rate_hz=float(arrays["frame_rate_hz"]),  # type: ignore[arg-type]
        start_time_s=float(arrays["start_time_s"]),  # type: ignore[arg-type]
        camera=camera,
        image_size=image_size,
        meta=meta,
    )


def _floats(arrays: _Arrays, name: str) -> Array:
    array = arrays[name]
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{name} has dtype {array.dtype}, expected floating point")
    return array  # type: ignore[return-value]


def _integers(arrays: _Arrays, name: str) -> tuple[int, ...]:
    array = arrays[name]
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} has dtype {array.dtype}, expected integers")
    return tuple(array.tolist())


def _check_names_and_shares(motion: Motion) -> None:
    """Raise ValueError unless names are distinct, and contacts and confidence in [0, 1].

    Other motions may differ: BVH files repeat names, and curves edited in Blender overshoot.
    """
    names = motion.skeleton.names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"the names {', '.join(repeated[:6])} come more than once, expected distinct ones")
    for name, values in (("contacts", motion.contacts), ("confidence", motion.confidence)):
        least, most = values.min(initial=0.0), values.max(initial=1.0)
        if least < -SHARE_TOLERANCE or most > 1.0 + SHARE_TOLERANCE:
            raise ValueError(f"{name} reaches from {least:g} to {most:g}, expected 0 to 1")
