# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests look at in an evaluated scene."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from vp3d.vp3d_core.armature_plan import joint_ends
from vp3d.vp3d_core.arrays import Array
from vp3d.vp3d_core.motion import Motion
from vp3d.vp3d_core.planned_bone import PlannedBone


def evaluated(armature_object: bpy.types.Object, frame: int) -> bpy.types.Object:
    """Return the object as it is on a scene frame."""
    bpy.context.scene.frame_set(frame)
    return armature_object.evaluated_get(bpy.context.evaluated_depsgraph_get())


def joints_in_scene(
    armature_object: bpy.types.Object, frame: int, *, motion: Motion, bones: Sequence[PlannedBone]
) -> Array:
    """Return where the joints of a motion (J, 3) m lie on a frame, taken from heads and tails of bones."""
    posed = evaluated(armature_object, frame)
    ends = joint_ends(motion.skeleton, bones)
    places = []
    for name in motion.skeleton.names:
        bone, at_tail = ends[name]
        pose_bone = posed.pose.bones[bone]
        places.append(posed.matrix_world @ (pose_bone.tail if at_tail else pose_bone.head))
    return np.array(places)
