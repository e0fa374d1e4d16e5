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

# Role, and the joints of the motion that its bone runs between; with the role that begins where it ends.
LIMBS = [
    (f"{side}_{role}", f"{side}_{start}", f"{side}_{end}", f"{side}_{after}")
    for side in ("left", "right")
    for role, start, end, after in (
        ("upper_arm", "shoulder", "elbow", "forearm"),
        ("forearm", "elbow", "wrist", "hand"),
        ("thigh", "hip", "knee", "shin"),
        ("shin", "knee", "ankle", "foot"),
    )
]


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


def bone_heads(target, names, frames):
    """Heads (T, B, 3) m in the world, as Blender evaluates them."""
    return bone_places(target, names, frames, end="head")


def bone_tails(target, names, frames):
    """Tails (T, B, 3) m in the world, as Blender evaluates them."""
    return bone_places(target, names, frames, end="tail")


def bone_places(target, names, frames, *, end):
    """Heads or tails (T, B, 3) m in the world."""
    result = np.zeros((len(frames), len(names), 3))
    for number, frame in enumerate(frames):
        bpy.context.scene.frame_set(frame)
        posed = target.evaluated_get(bpy.context.evaluated_depsgraph_get())
        result[number] = [posed.matrix_world @ getattr(posed.pose.bones[name], end) for name in names]
    return result


def limb_errors_deg(target, bone_of_role, motion, frames=range(1, 61, 3)):
    """Angles (T, L) between the target's limbs and the motion's."""
    joints, names = motion.joints_world(), motion.skeleton.names
    errors = []
    for role, start, end, after in LIMBS:
        heads = bone_heads(target, [bone_of_role[role], bone_of_role[after]], frames)
        found = heads[:, 1] - heads[:, 0]
        expected = (joints[:, names.index(end)] - joints[:, names.index(start)])[np.array(frames) - 1]
        cosine = (
            (found * expected).sum(-1) / np.linalg.norm(found, axis=-1) / np.linalg.norm(expected, axis=-1)
        )
        errors.append(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
    return np.stack(errors, axis=-1)
