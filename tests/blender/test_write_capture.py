# SPDX-License-Identifier: GPL-3.0-or-later
"""The .blend of a capture: written by the script that the demo runs, opened again."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np
import pytest

from tests.blender.videos import write_video
from tests.synthetic import walking_motion
from vp3d_core import motion_file

SCRIPT = Path(__file__).resolve().parents[2] / "addon" / "write_capture.py"
RATE_HZ = 25.0
FRAMES = 40


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_capture", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def blend(tmp_path: Path) -> Path:
    folder = tmp_path / "ein Ordner ü"
    folder.mkdir()
    motion = walking_motion(3, num_frames=FRAMES, frame_rate_hz=RATE_HZ, image_size=(64, 36))
    motion_file.save(folder / "motion.npz", motion)
    video = write_video(folder / "my clip.mp4", size=(64, 36), fps=25, num_frames=FRAMES)
    out = folder / "demo.blend"
    load_script().write_blend([folder / "motion.npz"], video, out)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(out))
    return out


def test_the_blend_has_the_armature_in_motion(blend: Path) -> None:
    scene = bpy.context.scene
    (armature,) = [each for each in scene.objects if each.type == "ARMATURE"]
    assert armature.animation_data.action is not None
    motion = motion_file.load(blend.with_name("motion.npz"))
    joints = motion.joints_world()
    knee = motion.skeleton.names.index("left_knee")
    for t in (0, FRAMES // 2, FRAMES - 1):
        scene.frame_set(scene.frame_start + t)
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        heads = np.array([armature.matrix_world @ bone.head for bone in posed.pose.bones])
        assert np.linalg.norm(heads - joints[t, knee], axis=1).min() < 1e-3


def test_the_blend_shows_the_video_through_the_matched_camera(blend: Path) -> None:
    scene = bpy.context.scene
    assert scene.camera is not None
    (background,) = scene.camera.data.background_images
    assert Path(bpy.path.abspath(background.clip.filepath)).samefile(blend.with_name("my clip.mp4"))
    assert scene.render.fps / scene.render.fps_base == pytest.approx(RATE_HZ)
    assert (scene.render.resolution_x, scene.render.resolution_y) == (64, 36)
    assert scene.frame_end - scene.frame_start + 1 == FRAMES
    views = [
        space.region_3d.view_perspective
        for screen in bpy.data.screens
        for area in screen.areas
        for space in area.spaces
        if space.type == "VIEW_3D"
    ]
    assert set(views) <= {"CAMERA"}
