# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
from vp3d.addon.camera import add_video, build_camera, frame_aspect
from vp3d.addon.capture_import import import_motions
from vp3d.vp3d_core import motion_file
from vp3d.vp3d_core.camera import Camera
from vp3d.vp3d_core.display_matrix import display_rotation_deg

from tests.blender.motions import changed, walking
from tests.blender.videos import write_video

INTRINSICS = np.array([[900.0, 0.0, 700.0], [0.0, 900.0, 300.0], [0.0, 0.0, 1.0]])  # off the middle
SIZES = [(1280, 720), (1920, 1080), (640, 640), (500, 1000), (2000, 500)]


def pixels_in_scene(camera_object, points, *, image_size):
    """Project world points (N, 3) with Blender's camera to px of a picture that is fitted into the frame."""
    scene = bpy.context.scene
    width, height = image_size
    frame_x, frame_y = scene.render.resolution_x, scene.render.resolution_y
    scale = min(frame_x / width, frame_y / height)
    views = [world_to_camera_view(scene, camera_object, Vector(point)) for point in points]
    x = np.array([(view.x - 0.5) * frame_x / scale + width / 2 - 0.5 for view in views])
    y = np.array([(0.5 - view.y) * frame_y / scale + height / 2 - 0.5 for view in views])
    return np.stack([x, y], axis=-1)


def make_camera(motion):
    scene = bpy.context.scene
    frames = 1.0 + np.arange(len(motion.root_positions))
    return build_camera(
        motion, name="Camera", aspect=frame_aspect(scene), collection=scene.collection, frames=frames
    )


@pytest.mark.parametrize("image_size", [(1280, 720), (720, 1280)])
@pytest.mark.parametrize("resolution", SIZES)
def test_bones_lie_on_the_picture_at_any_shape_of_the_frame(image_size, resolution) -> None:
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = resolution
    motion = walking()
    motion = changed(
        motion, image_size=image_size, camera=Camera(INTRINSICS, None, motion.camera.world_from_camera)
    )
    camera_object = make_camera(motion)
    bpy.context.view_layer.update()
    expected = motion.camera.project_world_points(motion.joints_world())
    for frame in (0, 30, 59):
        found = pixels_in_scene(camera_object, motion.joints_world()[frame], image_size=image_size)
        np.testing.assert_allclose(found, expected[frame], atol=0.01)


def test_a_moving_camera_is_keyed(walking_motion) -> None:
    motion = walking()
    places = np.tile(motion.camera.world_from_camera, (60, 1, 1))
    places[:, :3, 3] += np.linspace(0.0, 1.0, 60)[:, None] * [0.5, 0.2, 0.1]
    motion = changed(motion, camera=Camera(motion.camera.intrinsics, None, places))
    camera_object = make_camera(motion)
    expected = motion.camera.project_world_points(motion.joints_world())
    for frame in (1, 25, 60):
        bpy.context.scene.frame_set(frame)
        found = pixels_in_scene(camera_object, motion.joints_world()[frame - 1], image_size=motion.image_size)
        np.testing.assert_allclose(found, expected[frame - 1], atol=0.1)


@pytest.mark.parametrize(("clip_fps", "scene_fps"), [(30, 30), (30, 24), (24, 60)])
def test_each_scene_frame_shows_the_video_of_its_time(tmp_path, clip_fps, scene_fps) -> None:
    video = write_video(tmp_path / "clip.mp4", size=(64, 36), fps=clip_fps, num_frames=40)
    scene = bpy.context.scene
    scene.render.fps = scene_fps
    motion = changed(walking(), image_size=(64, 36))
    camera_object = make_camera(motion)
    clip = add_video(camera_object, video, scene=scene, motion=motion, first_frame=11, aspect=64 / 36)
    for frame in (11, 12, 20, 11 + int(39 * scene_fps / clip_fps)):
        scene.frame_set(frame)
        bpy.context.view_layer.update()
        shown = frame - clip.evaluated_get(bpy.context.evaluated_depsgraph_get()).frame_start
        assert abs(shown / clip_fps - (frame - 11) / scene_fps) <= 0.51 / clip_fps
    assert scene.render.fps == scene_fps


def test_the_video_lies_behind_the_skeleton(tmp_path) -> None:
    path, video = (
        tmp_path / "motion.npz",
        write_video(tmp_path / "a.mp4", size=(64, 36), fps=30, num_frames=4),
    )
    motion_file.save(path, walking())
    made = import_motions([path], context=bpy.context, video=video)
    camera = made.camera.data
    assert camera.show_background_images
    background = camera.background_images[0]
    assert (background.clip, background.display_depth, background.frame_method) == (made.clip, "BACK", "FIT")
    assert background.clip.filepath == str(video)
    assert made.collection.name == "a"


def test_a_clip_of_the_users_is_left_alone(tmp_path) -> None:
    video = write_video(tmp_path / "a.mp4", size=(64, 36), fps=30, num_frames=4)
    mine = bpy.data.movieclips.load(str(video))
    mine.frame_start = 77
    motion = walking()
    clip = add_video(
        make_camera(motion), video, scene=bpy.context.scene, motion=motion, first_frame=1, aspect=1.0
    )
    assert clip != mine
    assert mine.frame_start == 77


@pytest.mark.parametrize("rotation_deg", [0, 90, 180, 270])
def test_a_turned_video_is_shown_upright(tmp_path, rotation_deg) -> None:
    """Blender turns it itself from 4.5 on; before, the background is turned, and fitted as it lies then."""
    video = write_video(tmp_path / "a.mp4", size=(64, 36), fps=30, num_frames=4, rotation_deg=rotation_deg)
    assert display_rotation_deg(video) == rotation_deg
    upright = (36, 64) if rotation_deg in (90, 270) else (64, 36)
    motion = changed(walking(), image_size=upright)
    camera_object = make_camera(motion)
    clip = add_video(
        camera_object, video, scene=bpy.context.scene, motion=motion, first_frame=1, aspect=16 / 9
    )
    background = camera_object.data.background_images[0]
    if tuple(clip.size) == upright and rotation_deg != 180:
        assert background.rotation == 0.0
        assert background.scale == 1.0
    else:
        assert bpy.app.version < (4, 5, 0) or rotation_deg == 180
    if bpy.app.version < (4, 5, 0) and rotation_deg in (90, 270):
        assert background.rotation == pytest.approx(np.radians(rotation_deg))
        # Fitted as stored it is as wide as the frame; upright it has to be as high as that was.
        assert background.scale == pytest.approx(36 / 64)


def test_a_lens_with_distortion_is_straightened(tmp_path) -> None:
    video = write_video(tmp_path / "a.mp4", size=(64, 36), fps=30, num_frames=4)
    motion = walking()
    distortion = np.array([-0.2, 0.05, 0.001, -0.002, 0.01])
    camera = Camera(motion.camera.intrinsics, distortion, motion.camera.world_from_camera)
    motion = changed(motion, camera=camera, image_size=(64, 36))
    camera_object = make_camera(motion)
    clip = add_video(
        camera_object, video, scene=bpy.context.scene, motion=motion, first_frame=1, aspect=16 / 9
    )
    assert camera_object.data.background_images[0].clip_user.use_render_undistorted
    lens = clip.tracking.camera
    assert lens.distortion_model == "BROWN"
    found = (lens.brown_k1, lens.brown_k2, lens.brown_p1, lens.brown_p2, lens.brown_k3)
    assert found == pytest.approx(tuple(distortion))
