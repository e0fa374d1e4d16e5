# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that panels show: frames of the preview, people who were found."""

from __future__ import annotations

from pathlib import Path

import bpy
import bpy.utils.previews

__all__ = ["clear", "icon_of", "load", "register", "unregister"]

# Blender wants these freed by hand. Files and undo have no part in them.
_collections: dict[str, bpy.utils.previews.ImagePreviewCollection] = {}


def icon_of(name: str) -> int:
    """Return the icon of a picture, 0 when it was not loaded."""
    previews = _collections.get("pictures")
    if previews is None or name not in previews:
        return 0
    return previews[name].icon_id


def load(name: str, path: Path) -> None:
    """Load a picture from a file, in place of an earlier one of that name."""
    previews = _collections["pictures"]
    if name in previews:
        del previews[name]
    previews.load(name, str(path), "IMAGE")


def clear(prefix: str) -> None:
    """Forget the pictures whose names start with a prefix."""
    previews = _collections["pictures"]
    for name in [name for name in previews if name.startswith(prefix)]:
        del previews[name]


def register() -> None:
    """Make room for pictures."""
    _collections["pictures"] = bpy.utils.previews.new()


def unregister() -> None:
    """Free them."""
    bpy.utils.previews.remove(_collections.pop("pictures"))
