# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera that filmed a motion, with the video behind everything it sees.

In Blender a video plays one frame a scene frame, whatever the rates. Where they differ, the start of the clip
is keyed so that each scene frame shows the video of its time.
"""

from __future__ import annotations

import logging
from pathlib import Path

import bpy
import numpy as np

from ..vp3d_core.arrays import Array
from ..vp3d_core.errors import VideoReadError
from ..vp3d_core.lens import SENSOR_MM, blender_places, lens_of
from ..vp3d_core.motion import Motion
from ..vp3d_core.rotations import quat_from_matrix
from .blender_version import BRIGHT_COLOURS_FIT
from .fcurves import new_action, rotation_channel, write_channels, write_steps
from .scene_settings import scene_rate
from .video_rotation import turn_background

__all__ = ["add_video", "build_camera", "fit_lens", "frame_aspect", "keep_colours", "video_of_frames"]

# The colour space whose pictures a view transform shows as they are.
COLORSPACE_OF_VIEW = {
    "Filmic": "Filmic sRGB",
    "AgX": "AgX Base sRGB",
    "Khronos PBR Neutral": "Khronos PBR Neutral sRGB",
}
_log = logging.getLogger(__name__)


def build_camera(
    motion: Motion,
    *,
    name: str,
    aspect: float,
    collection: bpy.types.Collection,
    frames: Array,
) -> bpy.types.Object:
    """Make the camera that filmed a motion; it sees the picture as large as the scene's frame allows.

    Args:
        motion: With camera and image size; a moving camera has T places.
        name: Of the object and its data.
        aspect: Width by height of what the scene renders; see ``frame_aspect``.
        collection: Receives the camera.
        frames: (T,) scene frames of the motion.
    """
    if motion.camera is None or motion.image_size is None:
        raise ValueError("the motion has no camera")
    camera = bpy.data.cameras.new(name)
    camera_object = bpy.data.objects.new(name, camera)
    collection.objects.link(camera_object)
    fit_lens(camera, motion, aspect=aspect)
    camera.clip_start, camera.clip_end = 0.01, 1000.0
    camera_object.rotation_mode = "QUATERNION"
    places = blender_places(motion.camera.world_from_camera)
    if places.ndim == 2:
        camera_object.location = places[:3, 3]
        camera_object.rotation_quaternion = quat_from_matrix(places[:3, :3])
    else:
        _key_places(camera_object, places, frames)
    return camera_object


def fit_lens(camera: bpy.types.Camera, motion: Motion, *, aspect: float) -> None:
    """Set lens and shift so that the picture of a motion's camera fills a frame as far as it can."""
    assert motion.camera is not None
    assert motion.image_size is not None
    lens = lens_of(motion.camera.intrinsics, image_size=motion.image_size, frame_aspect=aspect)
    camera.type = "PERSP"
    camera.sensor_fit = lens.sensor_fit
    camera.sensor_width = camera.sensor_height = SENSOR_MM
    camera.lens_unit = "MILLIMETERS"
    camera.lens = lens.focal_mm
    camera.shift_x, camera.shift_y = lens.shift_x, lens.shift_y


def frame_aspect(scene: bpy.types.Scene) -> float:
    """Return width by height of what a scene renders."""
    render = scene.render
    return (render.resolution_x * render.pixel_aspect_x) / (render.resolution_y * render.pixel_aspect_y)


def add_video(
    camera_object: bpy.types.Object,
    video: Path,
    *,
    scene: bpy.types.Scene,
    motion: Motion,
    first_frame: int,
    aspect: float,
    alpha: float = 1.0,
) -> bpy.types.MovieClip:
    """Show a video behind what a camera sees, each frame at its time.

    Args:
        camera_object: From ``build_camera``.
        video: The file; it is referred to, not copied.
        scene: Its rate is met, and not changed.
        motion: For the size of the picture and the distortion of the lens.
        first_frame: Scene frame on which the video starts.
        aspect: Width by height of what the scene renders.
        alpha: Of the picture, 0 to 1.

    Raises:
        VideoReadError: Blender cannot open the file.
    """
    clip = _load_clip(video)
    camera = camera_object.data
    camera.show_background_images = True
    background = camera.background_images.new()
    background.source = "MOVIE_CLIP"
    background.clip = clip
    background.alpha = alpha
    background.display_depth = "BACK"
    background.frame_method = "FIT"
    _straighten(background, clip, motion)
    turn_background(background, clip, video, frame_aspect=aspect)
    _keep_time(clip, scene, first_frame=first_frame)  # last: outside its time a clip has no size
    return clip


def video_of_frames(frames: Array, *, clip_rate_hz: float, scene_rate_hz: float, first_frame: int) -> Array:
    """Return which frame of the video (T,), from 0, is shown on each scene frame (T,)."""
    return np.floor((frames - first_frame) * clip_rate_hz / scene_rate_hz + 0.5)


def _key_places(camera_object: bpy.types.Object, places: Array, frames: Array) -> None:
    channel, turns = rotation_channel(camera_object, quat_from_matrix(places[:, :3, :3]))
    with new_action(camera_object, f"{camera_object.name} path") as action:
        group = "Object Transforms"
        values = {"location": (group, places[:, :3, 3]), channel: (group, turns)}
        write_channels(camera_object, action, frames, values)


def _load_clip(video: Path) -> bpy.types.MovieClip:
    try:
        clip = bpy.data.movieclips.load(str(video))
    except RuntimeError as error:
        raise VideoReadError(
            f"Blender cannot open {video} as a video", hint="Check that the file is still there."
        ) from error
    if not clip.frame_duration or not all(clip.size):
        bpy.data.movieclips.remove(clip)
        raise VideoReadError(
            f"Blender finds no pictures in {video}", hint="Convert it to H.264 in an .mp4 file."
        )
    return clip


def keep_colours(clip: bpy.types.MovieClip, scene: bpy.types.Scene) -> None:
    """Make the video look as in a player: view transforms such as AgX are made for renders and grey it."""
    if not BRIGHT_COLOURS_FIT:
        return
    wanted = COLORSPACE_OF_VIEW.get(scene.view_settings.view_transform)
    known = clip.colorspace_settings.bl_rna.properties["name"].enum_items
    if wanted is not None and wanted in known:
        clip.colorspace_settings.name = wanted


def _keep_time(clip: bpy.types.MovieClip, scene: bpy.types.Scene, *, first_frame: int) -> None:
    clip.frame_start = first_frame
    clip_rate_hz, scene_rate_hz = float(clip.fps), scene_rate(scene)
    if abs(clip_rate_hz / scene_rate_hz - 1.0) * clip.frame_duration < 0.5:
        return
    count = int(np.ceil(clip.frame_duration * scene_rate_hz / clip_rate_hz))
    frames = first_frame + np.arange(count + 1, dtype=np.float64)
    shown = video_of_frames(
        frames, clip_rate_hz=clip_rate_hz, scene_rate_hz=scene_rate_hz, first_frame=first_frame
    )
    with new_action(clip, f"{clip.name} at {scene_rate_hz:g} fps") as action:
        write_steps(clip, action, frames, path="frame_start", values=frames - shown)


def _straighten(
    background: bpy.types.CameraBackgroundImage, clip: bpy.types.MovieClip, motion: Motion
) -> None:
    """Take the lens's distortion out of the video, as Blender's camera has none."""
    if motion.camera is None or motion.camera.distortion is None or motion.image_size is None:
        return
    if tuple(clip.size) != motion.image_size:
        _log.warning("The video is shown with its distortion: Blender reads it in another size")
        return
    lens = clip.tracking.camera
    intrinsics = motion.camera.intrinsics
    lens.pixel_aspect = 1.0
    lens.sensor_width = SENSOR_MM
    lens.focal_length_pixels = float(np.sqrt(intrinsics[0, 0] * intrinsics[1, 1]))
    lens.principal_point_pixels = (
        float(intrinsics[0, 2]) + 0.5, motion.image_size[1] - (float(intrinsics[1, 2]) + 0.5)
    )  # fmt: skip
    lens.distortion_model = "BROWN"
    k1, k2, p1, p2, k3 = (float(value) for value in motion.camera.distortion)
    lens.brown_k1, lens.brown_k2, lens.brown_k3, lens.brown_k4 = k1, k2, k3, 0.0
    lens.brown_p1, lens.brown_p2 = p1, p2
    background.clip_user.use_render_undistorted = True
