# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a scene that suit a capture: only for scenes that nobody has set up, or on request."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import bpy

from ..vp3d_core.motion import Motion
from ..vp3d_core.resample import scene_frames

__all__ = ["is_untouched", "scene_rate", "suit_scene"]

FACTORY_RESOLUTION = (1920, 1080, 100)
FACTORY_FRAMES = (1, 250)
TRUE_COLOURS = "Standard"


def scene_rate(scene: bpy.types.Scene) -> float:
    """Return a scene's frames per second."""
    return scene.render.fps / scene.render.fps_base


def is_untouched(scene: bpy.types.Scene) -> bool:
    """Return whether the file is new and nothing in it says how the scene is to be rendered."""
    render = scene.render
    return (
        not bpy.data.filepath
        and not bpy.data.actions
        and (render.resolution_x, render.resolution_y, render.resolution_percentage) == FACTORY_RESOLUTION
        and (scene.frame_start, scene.frame_end) == FACTORY_FRAMES
    )


def suit_scene(
    scene: bpy.types.Scene, motions: Sequence[Motion], *, first_frame: int, has_video: bool
) -> None:
    """Set a scene's resolution to the video's, its range to the motions', its colours to the video's.

    The frame rate stays: keys that are there already would play at another speed.
    """
    sizes = [motion.image_size for motion in motions if motion.image_size]
    if sizes:
        scene.render.resolution_x, scene.render.resolution_y = sizes[0]
        scene.render.resolution_percentage = 100
        scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1.0
    rate_hz = scene_rate(scene)
    spans = [scene_frames(motion, frames_per_second=rate_hz, first_frame=first_frame) for motion in motions]
    scene.frame_end = max(scene.frame_start, *(int(span[-1]) for span in spans))
    if has_video:
        with suppress(TypeError):  # a studio's own colour configuration may have no such view
            scene.view_settings.view_transform = TRUE_COLOURS
