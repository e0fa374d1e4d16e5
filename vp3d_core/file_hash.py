# SPDX-License-Identifier: GPL-3.0-or-later
"""The sha256 of a file. Standard library only."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["file_sha256"]

BLOCK_BYTES = 1 << 20


def file_sha256(path: Path) -> str:
    """Return a file's sha256 in hexadecimal; OSError when it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
