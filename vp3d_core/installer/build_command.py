# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the extension's zip: what ``install.py build`` does. Standard library only, no Blender needed.

The same checkout gives the same bytes: names are sorted, times and permissions fixed. What is left out
says the manifest's ``paths_exclude_pattern``, in the part of .gitignore's language that Blender's own build
and this one read alike: "/" at the start for the top folder only, "/" at the end for folders only, and
*, ? and [] inside a name.
"""

from __future__ import annotations

import ast
import fnmatch
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import InputError, OutputError

__all__ = ["build_zip", "excluded", "read_manifest"]

MANIFEST = "blender_manifest.toml"
FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold
FIXED_MODE = 0o100644
NEEDED = ("__init__.py", "install.py", "requirements/worker.txt", "vp3d_core/job.py", "LICENSE")


def build_zip(checkout: Path, out_dir: Path) -> Path:
    """Write the extension's zip and return its path.

    Args:
        checkout: Folder with the manifest.
        out_dir: Made when it is missing.

    Raises:
        InputError: The checkout lacks something.
        OutputError: The zip cannot be written.
    """
    version, patterns = read_manifest(checkout / MANIFEST)
    names = sorted(_kept_files(checkout, patterns))
    missing = [name for name in (*NEEDED, MANIFEST) if name not in names]
    if missing or not any(name.startswith("vp3d_core/weights/") for name in names):
        raise InputError(
            f"{checkout} lacks {', '.join(missing) or 'the weights in vp3d_core/weights'}",
            hint="Take a complete copy of VP3D, and look at paths_exclude_pattern in the manifest.",
        )
    target = out_dir / f"vp3d-{version}.zip"
    temporary = target.with_name(target.name + ".part")
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name in names:
                entry = zipfile.ZipInfo(name, FIXED_TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3  # Unix, on every system
                entry.external_attr = FIXED_MODE << 16
                archive.writestr(entry, (checkout / name).read_bytes(), compresslevel=9)
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written: {error.strerror}", hint="Check the folder."
        ) from error
    return target


def read_manifest(path: Path) -> tuple[str, list[str]]:
    """Return version and exclude patterns; read by hand, as Python 3.9 and 3.10 have no TOML reader.

    Raises:
        InputError: It is missing, or has none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", hint="Take a complete copy of VP3D."
        ) from error
    version = re.search(r'^version = "([^"]+)"$', text, re.MULTILINE)
    patterns = re.search(r"^paths_exclude_pattern = (\[.*?^\])", text, re.MULTILINE | re.DOTALL)
    if version is None or patterns is None:
        raise InputError(
            f"{path} has no version or no paths_exclude_pattern", hint="Take an unchanged copy of VP3D."
        )
    return version[1], [str(pattern) for pattern in ast.literal_eval(patterns[1])]


def excluded(name: str, patterns: Sequence[str], *, is_folder: bool) -> bool:
    """Return whether a path is left out of the zip.

    Args:
        name: Relative to the checkout, with forward slashes.
        patterns: The manifest's.
        is_folder: Whether it is a folder.
    """
    return any(_matches(name, pattern, is_folder=is_folder) for pattern in patterns)


def _matches(name: str, pattern: str, *, is_folder: bool) -> bool:
    if pattern.startswith("!") or "**" in pattern:
        raise ValueError(f"{pattern!r} is beyond what this build reads: no ! and no **")
    if pattern.endswith("/") and not is_folder:
        return False
    parts, wanted = name.split("/"), pattern.strip("/").split("/")
    if len(wanted) > len(parts) or (pattern.startswith("/") and len(wanted) != len(parts)):
        return False
    last = parts[-len(wanted) :]
    return all(fnmatch.fnmatchcase(part, glob) for part, glob in zip(last, wanted))  # noqa: B905  3.9


def _kept_files(checkout: Path, patterns: Sequence[str]) -> Iterator[str]:
    for folder, folders, files in os.walk(checkout):
        base = Path(folder).relative_to(checkout)
        folders[:] = [
            name for name in folders if not excluded((base / name).as_posix(), patterns, is_folder=True)
        ]
        for name in files:
            path = (base / name).as_posix()
            if not excluded(path, patterns, is_folder=False):
                yield path
