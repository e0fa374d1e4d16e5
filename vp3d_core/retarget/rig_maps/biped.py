# SPDX-License-Identifier: GPL-3.0-or-later
"""3ds Max Biped."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="biped",
    label="3ds Max Biped",
    sides=("L", "R"),
    bones={
        "centre": ("",),
        "pelvis": (" Pelvis",),
        "spine": (" Spine", " Spine1", " Spine2", " Spine3", " Spine4"),
        "neck": (" Neck", " Neck1", " Neck2"),
        "head": (" Head",),
        "clavicle": (" {s} Clavicle",),
        "upper_arm": (" {s} UpperArm",),
        "forearm": (" {s} Forearm",),
        "hand": (" {s} Hand",),
        "thigh": (" {s} Thigh",),
        "shin": (" {s} Calf",),
        "foot": (" {s} Foot",),
        "toe": (" {s} Toe0",),
        "upper_arm_twist": (" {s} UpArmTwist", " {s} UpArmTwist1"),
        "forearm_twist": (" {s} ForeTwist", " {s} ForeTwist1", " {s} Foretwist"),
        "thigh_twist": (" {s} ThighTwist",),
        "shin_twist": (" {s} CalfTwist",),
    },
    prefixes=("Bip001", "Bip01", "Bip02", "Bip002", "Bip"),
)
