# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the bones of an animated rig are, frame by frame, constraints and all."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ...vp3d_core.arrays import Array
from ...vp3d_core.pose_bvh import BonePoses
from ...vp3d_core.retarget.rig_pose import rotation_parts
from ...vp3d_core.rotations import quat_continuous, quat_from_matrix

__all__ = ["read_poses"]


def read_poses(
    armature: bpy.types.Object, frames: Sequence[int], *, scene: bpy.types.Scene, deform_only: bool
) -> BonePoses:
    """Return the poses of a rig; the scene's frame is as before afterwards.

    Args:
        armature: The armature object.
        frames: Scene frames; evaluating one costs what the rig costs.
        scene: Where it is animated.
        deform_only: Whether bones that deform nothing are left out; their children move up.
    """
    bones = [bone for bone in armature.data.bones if bone.use_deform or not deform_only]
    bones.sort(key=lambda bone: len(bone.parent_recursive))
    index = {bone.name: number for number, bone in enumerate(bones)}
    parents = [_nearest(bone.parent, index) for bone in bones]
    before = scene.frame_current
    places = np.empty((len(frames), len(bones), 4, 4))
    objects = np.empty((len(frames), 4, 4))
    for t, frame in enumerate(frames):  # the depsgraph evaluates one frame at a time
        scene.frame_set(frame)
        evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        objects[t] = np.array(evaluated.matrix_world)
        places[t] = np.array([evaluated.pose.bones[bone.name].matrix for bone in bones])
    scene.frame_set(before)
    rest = objects[0] @ np.array([bone.matrix_local for bone in bones])
    tails = np.array([[*bone.tail_local, 1.0] for bone in bones]) @ objects[0].T
    world = objects[:, None] @ places
    return BonePoses(
        tuple(bone.name for bone in bones),
        tuple(parents),
        rest[:, :3, 3],
        tails[:, :3],
        world[..., :3, 3],
        _turns(rest, world),
    )


def _turns(rest: Array, world: Array) -> Array:
    """Return unit quaternions (T, B, 4) from rest (B, 4, 4) to pose (T, B, 4, 4), without scale."""
    rest_rotations, rotations = rotation_parts(rest), rotation_parts(world)
    return quat_continuous(quat_from_matrix(rotations @ np.swapaxes(rest_rotations, -1, -2)))


def _nearest(bone: bpy.types.Bone | None, index: dict[str, int]) -> int:
    while bone is not None and bone.name not in index:
        bone = bone.parent
    return -1 if bone is None else index[bone.name]
