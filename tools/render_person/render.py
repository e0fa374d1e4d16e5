# SPDX-License-Identifier: GPL-3.0-or-later
"""One scene description in, one video and its truth out. Needs bpy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np

from vp3d_core.arrays import Array
from vp3d_core.camera import Camera
from vp3d_core.motion import Motion
from vp3d_core.skeletons import JOINTS
from vp3d_core.train.contact_labels import contact_labels

from . import truth
from .camera_track import camera_track
from .film import light_scene, place_camera, render_video
from .human import Human, build_human
from .motion_source import person_motion
from .posing import FIRST_FRAME, landmark_joints, pose_human
from .process import ClipFiles, clip_files
from .scene import SceneDescription, save_scenes
from .surroundings import Stage, build_furniture, build_place

__all__ = ["build_scene", "render_clip"]

_log = logging.getLogger(__name__)


def render_clip(scene: SceneDescription, out: Path, *, assets: Path, mocap: Path) -> ClipFiles:
    """Render a scene to ``out/NAME.mp4`` with ``NAME_truth.npz`` and ``NAME.json`` beside it.

    Everything that was in Blender's open file is lost.

    Args:
        scene: What to film.
        out: Folder; made when missing.
        assets: The body's files.
        mocap: The folder that motions are relative to.

    Returns:
        The names of the files.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = clip_files(scene, out)
    found = build_scene(scene, assets=assets, mocap=mocap)
    render_video(scene, files.video, first_frame=FIRST_FRAME, num_frames=found.joints_world.shape[1])
    truth.save(files.truth, found)
    save_scenes(files.scene, [scene])
    _log.info("%s: %d frames", scene.name, found.joints_world.shape[1])
    return files


def build_scene(scene: SceneDescription, *, assets: Path, mocap: Path) -> truth.ClipTruth:
    """Build a scene in Blender, ready to be rendered, and return its truth."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rate_hz = float(scene.frame_rate_hz)
    bpy.context.scene.render.fps = scene.frame_rate_hz
    motions = [person_motion(person, mocap, frame_rate_hz=rate_hz) for person in scene.people]
    humans: list[Human] = []
    for number, (person, motion) in enumerate(zip(scene.people, motions, strict=True)):
        human = build_human(person, assets, name=f"person {number}")
        arms_out_rad = float(np.radians(person.arms_out_deg))
        pose_human(human, motion, frame_rate_hz=rate_hz, arms_out_rad=arms_out_rad)
        humans.append(human)
    num_frames = _num_frames(scene, motions)
    joints, bones = _followed(humans, num_frames)
    seen = np.concatenate(list(joints), axis=1)
    camera = camera_track(
        scene.camera, seen, image_size=scene.image_size, frame_rate_hz=rate_hz, seed=scene.seed
    )
    place_camera(camera, image_size=scene.image_size, first_frame=FIRST_FRAME)
    stage = _stage(scene, seen, camera)
    rng = np.random.default_rng(scene.seed)
    build_place(scene.place, stage, rng=rng)
    build_furniture(scene.furniture, stage, rng=rng)
    light_scene(scene, turn_rad=stage.turn_rad)
    contacts = np.stack([contact_labels(person, rate_hz=rate_hz) for person in joints])
    return truth.ClipTruth(
        joints, contacts, _filmed_from(camera, num_frames), rate_hz, scene.image_size, bones
    )


def _num_frames(scene: SceneDescription, motions: Sequence[Motion]) -> int:
    longest = max(len(motion.root_positions) for motion in motions)
    if scene.duration_s is None:
        return longest
    return min(longest, round(scene.duration_s * scene.frame_rate_hz))


def _followed(humans: Sequence[Human], num_frames: int) -> tuple[Array, tuple[truth.BoneTruth, ...]]:
    """Read joints (P, T, 25, 3) and bones from the deformed bodies, frame by frame."""
    joints = np.empty((len(humans), num_frames, len(JOINTS.points), 3))
    posed = [np.empty((num_frames, len(human.armature.pose.bones), 4, 4)) for human in humans]
    for t in range(num_frames):
        bpy.context.scene.frame_set(FIRST_FRAME + t)
        for p, human in enumerate(humans):
            joints[p, t] = landmark_joints(human)
            world = np.array(human.armature.matrix_world, dtype=np.float64)
            posed[p][t] = world @ np.array([np.array(bone.matrix) for bone in human.armature.pose.bones])
    bones = tuple(_bones(human, matrices) for human, matrices in zip(humans, posed, strict=True))
    return joints, bones


def _bones(human: Human, posed: Array) -> truth.BoneTruth:
    bones = list(human.armature.data.bones)
    names = tuple(bone.name for bone in bones)
    assert names == tuple(bone.name for bone in human.armature.pose.bones)
    parents = tuple(names.index(bone.parent.name) if bone.parent else -1 for bone in bones)
    world = np.array(human.armature.matrix_world)
    rest = world @ np.array([np.array(bone.matrix_local, dtype=np.float64) for bone in bones])
    return truth.BoneTruth(names, parents, rest, posed)


def _filmed_from(camera: Camera, num_frames: int) -> Camera:
    """Return the camera as Blender has it in each frame."""
    filmed_by = bpy.context.scene.camera
    places = np.empty((num_frames, 4, 4))
    for t in range(num_frames):
        bpy.context.scene.frame_set(FIRST_FRAME + t)
        places[t] = np.array(filmed_by.matrix_world) @ np.diag([1.0, -1.0, -1.0, 1.0])
    return Camera(camera.intrinsics, None, places)


def _stage(scene: SceneDescription, seen: Array, camera: Camera) -> Stage:
    turn_rad = float(np.radians(scene.camera.azimuth_deg))
    cosine, sine = np.cos(turn_rad), np.sin(turn_rad)
    into_stage = np.array([[cosine, -sine], [sine, cosine]])  # columns: right, and away from the camera
    people = seen[..., :2].reshape(-1, 2) @ into_stage
    everything = np.concatenate([people, camera.world_from_camera[:, :2, 3] @ into_stage])
    low, high = everything.min(axis=0), everything.max(axis=0)
    near, far = people.min(axis=0), people.max(axis=0)
    return Stage(
        turn_rad,
        (float(low[0]), float(low[1])),
        (float(high[0]), float(high[1])),
        (float(near[0]), float(near[1])),
        (float(far[0]), float(far[1])),
    )
