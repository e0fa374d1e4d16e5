# SPDX-License-Identifier: GPL-3.0-or-later
"""One motion on one armature in the open file: ours, or the user's rig."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...vp3d_core import motion_file
from ...vp3d_core.batch.clips import Clip
from ...vp3d_core.batch.scene_choice import SceneChoice
from ...vp3d_core.errors import InputError
from ...vp3d_core.retarget import rig_map
from ...vp3d_core.retarget.auto_map import guess_map
from ...vp3d_core.retarget.retarget import retarget
from ...vp3d_core.retarget.rig import Rig
from ..armature import read_rig
from ..capture_import import import_motions
from ..fcurves import write_curves
from ..retarget_apply import current_pose
from ..scene_settings import scene_rate
from .exporters import moved_meshes

__all__ = ["Animated", "check_rig", "find_armature", "import_people", "open_rig", "retarget_motion"]

GENERATED_KEY = "rig_id"  # what Rigify leaves on the armatures it generates


@dataclass(frozen=True, slots=True)
class Animated:
    """What carries a motion.

    Attributes:
        armature: The object.
        first_frame: Of its action.
        last_frame: Of its action.
    """

    armature: bpy.types.Object
    first_frame: int
    last_frame: int

    @classmethod
    def of(cls, armature: bpy.types.Object) -> Animated:
        """Return an armature with the range of its action."""
        first, last = armature.animation_data.action.frame_range
        return cls(armature, round(first), round(last))


def open_rig(path: Path) -> None:
    """Open a .blend afresh.

    Raises:
        InputError: If it is no .blend that this Blender can open.
    """
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        raise InputError(
            f"{path} cannot be opened: {str(error).strip()}", hint="Give a .blend file that has the rig."
        ) from error


def check_rig(choice: SceneChoice) -> None:
    """Open the rig and raise VP3DError if no clip could be brought onto it."""
    if choice.rig is None:
        return
    open_rig(choice.rig)
    rig = read_rig(find_armature(choice.armature))
    _map_of(rig, choice).check(rig)


def _map_of(rig: Rig, choice: SceneChoice) -> rig_map.RigMap:
    return guess_map(rig) if choice.map is None else rig_map.load(choice.map)


def import_people(paths: Sequence[Path], clip: Clip, *, first_frame: int) -> list[Animated]:
    """Make a new file, at the motions' rate, with an armature of ours for each, the camera and the video."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    set_rate(scene, motion_file.load(paths[0]).frame_rate_hz)
    found = import_motions(
        paths,
        context=bpy.context,
        video=clip.video,
        name=clip.stem,
        first_frame=first_frame,
        suit=True,
    )
    return [Animated.of(armature) for armature in found.armatures]


def retarget_motion(path: Path, clip: Clip, choice: SceneChoice, *, name: str) -> Animated:
    """Bring a motion onto the rig in the open file, at the file's rate; nothing else is changed there.

    Args:
        path: The motion file.
        clip: Whose video is added if the choice wants the footage.
        choice: Which armature and how.
        name: Of the action.

    Raises:
        InputError: If there is no such armature.
        RigError: If the rig or the map does not fit.
    """
    scene = bpy.context.scene
    armature = find_armature(choice.armature)
    motion, first_frame, rate_hz = motion_file.load(path), choice.first_frame, scene_rate(scene)
    if choice.footage:
        import_motions(
            [path],
            context=bpy.context,
            video=clip.video,
            name=f"{name} capture",
            first_frame=first_frame,
            suit=False,
        )
    else:
        motion = dataclasses.replace(motion, start_time_s=0.0)  # there is no video to be in time with
    rig = read_rig(armature)
    bone_map = _map_of(rig, choice)
    curves = retarget(
        motion,
        rig,
        bone_map,
        choice.retarget,
        frames_per_second=rate_hz,
        first_frame=first_frame,
        alignment_pose=current_pose(armature, rig, bpy.context) if choice.current_pose else None,
    )
    write_curves(armature, curves, action_name=name)
    return Animated.of(armature)


def set_rate(scene: bpy.types.Scene, rate_hz: float) -> None:
    """Give a scene a rate, such as 30 or 30/1.001."""
    scene.render.fps = max(1, round(rate_hz))
    scene.render.fps_base = scene.render.fps / rate_hz


def find_armature(name: str | None) -> bpy.types.Object:
    """Return the armature object of that name; without one the only one, or the one that best fits a body.

    Raises:
        InputError: If there is none, or it cannot be told which.
    """
    found = {each.name: each for each in bpy.context.scene.objects if each.type == "ARMATURE"}
    place = bpy.data.filepath
    if name is not None:
        if name not in found:
            known = ", ".join(map(repr, sorted(found))) or "none"
            raise InputError(f"{place} has no armature {name!r}", hint=f"Its armatures: {known}.")
        return found[name]
    if not found:
        raise InputError(
            f"The scene of {place} has no armature", hint="Give a .blend with a rig, or --no-rig."
        )
    if len(found) == 1:
        return next(iter(found.values()))
    chosen = _likeliest(list(found.values()))
    if chosen is None:
        names = ", ".join(map(repr, sorted(found)))
        raise InputError(f"{place} has several armatures: {names}", hint="Name one with --armature.")
    return chosen


def _likeliest(armatures: list[bpy.types.Object]) -> bpy.types.Object | None:
    """Return the armature that is meant, or None: each test is only asked where those before left several."""
    sure = {each.name: guess_map(read_rig(each)).overall_confidence for each in armatures}
    best = [each for each in armatures if sure[each.name] > 0 and sure[each.name] >= max(sure.values()) - 0.1]
    tests = (
        lambda each: GENERATED_KEY in each.data,  # not the metarig that it was made from
        lambda each: bool(moved_meshes(each)),
        lambda each: each == bpy.context.view_layer.objects.active,
    )
    for test in tests:
        if len(best) > 1:
            best = [each for each in best if test(each)] or best
    return best[0] if len(best) == 1 else None
