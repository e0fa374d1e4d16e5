# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera, the light and the film: from a posed scene in Blender to an mp4."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
from mathutils import Matrix

if TYPE_CHECKING:
    from vp3d_core.arrays import Array
    from vp3d_core.camera import Camera

    from .scene import SceneDescription

__all__ = ["light_scene", "place_camera", "render_video"]

SENSOR_MM = 36.0
BLUR_STEPS = 5  # pictures averaged for one blurred frame where the engine has no blur of its own
SUN_RAD = (np.radians(30.0), np.radians(-40.0))  # tilt towards the camera's side, and to its left
SKY = {"room": (0.86, 0.85, 0.83), "yard": (0.62, 0.76, 0.92)}
EXPOSURE = {"workbench": 0.35, "cycles": 0.0}  # stops


def place_camera(camera: Camera, *, image_size: tuple[int, int], first_frame: int) -> bpy.types.Object:
    """Make the scene's camera and key its place in every frame."""
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width = "HORIZONTAL", SENSOR_MM
    data.lens = float(camera.intrinsics[0, 0]) * SENSOR_MM / image_size[0]
    data.clip_start, data.clip_end = 0.05, 200.0
    filmed_by = bpy.data.objects.new("camera", data)
    filmed_by.rotation_mode = "QUATERNION"
    scene = bpy.context.scene
    scene.collection.objects.link(filmed_by)
    scene.camera = filmed_by
    still = bool(np.ptp(camera.world_from_camera, axis=0).max() < 1e-9)
    for t, place in enumerate(camera.world_from_camera[:1] if still else camera.world_from_camera):
        filmed_by.matrix_world = Matrix((place @ np.diag([1.0, -1.0, -1.0, 1.0])).tolist())
        filmed_by.keyframe_insert("location", frame=first_frame + t)
        filmed_by.keyframe_insert("rotation_quaternion", frame=first_frame + t)
    return filmed_by


def light_scene(description: SceneDescription, *, turn_rad: float) -> None:
    """Set sun, sky and shading; the sun stands behind the camera, high on its left."""
    scene = bpy.context.scene
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle = 3.2, np.radians(4.0)
    shining = bpy.data.objects.new("sun", sun)
    shining.rotation_euler = (SUN_RAD[0], SUN_RAD[1], turn_rad)
    scene.collection.objects.link(shining)
    world = bpy.data.worlds.new("sky")
    world.color = SKY[description.place]
    if not world.use_nodes:
        world.use_nodes = True
    background = next(node for node in world.node_tree.nodes if node.type == "BACKGROUND")
    background.inputs["Color"].default_value = (*SKY[description.place], 1.0)
    background.inputs["Strength"].default_value = 0.8
    scene.world = world
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.exposure = EXPOSURE[description.engine]
    shading = scene.display.shading
    shading.light, shading.color_type, shading.studio_light = "STUDIO", "TEXTURE", "paint.sl"
    shading.show_shadows, shading.shadow_intensity = True, 0.55
    scene.display.shadow_focus = 0.5
    shading.show_cavity, shading.cavity_type = True, "WORLD"
    shading.show_specular_highlight = False
    bpy.context.view_layer.update()
    towards = shining.matrix_world.to_3x3().col[2]
    scene.display.light_direction = (towards[0], towards[2], -towards[1])
    scene.display.render_aa = "FXAA"  # a third of the time of five samples


def render_video(description: SceneDescription, path: Path, *, first_frame: int, num_frames: int) -> None:
    """Render the frames into an H.264 mp4."""
    scene = bpy.context.scene
    render = scene.render
    render.resolution_x, render.resolution_y = description.image_size
    render.resolution_percentage = 100
    render.fps, render.fps_base = description.frame_rate_hz, 1.0
    scene.frame_start, scene.frame_end = first_frame, first_frame + num_frames - 1
    if description.engine == "cycles":
        render.engine = "CYCLES"
        scene.cycles.samples, scene.cycles.use_denoising = description.samples, True
        scene.cycles.max_bounces, scene.cycles.seed = 3, description.seed
        render.use_persistent_data = True
        render.use_motion_blur = description.motion_blur > 0
        render.motion_blur_shutter = description.motion_blur
    else:
        render.engine = "BLENDER_WORKBENCH"
        if description.motion_blur > 0:
            _render_blurred(description.motion_blur, path, first_frame, num_frames)
            return
    _encode_to(path)
    bpy.ops.render.render(animation=True)


def _encode_to(path: Path) -> None:
    render = bpy.context.scene.render
    settings = render.image_settings
    if hasattr(settings, "media_type"):  # Blender 5.0
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.ffmpeg.constant_rate_factor = "MEDIUM"
    render.ffmpeg.audio_codec = "NONE"
    render.ffmpeg.gopsize = 24
    render.use_file_extension = False
    render.filepath = str(path)


def _render_blurred(shutter: float, path: Path, first_frame: int, num_frames: int) -> None:
    """Average several pictures of each frame's open time, then encode them."""
    scene = bpy.context.scene
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format, settings.compression = "PNG", 10
    scene.render.use_file_extension = True
    with tempfile.TemporaryDirectory() as folder:
        step = Path(folder) / "step.png"
        for frame in range(first_frame, first_frame + num_frames):
            total: Array | None = None
            for share in (np.arange(BLUR_STEPS) / (BLUR_STEPS - 1) - 0.5) * shutter:
                time = frame + share
                whole = int(np.floor(time))
                scene.frame_set(whole, subframe=float(time - whole))
                scene.render.filepath = str(step)
                bpy.ops.render.render(write_still=True)
                pixels = _pixels(step)
                total = pixels if total is None else total + pixels
            assert total is not None
            _write_picture(Path(folder) / f"frame_{frame:05d}.png", total / BLUR_STEPS)
        _encode_pictures(Path(folder), path, first_frame, num_frames)


def _pixels(path: Path) -> Array:
    image = bpy.data.images.load(str(path))
    pixels = np.empty(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels


def _write_picture(path: Path, pixels: Array) -> None:
    render = bpy.context.scene.render
    image = bpy.data.images.new("blurred", render.resolution_x, render.resolution_y)
    image.pixels.foreach_set(pixels)
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


def _encode_pictures(folder: Path, path: Path, first_frame: int, num_frames: int) -> None:
    scene = bpy.context.scene
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences  # before Blender 4.4
    first = f"frame_{first_frame:05d}.png"
    strip = strips.new_image("film", str(folder / first), channel=1, frame_start=first_frame)
    for frame in range(first_frame + 1, first_frame + num_frames):
        strip.elements.append(f"frame_{frame:05d}.png")
    strip.frame_final_duration = num_frames
    _encode_to(path)
    scene.view_settings.exposure = 0.0  # the pictures have it already
    scene.render.use_sequencer = True
    bpy.ops.render.render(animation=True)
