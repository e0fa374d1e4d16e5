# SPDX-License-Identifier: GPL-3.0-or-later
"""What the extension is called, where it lies, and where it may write."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..vp3d_core.installer.cli import CHECKOUT
from ..vp3d_core.user_folders import data_folder

__all__ = ["EXTENSION_FOLDER", "ROOT_PACKAGE", "default_jobs_folder", "first_window", "redraw"]

ROOT_PACKAGE = __name__.rpartition(".addon.")[0]  # "bl_ext.user_default.vp3d" when it is installed
EXTENSION_FOLDER = CHECKOUT  # holds vp3d_core and requirements


def default_jobs_folder() -> Path:
    """Return where captures are kept unless the user chose another folder."""
    try:
        return Path(bpy.utils.extension_path_user(ROOT_PACKAGE, path="captures"))
    except ValueError:  # not installed as an extension: a development checkout, or tests
        return data_folder() / "captures"


def first_window() -> bpy.types.Window | None:
    """Return a window to act in when there is none in the context, as in timers; None under -b."""
    windows = bpy.context.window_manager.windows
    return windows[0] if len(windows) else None


def redraw() -> None:
    """Have the panels, the preferences and the status bar drawn again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
            elif area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
        if not len(window.modal_operators):  # they tell there which keys to press
            # Blender 5.2 crashes without a window in the context, as in a timer after a file was loaded.
            with bpy.context.temp_override(window=window):
                window.workspace.status_text_set_internal(None)
