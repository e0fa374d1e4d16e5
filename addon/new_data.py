# SPDX-License-Identifier: GPL-3.0-or-later
"""All or nothing: data that was made before an error is taken out of the file again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

__all__ = ["removed_on_error"]

KINDS = ("objects", "armatures", "cameras", "actions", "collections", "movieclips")


@contextmanager
def removed_on_error() -> Iterator[None]:
    """Remove what was added to the file inside this block if the block raises."""
    # By pointer: names change, and data from libraries may have the same ones.
    before = {kind: {each.as_pointer() for each in getattr(bpy.data, kind)} for kind in KINDS}
    finished = False
    try:
        yield
        finished = True
    finally:
        if not finished:
            for kind in KINDS:
                collection = getattr(bpy.data, kind)
                for each in list(collection):
                    if each.as_pointer() not in before[kind]:
                        collection.remove(each)
