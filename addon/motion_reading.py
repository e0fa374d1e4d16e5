# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what an armature does in the scene as a Motion: the source of a retarget, edits included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from ..vp3d_core.armature_motion import motion_of_armature
from ..vp3d_core.arrays import Array
from ..vp3d_core.errors import InputError
from ..vp3d_core.euler import quat_from_euler
from ..vp3d_core.motion import CONTACT_JOINTS, Motion
from ..vp3d_core.retarget.rig import BoneCurves, Rig
from ..vp3d_core.retarget.rig_pose import pose_matrices
from ..vp3d_core.rotations import IDENTITY, normalize, quat_continuous, quat_from_axis_angle
from .armature import read_rig
from .fcurves import action_curves, curve_values
from .motion_properties import contact_property
from .scene_settings import scene_rate
from .shown import shown

__all__ = ["read_motion"]


def read_motion(armature_object: bpy.types.Object, *, context: bpy.types.Context, first_frame: int) -> Motion:
    """Return what an animated armature does, over the frames of its action, at the scene's rate.

    Args:
        armature_object: Any armature that moves in the scene; what constraints do to it counts, too.
        context: Its scene is stepped through the frames, and back to the one it was on.
        first_frame: Scene frame that is time 0.

    Raises:
        InputError: The armature has no action.
    """
    action = armature_object.animation_data.action if armature_object.animation_data else None
    if action is None or not action_curves(action):
        raise InputError(
            f"{armature_object.name!r} has no action that could be retargeted",
            hint="Choose an armature that a capture made, or any other that is animated.",
        )
    first, last = (round(frame) for frame in action.frame_range)
    frames = np.arange(first, last + 1, dtype=np.float64)
    rig = read_rig(armature_object)
    rate_hz = scene_rate(context.scene)
    if _moves_by_curves_alone(armature_object, action):
        poses = pose_matrices(rig, _bone_curves(armature_object, action, frames))
    else:
        with shown(armature_object, context):
            poses = _evaluated_poses(armature_object, rig, frames, context)
    return motion_of_armature(
        rig,
        poses,
        frame_rate_hz=rate_hz,
        start_time_s=(first - first_frame) / rate_hz,
        contacts=_contacts(action, frames),
    )


def _moves_by_curves_alone(armature_object: bpy.types.Object, action: bpy.types.Action) -> bool:
    """Return whether the curves of the action say all about the pose."""
    data = armature_object.animation_data
    paths = [curve.data_path for curve in action_curves(action)]
    return not (
        data.drivers
        or data.nla_tracks
        or any(_is_animated(each) for each in _above(armature_object))
        or armature_object.constraints
        or any(bone.constraints for bone in armature_object.pose.bones)
        or not all(path.startswith(("pose.bones[", "[")) for path in paths)
        or any(path.endswith("scale") for path in paths)
    )


def _above(armature_object: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the parents of an object."""
    line: list[bpy.types.Object] = []
    parent = armature_object.parent
    while parent is not None:
        line.append(parent)
        parent = parent.parent
    return line


def _is_animated(parent: bpy.types.Object) -> bool:
    return bool(parent.animation_data or parent.constraints)


def _bone_curves(armature_object: bpy.types.Object, action: bpy.types.Action, frames: Array) -> BoneCurves:
    """Return what the curves of an action do to the bones; what is not keyed stays as it stands."""
    by_channel = {(curve.data_path, curve.array_index): curve for curve in action_curves(action)}
    rotations: dict[str, Array] = {}
    locations: dict[str, Array] = {}
    for bone in armature_object.pose.bones:
        path = f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"]'

        def channel(name: str, bone: bpy.types.PoseBone = bone, path: str = path) -> Array:
            now = tuple(getattr(bone, name))
            found = [by_channel.get((f"{path}.{name}", index)) for index in range(len(now))]
            still = np.ones(len(frames))
            columns = [
                still * value if curve is None else curve_values(curve, frames)
                for value, curve in zip(now, found, strict=True)
            ]
            return np.stack(columns, axis=-1)

        rotations[bone.name] = _quats(bone.rotation_mode, channel)
        locations[bone.name] = channel("location")
    return BoneCurves(frames, rotations, locations)


def _quats(mode: str, channel: Callable[[str], Array]) -> Array:
    """Return the rotation (T, 4) that a bone of a rotation mode has."""
    if mode == "QUATERNION":
        quats = normalize(channel("rotation_quaternion"))
    elif mode == "AXIS_ANGLE":
        values = channel("rotation_axis_angle")
        quats = quat_from_axis_angle(normalize(values[:, 1:]), values[:, 0])
    else:
        quats = quat_from_euler(channel("rotation_euler"), mode)
    return quat_continuous(np.where(np.linalg.norm(quats, axis=-1, keepdims=True) > 0.5, quats, IDENTITY))


def _evaluated_poses(
    armature_object: bpy.types.Object, rig: Rig, frames: Array, context: bpy.types.Context
) -> Array:
    """Return pose matrices (T, B, 4, 4) as the scene shows them, in the armature space of the rig.

    An object that moves takes its bones along: it stays in one place then.
    """
    poses = np.empty((len(frames), len(rig.bone_names), 4, 4))
    back = np.linalg.inv(rig.world_from_armature)
    with _frame_kept(context.scene):
        for number, frame in enumerate(frames):  # constraints and drivers have no other way
            context.scene.frame_set(int(frame))
            posed = armature_object.evaluated_get(context.evaluated_depsgraph_get())
            moved = back @ np.array(posed.matrix_world)
            poses[number] = moved @ np.array([posed.pose.bones[name].matrix for name in rig.bone_names])
    return poses


@contextmanager
def _frame_kept(scene: bpy.types.Scene) -> Iterator[None]:
    before, subframe = scene.frame_current, scene.frame_subframe
    try:
        yield
    finally:
        scene.frame_set(before, subframe=subframe)


def _contacts(action: bpy.types.Action, frames: Array) -> Array | None:
    """Return (T, 4) which points of the feet stand, where an import keyed that."""
    by_path = {curve.data_path: curve for curve in action_curves(action)}
    found = [by_path.get(f'["{contact_property(joint)}"]') for joint in CONTACT_JOINTS]
    if any(curve is None for curve in found):
        return None
    return np.stack([curve_values(curve, frames) for curve in found], axis=-1)
