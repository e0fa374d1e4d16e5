# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between Blender 4.2 and 5.2, as facts. No other file asks for the version."""

from __future__ import annotations

import bpy

__all__ = ["BRIGHT_COLOURS_FIT", "GROUP_ARGUMENT", "SLOTTED_ACTIONS", "TURNS_VIDEOS"]

# Actions have slots and layers; action.fcurves went away in 5.0.
SLOTTED_ACTIONS = bpy.app.version >= (4, 4, 0)
# Action.fcurve_ensure_for_datablock takes the name of the group.
GROUP_ARGUMENT = bpy.app.version >= (5, 0, 0)
# Videos are shown upright as their file says; before, as they are stored.
TURNS_VIDEOS = bpy.app.version >= (4, 5, 0)
# A clip's colours may be brighter than white, as those are that AgX shows as white; before, they are cut off.
BRIGHT_COLOURS_FIT = bpy.app.version >= (5, 0, 0)
