# SPDX-License-Identifier: GPL-3.0-or-later
"""Values between the stages of a capture, kept on disk and named for what they were made from.

A key is a hash of a stage's inputs; the key of a stage goes into the key of the next. So a stage is done
again only when something it depends on has changed. Files are written under a temporary name first.
Each source has a folder of its own, so that a capture that replaces one of another source and fails leaves
that one's values alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..file_hash import file_sha256
from ..npz_writing import write_npz
from ..output_file import replaced_when_done
from .output_folder import make_folder

__all__ = [
    "Arrays",
    "StageStore",
    "StoredArray",
    "code_key",
    "folder_of_source",
    "forget_other_sources",
    "is_known_source",
    "make_key",
    "source_sha256",
]

StoredArray: TypeAlias = npt.NDArray[Any]  # the dtype is known when it is unpacked
Arrays: TypeAlias = Mapping[str, StoredArray]

SOURCE_NAME = "source.json"

log = logging.getLogger(__name__)


def make_key(*parts: object) -> str:
    """Return a short hash of plain JSON values."""
    text = json.dumps(parts, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def code_key() -> str:
    """Return a hash of this package's source, so that a changed program does not reuse old values.

    Detections, which take longest, are kept: the detector's ``model_id`` names what made them.
    """
    digest = hashlib.sha256()
    package = Path(__file__).resolve().parent.parent
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def source_sha256(path: Path, *, folder: Path | None) -> str:
    """Return the sha256 of a file, or of all the files in a folder.

    Args:
        path: The file or folder.
        folder: Where the hash of a file is remembered with its size and time of change, or None.

    Raises:
        OSError: If it cannot be read.
    """
    if path.is_dir():
        inner = [(str(p.relative_to(path)), file_sha256(p)) for p in sorted(path.rglob("*")) if p.is_file()]
        return hashlib.sha256(json.dumps(inner).encode()).hexdigest()
    known = _remembered(folder)
    if known is not None and known["stamp"] == _stamp(path):
        return str(known["sha256"])
    sha256 = file_sha256(path)
    if folder is not None:
        make_folder(folder)
        with replaced_when_done(folder / SOURCE_NAME) as temporary:
            temporary.write_text(json.dumps({"stamp": _stamp(path), "sha256": sha256}), encoding="utf-8")
    return sha256


def folder_of_source(folder: Path, sha256: str) -> Path:
    """Return where the values of one source are kept within the folder of all."""
    return folder / sha256[:16]


def is_known_source(path: Path, *, folder: Path) -> bool:
    """Return whether a folder remembers a file or has values of it; also when it remembers none."""
    known = _remembered(folder)
    if known is None or known["stamp"] == _stamp(path):
        return True
    sha256 = file_sha256(path)
    return known["sha256"] == sha256 or folder_of_source(folder, sha256).is_dir()


def forget_other_sources(path: Path, *, folder: Path) -> None:
    """Remove the values of all sources but one from a folder."""
    keep = (folder / SOURCE_NAME, folder_of_source(folder, source_sha256(path, folder=folder)))
    for other in folder.iterdir():
        if other.is_dir() and other not in keep:
            shutil.rmtree(other, ignore_errors=True)
        elif other not in keep:  # of a version that kept all in one folder
            with contextlib.suppress(OSError):  # what stays takes room, no more
                other.unlink()


def _remembered(folder: Path | None) -> dict[str, object] | None:
    if folder is None:
        return None
    try:
        known = json.loads((folder / SOURCE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # never known, or half written: it is hashed again
    return known if isinstance(known, dict) and {"stamp", "sha256"} <= set(known) else None


def _stamp(path: Path) -> dict[str, object]:
    status = path.stat()
    return {"path": str(path.resolve()), "size": status.st_size, "mtime_ns": status.st_mtime_ns}


class StageStore:
    """The stages' values in one folder.

    Args:
        folder: Made when the first value is saved; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def load(self, stage: str, key: str) -> dict[str, StoredArray] | None:
        """Return the arrays saved under a stage and key, or None when there are none that can be read."""
        if self.folder is None:
            return None
        path = self.folder / f"{stage}-{key}.npz"
        try:
            # NumPy 2 leaves a broken archive open that it has opened itself.
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            log.warning("%s cannot be read and is made again: %s", path, error)
            return None

    def save(self, stage: str, key: str, arrays: Arrays) -> None:
        """Save arrays under a stage and key.

        Raises:
            OutputError: If they cannot be written.
        """
        if self.folder is None:
            return
        path = self.folder / f"{stage}-{key}.npz"
        make_folder(self.folder)
        with replaced_when_done(path) as temporary, temporary.open("wb") as stream:
            write_npz(stream, arrays)
