# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import bpy
import numpy as np
import pytest
from vp3d.addon.capture_import import MOTION_PROPERTY, import_motions, load_motion
from vp3d.addon.fcurves import action_curves
from vp3d.vp3d_core import bvh, motion_file
from vp3d.vp3d_core.armature_plan import plan_armature
from vp3d.vp3d_core.errors import MotionFormatError, VideoReadError

from tests.blender.motions import changed, walking
from tests.blender.scene_checks import joints_in_scene


@pytest.fixture
def motion_path(tmp_path):
    path = tmp_path / "motion.npz"
    motion_file.save(path, walking())
    return path


def bring(*paths, **options):
    return import_motions(paths, context=bpy.context, **options)


def everything() -> dict[str, set[str]]:
    kinds = ("objects", "armatures", "cameras", "actions", "collections", "movieclips")
    return {kind: {each.name for each in getattr(bpy.data, kind)} for kind in kinds}


@pytest.mark.parametrize(("fps", "base"), [(30, 1.0), (24, 1.0), (60, 1.0), (30, 1.001)])
def test_a_motion_keeps_its_time_at_any_rate_of_the_scene(motion_path, fps, base) -> None:
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps, base
    made = bring(motion_path)
    assert (scene.render.fps, scene.render.fps_base) == (fps, pytest.approx(base))
    motion = walking()
    expected = motion.joints_world()
    bones = plan_armature(motion.skeleton)
    first, last = made.frames
    assert first == 1
    assert (last - first) / (fps / base) == pytest.approx(motion.times_s[-1], abs=base / fps)
    for frame in (first, first + 1, (first + last) // 2, last):
        at = (frame - 1) / (fps / base) * motion.frame_rate_hz
        low, share = int(at), at - int(at)
        high = min(low + 1, len(expected) - 1)
        joints = joints_in_scene(made.armatures[0], frame, motion=motion, bones=bones)
        between = (1 - share) * expected[low] + share * expected[high]
        np.testing.assert_allclose(joints, between, atol=1e-4 if share < 1e-6 else 0.01)


def test_a_capture_that_starts_later_comes_later(tmp_path) -> None:
    path = tmp_path / "later.npz"
    motion_file.save(path, changed(walking(), start_time_s=2.0))
    bpy.context.scene.render.fps = 25
    assert bring(path, first_frame=101).frames == (151, 200)


def test_what_is_made_is_in_one_collection_and_named_for_the_video(motion_path) -> None:
    made = bring(motion_path, name="Walk")
    assert {each.name for each in made.collection.all_objects} == {"Walk", "Walk camera"}
    assert made.armatures[0].animation_data.action.name == "Walk"
    assert made.armatures[0][MOTION_PROPERTY] == str(motion_path)


def test_several_people_share_a_collection_and_a_camera(motion_path, tmp_path) -> None:
    second = tmp_path / "motion-2.npz"
    motion_file.save(second, changed(walking(), root_positions=walking().root_positions + [1.0, 0, 0]))
    made = bring(motion_path, second, name="Two")
    assert [each.name for each in made.armatures] == ["Two 1", "Two 2"]
    assert len(bpy.data.cameras) == 1
    assert len(made.collection.objects) == 3


def test_confidence_and_contacts_are_keyed_properties(tmp_path) -> None:
    motion = walking()
    sure = np.full(motion.confidence.shape, 0.9)
    sure[10:40, motion.skeleton.names.index("left_wrist")] = 0.1
    path = tmp_path / "doubt.npz"
    contacts = np.zeros((60, 4))
    contacts[:, 0] = 1.0
    motion_file.save(path, changed(motion, confidence=sure, contacts=contacts))
    bpy.context.scene.render.fps = 30
    made = bring(path)
    bpy.context.scene.frame_set(25)
    person = made.armatures[0].evaluated_get(bpy.context.evaluated_depsgraph_get())
    assert person["Confidence left arm"] == pytest.approx((3 * 0.9 + 0.1) / 4)
    assert person["Confidence right arm"] == pytest.approx(0.9)
    assert person["Contact left toe"] == 1.0
    assert person["Contact left heel"] == 0.0


def test_doubtful_stretches_get_markers_and_sure_ones_none(tmp_path) -> None:
    motion = walking()
    sure = np.full(motion.confidence.shape, 0.9)
    path = tmp_path / "doubt.npz"
    motion_file.save(path, changed(motion, confidence=sure))
    bpy.context.scene.render.fps = 30
    bpy.context.scene.timeline_markers.new("mine", frame=3)
    bring(path, name="Sure")
    assert [marker.name for marker in bpy.context.scene.timeline_markers] == ["mine"]
    arm = [motion.skeleton.names.index(f"right_{part}") for part in ("shoulder", "elbow", "wrist", "hand")]
    sure[20:40, arm] = 0.1
    motion_file.save(path, changed(motion, confidence=sure))
    bring(path, name="Walk")
    markers = {marker.name: marker.frame for marker in bpy.context.scene.timeline_markers}
    assert markers == {"mine": 3, "Walk: right arm unsure": 21, "Walk: right arm seen again": 41}


def test_a_bvh_comes_in_the_same_way(tmp_path) -> None:
    path = tmp_path / "walk.bvh"
    bvh.save(path, walking())
    made = bring(path)
    assert made.camera is None
    assert made.collection.name == "walk"
    properties = list(made.armatures[0].keys())
    assert properties == [MOTION_PROPERTY]
    motion = bvh.load(path)
    bones = plan_armature(motion.skeleton)
    bpy.context.scene.render.fps = 30
    joints = joints_in_scene(made.armatures[0], 1, motion=motion, bones=bones)
    np.testing.assert_allclose(joints, motion.joints_world()[0], atol=1e-4)


def test_nothing_of_the_users_changes_in_a_scene_that_was_set_up(motion_path) -> None:
    scene = bpy.context.scene
    scene.render.resolution_x, scene.frame_end = 1280, 90
    mine = bpy.data.objects.new("Mine", bpy.data.cameras.new("Mine"))
    scene.collection.objects.link(mine)
    scene.camera = mine
    view = scene.view_settings.view_transform
    before = everything()
    made = bring(motion_path)
    assert (scene.render.resolution_x, scene.render.resolution_y, scene.frame_end) == (1280, 1080, 90)
    assert scene.camera == mine
    assert scene.view_settings.view_transform == view
    assert all(names <= everything()[kind] for kind, names in before.items())
    assert made.camera is not None


def test_a_new_file_is_made_to_suit_and_keeps_its_rate(motion_path) -> None:
    scene = bpy.context.scene
    rate = scene.render.fps
    made = bring(motion_path)
    assert (scene.render.resolution_x, scene.render.resolution_y) == walking().image_size
    assert scene.camera == made.camera
    assert scene.frame_end == made.frames[1]
    assert scene.render.fps == rate


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04"])
def test_a_broken_file_changes_nothing(motion_path, tmp_path, content) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(content)
    before = everything()
    with pytest.raises(MotionFormatError, match=r"broken\.npz"):
        bring(motion_path, broken)
    assert everything() == before


def test_a_missing_video_changes_nothing(motion_path, tmp_path) -> None:
    before = everything()
    scene = bpy.context.scene
    with pytest.raises(VideoReadError, match=r"gone\.mp4"):
        bring(motion_path, video=tmp_path / "gone.mp4")
    assert everything() == before
    assert scene.render.resolution_x == 1920
    assert not scene.timeline_markers


def test_other_kinds_of_files_are_named(tmp_path) -> None:
    path = tmp_path / "walk.fbx"
    with pytest.raises(MotionFormatError, match=r"walk\.fbx is neither"):
        load_motion(path)


def test_it_survives_saving_and_opening(motion_path, tmp_path) -> None:
    bpy.context.scene.render.fps = 30
    bring(motion_path, name="Walk")
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    motion = walking()
    person = bpy.data.objects["Walk"]
    joints = joints_in_scene(person, 31, motion=motion, bones=plan_armature(motion.skeleton))
    np.testing.assert_allclose(joints, motion.joints_world()[30], atol=1e-4)
    assert action_curves(person.animation_data.action)
