# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension as a user has it: enabled from the extensions folder, with preferences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import addon_utils
import bpy

EXTENSION = "bl_ext.user_default.vp3d"


@contextmanager
def enabled_extension() -> Iterator[bpy.types.AddonPreferences]:
    """Enable the extension, give its preferences, and disable it again."""
    module = addon_utils.enable(EXTENSION, default_set=True)
    assert module is not None, "see the traceback above"
    try:
        yield bpy.context.preferences.addons[EXTENSION].preferences
    finally:
        addon_utils.disable(EXTENSION, default_set=True)
