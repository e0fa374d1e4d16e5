# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/render_person inside Blender; with VP3D_HUMAN, the folder of a body's files, the body too."""

import os
from pathlib import Path

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from tools.render_person.camera_track import camera_track
from tools.render_person.film import light_scene, place_camera, render_video
from tools.render_person.render import build_scene
from tools.render_person.scene import CameraDescription, MotionPart, PersonDescription, SceneDescription
from tools.render_person.surroundings import Stage, build_furniture, build_place
from vp3d_core import motion_file
from vp3d_core.motion import Motion, MotionSkeleton
from vp3d_core.skeletons import JOINTS

SIZE = (64, 36)
STAGE = Stage(0.5, (-2.0, -4.0), (2.0, 1.0), (-1.0, -1.0), (1.0, 1.0))
PEOPLE = (PersonDescription((MotionPart("standing.npz"),), wardrobe="woman"),)


def film(**changes: object) -> SceneDescription:
    return SceneDescription("clip", PEOPLE, frame_rate_hz=24, image_size=SIZE, **changes)  # type: ignore[arg-type]


def test_blender_projects_as_the_truths_camera_does():
    points = np.random.default_rng(1).uniform([-1, -1, 0], [1, 1, 2], (8, 5, 3))
    described = CameraDescription(azimuth_deg=130.0, roll_deg=7.0, handheld=1.0, height_m=2.0)
    camera = camera_track(described, points, image_size=SIZE, frame_rate_hz=24.0, seed=2)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    filmed_by = place_camera(camera, image_size=SIZE, first_frame=1)
    expected = camera.project_world_points(points)
    for t in range(len(points)):
        scene.frame_set(1 + t)
        for point, pixel in zip(points[t], expected[t], strict=True):
            x, y, depth = world_to_camera_view(scene, filmed_by, Vector(point.tolist()))
            assert depth > 0
            found = [x * SIZE[0] - 0.5, (1.0 - y) * SIZE[1] - 0.5]
            np.testing.assert_allclose(found, pixel, atol=1e-3)


@pytest.mark.parametrize("place", ["room", "yard"])
@pytest.mark.parametrize("furniture", ["none", "table", "sofa", "plant"])
def test_surroundings_leave_the_people_their_floor(place, furniture):
    build_place(place, STAGE, rng=np.random.default_rng(0))
    before = set(bpy.context.scene.objects)
    build_furniture(furniture, STAGE, rng=np.random.default_rng(0))
    bpy.context.view_layer.update()
    for thing in bpy.context.scene.objects:
        if thing.type != "MESH" or thing.name.startswith("floor"):
            continue
        corners = np.array([vertex.co for vertex in thing.data.vertices])  # in the stage's axes
        inside = (corners[:, :2] > STAGE.people_low) & (corners[:, :2] < STAGE.people_high)
        assert not (inside.all(axis=1) & (corners[:, 2] < 2.0)).any(), thing.name
        if thing not in before:
            assert corners[:, 1].max() < STAGE.people_low[1]


@pytest.mark.parametrize("blur", [0.0, 0.5])
def test_a_film_is_written(tmp_path: Path, blur: float):
    description = film(motion_blur=blur)
    points = np.tile(np.array([[[0.0, 0.0, 0.0], [0.0, 0.0, 1.8]]]), (3, 1, 1))
    camera = camera_track(description.camera, points, image_size=SIZE, frame_rate_hz=24.0, seed=0)
    place_camera(camera, image_size=SIZE, first_frame=1)
    build_place("room", STAGE, rng=np.random.default_rng(0))
    light_scene(description, turn_rad=0.0)
    render_video(description, tmp_path / "clip.mp4", first_frame=1, num_frames=3)
    clip = bpy.data.movieclips.load(str(tmp_path / "clip.mp4"))
    assert (tuple(clip.size), clip.frame_duration) == (SIZE, 3)


@pytest.mark.skipif("VP3D_HUMAN" not in os.environ, reason="VP3D_HUMAN is not set")
def test_a_body_stands_on_the_floor_as_its_motion_says(tmp_path: Path):
    motion = standing_motion()
    motion_file.save(tmp_path / "standing.npz", motion)
    found = build_scene(film(), assets=Path(os.environ["VP3D_HUMAN"]), mocap=tmp_path)
    joints = found.joints_world[0]
    assert found.joints_px().shape == (1, 13, 25, 2)
    feet = joints[:, [JOINTS.index(f"{s}_{p}") for s in ("left", "right") for p in ("toe", "heel")], 2]
    np.testing.assert_allclose(feet, 0.025, atol=0.015)
    assert joints[0, JOINTS.index("left_hip"), 0] > joints[0, JOINTS.index("right_hip"), 0]
    assert joints[0, JOINTS.index("nose"), 1] < joints[0, JOINTS.index("left_ear"), 1]
    assert 1.4 < joints[0, JOINTS.index("head_top"), 2] < 1.9
    heads = found.bones[0].posed[:, found.bones[0].names.index("lowerarm_l"), :3, 3]
    np.testing.assert_allclose(heads, joints[:, JOINTS.index("left_elbow")], atol=0.002)


def standing_motion() -> Motion:
    """Half a second of a body in a T-pose on the floor."""
    sides = {"left": 1.0, "right": -1.0}
    places = {"pelvis": (0, 0, 0.93), "spine": (0, 0.02, 1.18), "thorax": (0, 0.02, 1.45),
              "nose": (0, -0.09, 1.56), "head_top": (0, 0, 1.7)}  # fmt: skip
    for side, x in sides.items():
        places |= {f"{side}_hip": (0.09 * x, 0, 0.93), f"{side}_knee": (0.09 * x, -0.01, 0.5),
                   f"{side}_ankle": (0.09 * x, 0, 0.08), f"{side}_toe": (0.09 * x, -0.15, 0.02),
                   f"{side}_heel": (0.09 * x, 0.05, 0.025), f"{side}_shoulder": (0.18 * x, 0.02, 1.4),
                   f"{side}_elbow": (0.46 * x, 0.02, 1.4), f"{side}_wrist": (0.71 * x, 0.02, 1.4),
                   f"{side}_hand": (0.79 * x, 0.02, 1.4), f"{side}_ear": (0.075 * x, 0, 1.57)}  # fmt: skip
    offsets = np.array([places[name] for name in JOINTS.points], dtype=float)
    skeleton = MotionSkeleton(
        JOINTS.points, (-1, *[0] * 24), offsets - [[0, 0, 0.0], *[places["pelvis"]] * 24]
    )
    rotations = np.tile(np.array([1.0, 0, 0, 0]), (13, 25, 1))
    return Motion(skeleton, np.zeros((13, 3)), rotations, np.ones((13, 4)), np.ones((13, 25)), 24.0)
