# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about an error, in Blender's words: the core's hints speak of the command line."""

from __future__ import annotations

import re

__all__ = ["hint_in_blender"]

COMMAND_LINE = re.compile(r"install\.py|(^|\s)--?\w")
HINTS = {
    "cancelled": "What is done is kept: Resume goes on from there.",
    "worker_missing": "Install the worker: Preferences, Add-ons, VP3D.",
    "protocol": "Update the worker: Preferences, Add-ons, VP3D.",
    "weights_missing": "Download or import them: Preferences, Add-ons, VP3D.",
    "weights_corrupt": "Download or import them again: Preferences, Add-ons, VP3D.",
    "device_memory": "Close other programs, or choose the CPU: Preferences, Add-ons, VP3D, Device.",
}


def hint_in_blender(code: str, hint: str) -> str:
    """Return a hint, or one for Blender in place of one that speaks of the command line.

    Args:
        code: Of the error, see ``vp3d_core.errors``.
        hint: The core's.
    """
    return HINTS.get(code, hint) if COMMAND_LINE.search(hint) else hint
