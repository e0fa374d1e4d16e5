# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring what one armature does onto another, as a new action."""

from __future__ import annotations

import bpy
import numpy as np

from ..vp3d_core.arrays import Array
from ..vp3d_core.retarget.retarget import retarget
from ..vp3d_core.retarget.rig import Rig
from ..vp3d_core.retarget.rig_map import RigMap
from ..vp3d_core.retarget.settings import RetargetSettings
from .armature import read_rig
from .fcurves import write_curves
from .motion_reading import read_motion
from .scene_settings import scene_rate
from .shown import shown

__all__ = ["apply_retarget", "current_pose"]


def apply_retarget(
    source: bpy.types.Object,
    target: bpy.types.Object,
    rig_map: RigMap,
    settings: RetargetSettings,
    *,
    context: bpy.types.Context,
    use_current_pose: bool = False,
) -> bpy.types.Action:
    """Bring the motion of a source armature onto a target, and return the target's new action.

    The keys come on the source's own frames. Of the target only the mapped bones are keyed, and the switches
    between FK and IK that the map names; nothing else in the file changes, and nothing at all on an error.

    Args:
        source: An animated armature.
        target: A local armature object or a library override.
        rig_map: Roles of the target's bones.
        settings: The user's choices.
        context: Gives the scene.
        use_current_pose: Whether the pose in which the target stands now is the one that the source's rest
            pose is to be matched with, instead of the target's rest pose.

    Raises:
        InputError: The source does not move.
        RigError: The map does not fit the target, or the target cannot be animated.
    """
    rate_hz = scene_rate(context.scene)
    motion = read_motion(source, context=context, first_frame=0)
    rig = read_rig(target)
    pose = current_pose(target, rig, context) if use_current_pose else None
    curves = retarget(
        motion, rig, rig_map, settings, frames_per_second=rate_hz, first_frame=0, alignment_pose=pose
    )
    return write_curves(target, curves, action_name=f"{target.name} {source.animation_data.action.name}")


def current_pose(target: bpy.types.Object, rig: Rig, context: bpy.types.Context) -> Array:
    """Return the pose matrices (B, 4, 4), armature space, of the pose that an armature object stands in."""
    with shown(target, context):
        posed = target.evaluated_get(context.evaluated_depsgraph_get()).pose.bones
        return np.array([posed[name].matrix for name in rig.bone_names], dtype=np.float64)
