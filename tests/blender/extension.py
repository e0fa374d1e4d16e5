# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension as a user has it: enabled from an extension repository, with preferences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import addon_utils
import bpy
import vp3d

REPOSITORY = "vp3d_tests"
EXTENSION = f"bl_ext.{REPOSITORY}.vp3d"


@contextmanager
def enabled_extension() -> Iterator[bpy.types.AddonPreferences]:
    """Enable the extension, give its preferences, and disable it again."""
    _ensure_repository()
    module = addon_utils.enable(EXTENSION, default_set=True)
    assert module is not None, "see the traceback above"
    try:
        yield bpy.context.preferences.addons[EXTENSION].preferences
    finally:
        addon_utils.disable(EXTENSION, default_set=True)


def _ensure_repository() -> None:
    """Make the folder that holds the linked checkout a repository: a real Blender has read its own before."""
    repositories = bpy.context.preferences.extensions.repos
    if REPOSITORY not in [each.module for each in repositories]:
        folder = str(Path(vp3d.__path__[0]).parent)
        repositories.new(name=REPOSITORY, module=REPOSITORY, custom_directory=folder)
