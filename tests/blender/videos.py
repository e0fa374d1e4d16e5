# SPDX-License-Identifier: GPL-3.0-or-later
"""Small videos, written by Blender's own sequencer."""

from __future__ import annotations

import struct
from pathlib import Path

import bpy

FIXED_ONE = 65536  # 1.0 in the fixed-point numbers of a track header
MATRICES = {
    90: (0, FIXED_ONE, 0, -FIXED_ONE, 0, 0),
    180: (-FIXED_ONE, 0, 0, 0, -FIXED_ONE, 0),
    270: (0, -FIXED_ONE, 0, FIXED_ONE, 0, 0),
}


def write_video(
    path: Path, *, size: tuple[int, int], fps: int, num_frames: int, rotation_deg: int = 0
) -> Path:
    """Write an MP4 of one colour.

    Args:
        path: Ends in .mp4.
        size: (width, height) px as stored.
        fps: Frames per second.
        num_frames: Its length.
        rotation_deg: Clockwise turn that players are told to make.
    """
    scene = bpy.data.scenes.new("Video")
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    length = {"length": num_frames} if bpy.app.version >= (5, 0, 0) else {"frame_end": num_frames + 1}
    strip = strips.new_effect("Colour", "COLOR", channel=1, frame_start=1, **length)
    strip.color = (0.8, 0.4, 0.1)
    scene.frame_start, scene.frame_end = 1, num_frames
    render = scene.render
    render.resolution_x, render.resolution_y = size
    render.fps = fps
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.use_file_extension = False
    render.filepath = str(path)
    bpy.ops.render.render(animation=True, scene=scene.name)
    bpy.data.scenes.remove(scene)
    if rotation_deg:
        _tell_to_turn(path, rotation_deg)
    return path


def _tell_to_turn(path: Path, rotation_deg: int) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40
    struct.pack_into(">6i", content, at, *MATRICES[rotation_deg])
    path.write_bytes(content)
