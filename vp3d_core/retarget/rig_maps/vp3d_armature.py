# SPDX-License-Identifier: GPL-3.0-or-later
"""The armature that is made for a capture."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="vp3d_armature",
    label="VP3D armature",
    sides=("L", "R"),
    bones={
        "pelvis": ("hips",),
        "spine": ("spine", "chest"),
        "neck": ("neck",),
        "head": ("head",),
        "clavicle": ("shoulder.{s}",),
        "upper_arm": ("upper_arm.{s}",),
        "forearm": ("forearm.{s}",),
        "hand": ("hand.{s}",),
        "thigh": ("thigh.{s}",),
        "shin": ("shin.{s}",),
        "foot": ("foot.{s}",),
        "heel": ("heel.{s}",),
    },
)
