# SPDX-License-Identifier: GPL-3.0-or-later
"""Have Blender evaluate an armature that is hidden, excluded, elsewhere or shown in its rest position."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

__all__ = ["shown"]


@contextmanager
def shown(armature_object: bpy.types.Object, context: bpy.types.Context) -> Iterator[None]:
    """Let an armature object be evaluated with its pose in this block; afterwards everything is as it was."""
    position = armature_object.data.pose_position
    visible = armature_object.visible_get(view_layer=context.view_layer)
    if visible and position == "POSE":
        yield
        return
    hidden = armature_object.hide_viewport
    staging = bpy.data.collections.new("VP3D")
    context.scene.collection.children.link(staging)
    staging.objects.link(armature_object)
    armature_object.hide_viewport = False
    armature_object.data.pose_position = "POSE"
    context.view_layer.update()
    unseen = armature_object.hide_get(view_layer=context.view_layer)
    armature_object.hide_set(False, view_layer=context.view_layer)
    context.view_layer.update()
    try:
        yield
    finally:
        armature_object.hide_set(unseen, view_layer=context.view_layer)
        armature_object.hide_viewport = hidden
        armature_object.data.pose_position = position
        bpy.data.collections.remove(staging)
        context.view_layer.update()
