# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring motions into a scene: armatures with actions, the camera, how sure they are.

What is in the file already stays as it is. The scene keeps its frame rate and its resolution; the motions
come to its frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..vp3d_core import bvh, motion_file
from ..vp3d_core.arrays import Array
from ..vp3d_core.confidence import doubtful_stretches
from ..vp3d_core.errors import MotionFormatError
from ..vp3d_core.motion import Motion
from ..vp3d_core.resample import resample, scene_frames
from .armature import build_armature, motion_curves
from .camera import add_video, build_camera, frame_aspect, keep_colours
from .fcurves import write_curves
from .motion_properties import key_properties
from .new_data import removed_on_error
from .scene_settings import is_untouched, scene_rate, suit_scene

__all__ = ["MOTION_PROPERTY", "BvhAxes", "ImportedCapture", "import_motions", "load_motion"]

MOTION_PROPERTY = "vp3d_motion"  # path of the motion file, on the armature object


@dataclass(frozen=True, slots=True)
class BvhAxes:
    """How a BVH file is meant; see ``vp3d_core.bvh.load``."""

    unit_m: float = 0.01
    up: str = "y"
    forward: str = "-z"


@dataclass(frozen=True, slots=True, eq=False)
class ImportedCapture:
    """What an import made.

    Attributes:
        collection: Holds all of it.
        armatures: One a motion, in the order given.
        camera: The matched camera, or None.
        clip: The video behind it, or None.
        frames: First and last scene frame of the motions.
    """

    collection: bpy.types.Collection
    armatures: list[bpy.types.Object]
    camera: bpy.types.Object | None
    clip: bpy.types.MovieClip | None
    frames: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A motion at the frames of the scene."""

    motion: Motion
    frames: Array
    path: Path
    name: str


def load_motion(path: Path, *, axes: BvhAxes | None = None) -> Motion:
    """Read a motion file or a BVH file, by its ending.

    Raises:
        MotionFormatError: It is missing, broken, or of another kind.
    """
    kind = path.suffix.lower()
    if kind == ".npz":
        return motion_file.load(path)
    if kind == ".bvh":
        axes = axes or BvhAxes()
        return bvh.load(path, unit_m=axes.unit_m, up=axes.up, forward=axes.forward)
    raise MotionFormatError(
        f"{path.name} is neither a motion file (.npz) nor a BVH file (.bvh)",
        hint="Choose the motion.npz that a capture made, or a .bvh file.",
    )


def import_motions(
    motion_paths: Sequence[Path],
    *,
    context: bpy.types.Context,
    scene: bpy.types.Scene | None = None,
    video: Path | None = None,
    name: str = "",
    first_frame: int | None = None,
    axes: BvhAxes | None = None,
    suit: bool | None = None,
) -> ImportedCapture:
    """Bring motions into a scene, in a collection of their own.

    Args:
        motion_paths: Motion or BVH files; those of one video share its camera.
        context: Where the armatures are made.
        scene: Receives the collection; None takes the context's.
        video: Shown behind what the camera sees, or None.
        name: Of the collection; "" takes the video's, else the motion's.
        first_frame: Scene frame on which the video starts; None takes the scene's first.
        axes: For BVH files.
        suit: Whether resolution, frame range, view transform and active camera are made to suit the
            capture; None does so only in a new file that nobody has set up.

    Raises:
        VP3DError: A file cannot be used; nothing has changed then.
    """
    motions = [load_motion(Path(path), axes=axes) for path in motion_paths]
    if not motions:
        raise ValueError("no motion to import")
    scene = scene or context.scene
    assert scene is not None
    first = scene.frame_start if first_frame is None else first_frame
    suit = is_untouched(scene) if suit is None else suit
    name = name or _name_of(motions[0], Path(motion_paths[0]), video)
    placed = [
        _place(motion, Path(path), name if len(motions) == 1 else f"{name} {number}", scene, first)
        for number, (motion, path) in enumerate(zip(motions, motion_paths, strict=True), start=1)
    ]
    with removed_on_error():
        collection = bpy.data.collections.new(name)
        scene.collection.children.link(collection)
        armatures = [_add_armature(each, context, collection) for each in placed]
        camera, clip = _add_camera(placed, video, scene, collection, first_frame=first, suit=suit)
    if suit:
        suit_scene(scene, motions, first_frame=first, has_video=clip is not None)
    if clip is not None:
        keep_colours(clip, scene)
    if camera is not None and (suit or scene.camera is None):
        scene.camera = camera
    for each in placed:
        _mark_doubts(scene, each)
    frames = (int(min(each.frames[0] for each in placed)), int(max(each.frames[-1] for each in placed)))
    return ImportedCapture(collection, armatures, camera, clip, frames)


def _name_of(motion: Motion, path: Path, video: Path | None) -> str:
    if video is not None:
        return Path(video).stem
    source = motion.meta.get("source")
    return Path(source).stem if isinstance(source, str) and source else path.stem


def _place(motion: Motion, path: Path, name: str, scene: bpy.types.Scene, first_frame: int) -> _Placed:
    rate_hz = scene_rate(scene)
    frames = scene_frames(motion, frames_per_second=rate_hz, first_frame=first_frame)
    return _Placed(resample(motion, (frames - first_frame) / rate_hz), frames, path, name)


def _add_armature(
    placed: _Placed, context: bpy.types.Context, collection: bpy.types.Collection
) -> bpy.types.Object:
    armature_object, bones = build_armature(
        placed.motion, name=placed.name, context=context, collection=collection
    )
    armature_object[MOTION_PROPERTY] = str(placed.path)
    curves = motion_curves(placed.motion, armature_object, bones=bones, frames=placed.frames)
    action = write_curves(armature_object, curves, action_name=placed.name)
    key_properties(armature_object, action, placed.motion, placed.frames)
    return armature_object


def _add_camera(
    placed: Sequence[_Placed],
    video: Path | None,
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
    *,
    first_frame: int,
    suit: bool,
) -> tuple[bpy.types.Object | None, bpy.types.MovieClip | None]:
    """Add the camera of the first motion that has one; a moving one is keyed over that motion's frames."""
    filmed = next((each for each in placed if each.motion.camera and each.motion.image_size), None)
    if filmed is None or filmed.motion.image_size is None:
        return None, None
    width, height = filmed.motion.image_size
    aspect = width / height if suit else frame_aspect(scene)
    camera = build_camera(
        filmed.motion,
        name=f"{collection.name} camera",
        aspect=aspect,
        collection=collection,
        frames=filmed.frames,
    )
    if video is None:
        return camera, None
    clip = add_video(
        camera, Path(video), scene=scene, motion=filmed.motion, first_frame=first_frame, aspect=aspect
    )
    return camera, clip


def _mark_doubts(scene: bpy.types.Scene, placed: _Placed) -> None:
    """Put markers where parts of the body begin to be guessed, and where that ends."""
    for stretch in doubtful_stretches(placed.motion):
        first, last = (int(placed.frames[index]) for index in (stretch.first, stretch.last))
        scene.timeline_markers.new(f"{placed.name}: {stretch.part} unsure", frame=first)
        scene.timeline_markers.new(f"{placed.name}: {stretch.part} seen again", frame=last + 1)
