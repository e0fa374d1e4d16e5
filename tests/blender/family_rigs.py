# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs of each known family, built in Blender: its bone names on a body other than a capture's."""

from __future__ import annotations

from math import radians

import bpy
import numpy as np
from mathutils import Matrix, Vector
from vp3d.addon.armature import build_armature, motion_curves
from vp3d.addon.fcurves import write_curves
from vp3d.addon.motion_properties import key_properties
from vp3d.vp3d_core.retarget.rig_family import RigFamily

from tests.blender.motions import walking

# From and to (m, left side, arms held out), and the parent part.
PARTS = {
    "root": ((0, 0, 0), (0, 0.3, 0), ""),
    "centre": ((0, 0, 1.0), (0, 0.2, 1.0), "root"),
    "pelvis": ((0, 0, 1.0), (0, 0, 1.1), "centre"),
    "spine": ((0, 0, 1.1), (0, -0.02, 1.5), "pelvis"),
    "neck": ((0, -0.02, 1.55), (0, -0.04, 1.65), "spine"),
    "head": ((0, -0.04, 1.65), (0, -0.04, 1.88), "neck"),
    "clavicle": ((0.03, -0.03, 1.47), (0.2, 0.02, 1.5), "spine"),
    "upper_arm": ((0.2, 0.02, 1.5), (0.5, 0.03, 1.5), "clavicle"),
    "forearm": ((0.5, 0.03, 1.5), (0.77, 0.02, 1.5), "upper_arm"),
    "hand": ((0.77, 0.02, 1.5), (0.87, 0.02, 1.49), "forearm"),
    "thigh": ((0.11, 0, 0.96), (0.12, -0.01, 0.53), "pelvis"),
    "shin": ((0.12, -0.01, 0.53), (0.12, 0.03, 0.1), "thigh"),
    "foot": ((0.12, 0.03, 0.1), (0.13, -0.11, 0.02), "shin"),
    "toe": ((0.13, -0.11, 0.02), (0.13, -0.18, 0.02), "foot"),
    "heel": ((0.12, 0.03, 0.1), (0.12, 0.08, 0.0), "foot"),
}
MIDDLE = ("root", "centre", "pelvis", "spine", "neck", "head")
FROM_SHOULDER = ("upper_arm", "forearm", "hand")
ROTATION_MODES = ("QUATERNION", "XYZ", "ZYX", "YXZ", "AXIS_ANGLE")


def build_family_rig(family: RigFamily, *, arms_down_deg: float = 0.0, seed: int = 0) -> bpy.types.Object:
    """Make an armature object with a family's bones, arbitrary rolls and mixed rotation modes.

    Args:
        family: Names of the bones; of "a|b" the first.
        arms_down_deg: 0 for a T-pose, about 45 for an A-pose.
        seed: Of rolls and rotation modes.
    """
    rng = np.random.default_rng(seed)
    armature = bpy.data.armatures.new(family.name)
    armature_object = bpy.data.objects.new(family.name, armature)
    bpy.context.scene.collection.objects.link(armature_object)
    bpy.context.view_layer.objects.active = armature_object
    bpy.ops.object.mode_set(mode="EDIT")
    last: dict[tuple[str, str], bpy.types.EditBone] = {}
    for part, (start, end, _) in PARTS.items():
        for side in ("",) if part in MIDDLE else ("left", "right"):
            names = family.names_by_role().get(f"{side}_{part}" if side else part, ())
            parent = next((last[key] for key in _above(part, side) if key in last), None)
            ends = [_placed(point, part, side, arms_down_deg) for point in (start, end)]
            for bone in _add_chain(armature, [name_in(family, name) for name in names], ends, parent):
                bone.roll = rng.uniform(-np.pi, np.pi)
                last[part, side] = bone
    bpy.ops.object.mode_set(mode="OBJECT")
    for pose_bone in armature_object.pose.bones:
        pose_bone.rotation_mode = str(rng.choice(ROTATION_MODES))
    return armature_object


def walking_source() -> bpy.types.Object:
    """Make a capture's armature that walks, on scene frames 1 to 60, as an import does."""
    bpy.context.scene.render.fps = 30
    motion = walking()
    collection = bpy.context.scene.collection
    made, bones = build_armature(motion, name="Source", context=bpy.context, collection=collection)
    frames = np.arange(1.0, 61.0)
    curves = motion_curves(motion, made, bones=bones, frames=frames)
    action = write_curves(made, curves, action_name="Walk")
    key_properties(made, action, motion, frames)
    return made


def name_in(family: RigFamily, name: str) -> str:
    """Return the name of a bone as it stands in the rigs of these tests."""
    prefix = "mixamorig:" if family.name == "mixamo" else family.prefixes[0]
    return prefix + name.split("|")[0]


def _add_chain(armature, names, ends, parent) -> list[bpy.types.EditBone]:
    """Add bones one after the other on a line."""
    made: list[bpy.types.EditBone] = []
    for number, name in enumerate(names):
        bone = armature.edit_bones.new(name)
        bone.head = Vector(ends[0] + (ends[1] - ends[0]) * number / len(names))
        bone.tail = Vector(ends[0] + (ends[1] - ends[0]) * (number + 1) / len(names))
        bone.parent = made[-1] if made else parent
        made.append(bone)
    return made


def _above(part: str, side: str) -> list[tuple[str, str]]:
    """Return the parts that a part may hang on, the nearest first."""
    line: list[tuple[str, str]] = []
    while part := PARTS[part][2]:
        line.append((part, "" if part in MIDDLE else side))
    return line


def _placed(point, part: str, side: str, arms_down_deg: float):
    place = np.array(point, dtype=float)
    if part in FROM_SHOULDER:
        shoulder = np.array(PARTS["upper_arm"][0], dtype=float)
        place = shoulder + np.array(Matrix.Rotation(radians(arms_down_deg), 3, "Y")) @ (place - shoulder)
    return place * [-1.0 if side == "right" else 1.0, 1.0, 1.0]
