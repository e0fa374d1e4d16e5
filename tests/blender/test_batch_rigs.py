# SPDX-License-Identifier: GPL-3.0-or-later
"""Which armature of a .blend is meant and how, and what is said when something does not fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
from mathutils import Quaternion
from vp3d.addon.armature import build_armature
from vp3d.addon.batch.animated_rig import check_rig, find_armature, retarget_motion
from vp3d.addon.batch.command import run
from vp3d.vp3d_core import motion_file
from vp3d.vp3d_core.batch.clips import Clip
from vp3d.vp3d_core.batch.scene_choice import SceneChoice
from vp3d.vp3d_core.errors import InputError
from vp3d.vp3d_core.motion import Motion
from vp3d.vp3d_core.retarget.rig_errors import RigError

from tests.blender.videos import write_video

AddBody = Callable[[str], bpy.types.Object]


@pytest.fixture
def add_body(walking_motion: Motion) -> AddBody:
    """Adds an armature with a body's bones to the scene."""

    def add(name: str) -> bpy.types.Object:
        context = bpy.context
        return build_armature(
            walking_motion, name=name, context=context, collection=context.scene.collection
        )[0]

    return add


def add_prop(name: str) -> bpy.types.Object:
    """An armature with nothing of a body."""
    prop = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(prop)
    return prop


def test_the_only_armature_and_the_named_one_are_meant(add_body: AddBody) -> None:
    prop = add_prop("Prop")
    assert find_armature(None) == prop
    add_body("Hero")
    assert find_armature("Prop") == prop
    with pytest.raises(InputError, match="no armature 'Zoe'") as found:
        find_armature("Zoe")
    assert "'Hero', 'Prop'" in found.value.hint


def test_of_several_the_one_with_a_body_is_meant(add_body: AddBody) -> None:
    add_prop("Prop")
    hero = add_body("Hero")
    assert find_armature(None) == hero


def test_of_several_bodies_the_generated_the_dressed_or_the_active_one_is_meant(add_body: AddBody) -> None:
    hero, villain = add_body("Hero"), add_body("Villain")
    bpy.context.view_layer.objects.active = None
    with pytest.raises(InputError, match="several armatures: 'Hero', 'Villain'"):
        find_armature(None)
    bpy.context.view_layer.objects.active = hero
    assert find_armature(None) == hero
    dress = bpy.data.objects.new("Dress", bpy.data.meshes.new("Dress"))
    dress.parent = villain
    bpy.context.scene.collection.objects.link(dress)
    assert find_armature(None) == villain
    hero.data["rig_id"] = "abc"
    assert find_armature(None) == hero


def test_an_empty_scene_is_told() -> None:
    with pytest.raises(InputError, match="has no armature"):
        find_armature(None)


def test_a_rig_that_fits_no_body_is_refused_before_the_first_clip(tmp_path: Path) -> None:
    add_prop("Prop")
    path = tmp_path / "prop.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    with pytest.raises(RigError):
        check_rig(SceneChoice(rig=path))


def test_a_file_that_is_no_blend_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rig.blend"
    path.write_text("no blend", encoding="utf-8")
    with pytest.raises(InputError, match=r"rig\.blend cannot be opened"):
        check_rig(SceneChoice(rig=path))


def test_the_motion_comes_at_the_scenes_rate_and_first_frame(
    add_body: AddBody, walking_motion: Motion, tmp_path: Path
) -> None:
    hero = add_body("Hero")
    bpy.context.scene.render.fps = 24
    motion_file.save(tmp_path / "motion.npz", walking_motion)
    clip = Clip("walk", tmp_path / "gone.mp4")
    choice = SceneChoice(footage=False, first_frame=101)
    animated = retarget_motion(tmp_path / "motion.npz", clip, choice, name="walk")
    assert animated.armature == hero
    assert (animated.first_frame, animated.last_frame) == (101, 101 + round(59 / 30 * 24))
    assert [each.type for each in bpy.data.objects] == ["ARMATURE"]


@pytest.mark.parametrize("footage", [False, True])
def test_a_motion_from_the_middle_of_its_video_starts_with_it_or_on_the_first_frame(
    add_body: AddBody, walking_motion: Motion, tmp_path: Path, footage: bool
) -> None:
    hero = add_body("Hero")
    bpy.context.scene.render.fps = 30
    motion_file.save(tmp_path / "motion.npz", dataclasses.replace(walking_motion, start_time_s=2.0))
    choice = SceneChoice(footage=footage, first_frame=11)
    video = write_video(tmp_path / "walk.mp4", size=(64, 36), fps=30, num_frames=5)
    clip = Clip("walk", video)
    animated = retarget_motion(tmp_path / "motion.npz", clip, choice, name="walk")
    first = 71 if footage else 11
    assert (animated.first_frame, animated.last_frame) == (first, first + 59)
    captured = [each for each in bpy.data.objects if each.type == "ARMATURE" and each != hero]
    assert len(captured) == footage
    for armature in captured:
        assert tuple(armature.animation_data.action.frame_range) == (71, 130)


def test_the_pose_in_which_a_rig_stands_can_be_the_one_that_is_matched(
    add_body: AddBody, walking_motion: Motion, tmp_path: Path
) -> None:
    hero = add_body("Hero")
    posed = hero.pose.bones["upper_arm.L"]
    posed.rotation_quaternion = (0.9, 0.0, 0.0, 0.4)
    motion_file.save(tmp_path / "motion.npz", walking_motion)
    clip = Clip("walk", tmp_path / "gone.mp4")
    turned: list[float] = []
    for current_pose in (False, True):
        choice = SceneChoice(footage=False, current_pose=current_pose)
        retarget_motion(tmp_path / "motion.npz", clip, choice, name="walk")
        bpy.context.scene.frame_set(5)
        turned.append(Quaternion(posed.rotation_quaternion).rotation_difference(Quaternion()).angle)
        hero.animation_data_clear()
        posed.rotation_quaternion = (0.9, 0.0, 0.0, 0.4)
    assert abs(turned[0] - turned[1]) > 0.3


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "No clip was named"),
        (["x.mp4"], "No output folder"),
        (["x.mp4", "-o", "{tmp}/out", "--rig", "{tmp}/no.blend"], "no.blend cannot be read"),
        (["--job", "{tmp}/job.json"], "job.json cannot be read"),
    ],
)
def test_what_cannot_begin_is_told(
    words: list[str], text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([word.format(tmp=tmp_path) for word in words], prog="vp3d") == 1
    told = capfd.readouterr().out
    assert "Error: " in told
    assert text in told


def test_a_wrong_value_of_an_option_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run(["x.mp4", "-o", str(tmp_path / "out"), "--fov", "400"], prog="vp3d")
    assert left.value.code == 2
    assert "--fov: '400' cannot be used, expected degrees from 5 to 170" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
