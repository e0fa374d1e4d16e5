# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys in bulk, for the actions of Blender 4.2 as well as for those with slots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import bpy
import numpy as np

from ..vp3d_core.arrays import Array
from ..vp3d_core.euler import EULER_ORDERS, axis_angle_from_quat, euler_from_quat
from ..vp3d_core.retarget.rig import BoneCurves
from ..vp3d_core.retarget.rig_errors import RigError
from ..vp3d_core.rotations import quat_continuous
from .blender_version import GROUP_ARGUMENT, SLOTTED_ACTIONS
from .object_place import local_channels

__all__ = ["action_curves", "new_action", "rotation_channel", "write_channels", "write_curves", "write_steps"]

INTERPOLATIONS = {"CONSTANT": 0, "LINEAR": 1, "BEZIER": 2}
HANDLE_VECTOR = 2  # keys made Bezier later go on as they did, and need half the time of automatic ones
STILL = 1e-6  # channels that move less than this all along get one key

# Data path to (group, (T, N) values).
Channels = Mapping[str, tuple[str, Array]]


def write_curves(
    armature_object: bpy.types.Object, curves: BoneCurves, *, action_name: str
) -> bpy.types.Action:
    """Write curves into a new action of an armature object, and return it.

    Bones keep their rotation modes; only the bones that the curves name are keyed. The action that was
    there before stays in the file. Nothing has changed when an error is raised.

    Args:
        armature_object: A local object or a library override.
        curves: Keys of T frames.
        action_name: Name of the new action; Blender makes it unique.

    Raises:
        RigError: The object cannot be animated, or bones are missing.
    """
    _check(armature_object, curves)
    channels: dict[str, tuple[str, Array]] = {}
    for pose_bone in armature_object.pose.bones:
        bone_name = pose_bone.name
        path = f'pose.bones["{bpy.utils.escape_identifier(bone_name)}"]'
        if bone_name in curves.locations:
            channels[f"{path}.location"] = (bone_name, curves.locations[bone_name])
        if bone_name in curves.rotations:
            name, values = rotation_channel(pose_bone, curves.rotations[bone_name])
            channels[f"{path}.{name}"] = (bone_name, values)
    if curves.object_locations is not None and curves.object_rotations is not None:
        places, turns = local_channels(armature_object, curves.object_locations, curves.object_rotations)
        name, values = rotation_channel(armature_object, turns)
        channels["location"] = ("Object Transforms", places)
        channels[name] = ("Object Transforms", values)
    with new_action(armature_object, action_name) as action:
        write_channels(armature_object, action, curves.frames, channels)
        _switch_properties(armature_object, action, curves)
    return action


def write_channels(
    animated: bpy.types.ID, action: bpy.types.Action, frames: Array, channels: Channels
) -> None:
    """Key values on an object that has the action.

    Args:
        animated: The object.
        action: Its action.
        frames: (T,) scene frames.
        channels: Data path to the group and the (T, N) values; where all N stand still one key is enough.
    """
    if not len(frames):
        return
    for path, (group, values) in channels.items():
        count = 1 if _is_still(values) else len(frames)
        for index in range(values.shape[1]):
            curve = _ensure_curve(action, animated, path, index=index, group=group)
            _set_keys(curve, frames[:count], values[:count, index], "LINEAR")


def write_steps(
    animated: bpy.types.ID, action: bpy.types.Action, frames: Array, *, path: str, values: Array
) -> None:
    """Key one property (T,) that jumps from frame to frame; only where it changes."""
    changes = np.concatenate([[True], np.diff(values) != 0])
    curve = _ensure_curve(action, animated, path, index=0, group=path)
    _set_keys(curve, frames[changes], values[changes], "CONSTANT")


def rotation_channel(turned: bpy.types.Object | bpy.types.PoseBone, quats: Array) -> tuple[str, Array]:
    """Return the channel of a bone's or an object's rotation mode and quaternions (T, 4) as its values."""
    mode = turned.rotation_mode
    if mode == "QUATERNION":
        return "rotation_quaternion", quat_continuous(quats)
    if mode == "AXIS_ANGLE":
        return "rotation_axis_angle", axis_angle_from_quat(quats)
    assert mode in EULER_ORDERS
    return "rotation_euler", euler_from_quat(quats, mode)


def action_curves(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    """Return all curves of an action, of all its slots."""
    if not SLOTTED_ACTIONS:
        return list(action.fcurves)
    return [
        curve
        for layer in action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        for curve in bag.fcurves
    ]


def curve_values(curve: bpy.types.FCurve, frames: Array) -> Array:
    """Return what a curve is on whole frames (T,)."""
    points = curve.keyframe_points
    if len(points) == len(frames) and not curve.modifiers:
        places = np.empty(2 * len(frames), dtype=np.float32)
        points.foreach_get("co", places)
        if (places[0::2] == frames).all():
            return places[1::2].astype(np.float64)
    return np.array([curve.evaluate(frame) for frame in frames])


def _check(armature_object: bpy.types.Object, curves: BoneCurves) -> None:
    name = armature_object.name
    if armature_object.library is not None:
        raise RigError(
            f"{name!r} is linked from {armature_object.library.filepath!r} and cannot be animated here",
            hint="Choose Object > Library Override > Make, then try again.",
        )
    animation = armature_object.animation_data
    if animation is not None and animation.use_tweak_mode:
        raise RigError(
            f"A strip of {name!r} is being edited in the NLA editor",
            hint="Leave tweak mode (Tab in the NLA editor), then try again.",
        )
    wanted = {*curves.rotations, *curves.locations, *(bone for bone, _ in curves.properties)}
    missing = sorted(wanted - set(armature_object.pose.bones.keys()))
    if missing:
        raise RigError(
            f"{name!r} has no bones {', '.join(map(repr, missing[:5]))} ({len(missing)} are missing of "
            f"{len(wanted)} to be keyed)",
            hint="Map the rig again: its bones have changed.",
        )


@contextmanager
def new_action(animated: bpy.types.ID, name: str) -> Iterator[bpy.types.Action]:
    """Give an object or other data a new action; on an error the one before comes back."""
    had_data = animated.animation_data is not None
    data = animated.animation_data_create()
    before = data.action
    slot = data.action_slot if SLOTTED_ACTIONS else None
    action = bpy.data.actions.new(name)
    finished = False
    try:
        data.action = action
        yield action
        finished = True
    finally:
        if not finished:
            data.action = before
            if before is not None and slot is not None:
                data.action_slot = slot
            bpy.data.actions.remove(action)
            if not had_data:
                animated.animation_data_clear()
    if before is not None and before.users == 0 and before.library is None:
        before.use_fake_user = True  # it would be gone after saving and opening


def _switch_properties(
    armature_object: bpy.types.Object, action: bpy.types.Action, curves: BoneCurves
) -> None:
    """Key properties once, at the first frame, and set them."""
    for (bone_name, name), value in curves.properties.items():
        pose_bone = armature_object.pose.bones[bone_name]
        if name not in pose_bone:
            continue
        kind = type(pose_bone[name])
        escaped = bpy.utils.escape_identifier
        path = f'pose.bones["{escaped(bone_name)}"]["{escaped(name)}"]'
        curve = _ensure_curve(action, armature_object, path, index=0, group=bone_name)
        _set_keys(curve, curves.frames[:1], np.array([value]), "CONSTANT")
        pose_bone[name] = kind(value)


def _is_still(values: Array) -> bool:
    """Return whether values (T, N) stay what they are at the start."""
    # Most that move show it in the middle; the whole is looked at only if they do not.
    middle = values[len(values) // 2]
    return bool((np.abs(middle - values[0]) < STILL).all() and (np.ptp(values, axis=0) < STILL).all())


def _ensure_curve(
    action: bpy.types.Action, animated: bpy.types.ID, path: str, *, index: int, group: str
) -> bpy.types.FCurve:
    if GROUP_ARGUMENT:
        return action.fcurve_ensure_for_datablock(animated, path, index=index, group_name=group)
    if SLOTTED_ACTIONS:
        curve = action.fcurve_ensure_for_datablock(animated, path, index=index)
        bag = action.layers[0].strips[0].channelbag(animated.animation_data.action_slot)
        curve.group = bag.groups.get(group) or bag.groups.new(group)
        return curve
    found = action.fcurves.find(path, index=index)
    return found or action.fcurves.new(path, index=index, action_group=group)


def _set_keys(curve: bpy.types.FCurve, frames: Array, values: Array, interpolation: str) -> None:
    """Put keys on a curve that has none."""
    count = len(frames)
    places = np.empty(2 * count, dtype=np.float32)
    places[0::2], places[1::2] = frames, values
    points = curve.keyframe_points
    points.add(count - len(points))
    points.foreach_set("co", places)
    points.foreach_set("interpolation", np.full(count, INTERPOLATIONS[interpolation], dtype=np.uint8))
    handles = np.full(count, HANDLE_VECTOR, dtype=np.uint8)  # as stored: three times as fast
    points.foreach_set("handle_left_type", handles)
    points.foreach_set("handle_right_type", handles)
    curve.update()
