# SPDX-License-Identifier: GPL-3.0-or-later
"""Selecting what was made, as Blender's own operators do."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

__all__ = ["select_only"]


def select_only(objects: Sequence[bpy.types.Object], *, context: bpy.types.Context) -> None:
    """Select some objects and nothing else, and make the first active, as far as they are shown."""
    there = set(context.view_layer.objects)
    for ob in context.selected_objects:
        ob.select_set(False)
    shown = [ob for ob in objects if ob in there]
    for ob in shown:
        ob.select_set(True)
    if shown:
        context.view_layer.objects.active = shown[0]
