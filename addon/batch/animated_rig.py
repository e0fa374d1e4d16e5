# SPDX-License-Identifier: GPL-3.0-or-later
"""One motion on one armature in the open file: ours, or the user's rig."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ...vp3d_core.batch.scene_choice import SceneChoice
from ...vp3d_core.errors import InputError
from ...vp3d_core.motion import Motion
from ...vp3d_core.retarget import rig_map
from ...vp3d_core.retarget.auto_map import guess_map
from ...vp3d_core.retarget.retarget import retarget
from ..armature import build_armature, motion_curves, read_rig
from ..fcurves import write_curves

__all__ = ["Animated", "find_armature", "import_motion", "open_rig", "retarget_motion"]


@dataclass(frozen=True, slots=True)
class Animated:
    """What carries the motion.

    Attributes:
        armature: The object.
        first_frame: Of the motion.
        last_frame: Of the motion.
    """

    armature: bpy.types.Object
    first_frame: int
    last_frame: int


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


def import_motion(motion: Motion, video: Path, *, name: str, first_frame: int) -> Animated:
    """Make a new file with an armature of our own that moves, at the motion's rate."""
    del video
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    set_rate(scene, motion.frame_rate_hz)
    armature, bones = build_armature(motion, name=name, context=bpy.context, collection=scene.collection)
    frames = first_frame + np.arange(len(motion.root_positions), dtype=np.float64)
    curves = motion_curves(motion, armature, bones=bones, frames=frames)
    write_curves(armature, curves, action_name=name)
    return Animated(armature, first_frame, int(frames[-1]))


def retarget_motion(motion: Motion, choice: SceneChoice, *, video: Path, name: str) -> Animated:
    """Bring a motion onto the rig in the open file, at the file's rate.

    Raises:
        InputError: If there is no such armature.
        RigError: If the rig or the map does not fit.
    """
    del video
    scene = bpy.context.scene
    armature = find_armature(choice.armature)
    rig = read_rig(armature)
    bone_map = guess_map(rig) if choice.map is None else rig_map.load(choice.map)
    curves = retarget(
        motion,
        rig,
        bone_map,
        choice.retarget,
        frames_per_second=scene.render.fps / scene.render.fps_base,
        first_frame=choice.first_frame,
    )
    write_curves(armature, curves, action_name=name)
    return Animated(armature, choice.first_frame, int(round(curves.frames[-1])))


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
    sure = {name: guess_map(read_rig(each)).overall_confidence for name, each in found.items()}
    best = [name for name in found if sure[name] == max(sure.values()) and sure[name] > 0]
    if len(best) != 1:
        names = ", ".join(map(repr, sorted(found)))
        raise InputError(f"{place} has several armatures: {names}", hint="Name one with --armature.")
    return found[best[0]]
