# SPDX-License-Identifier: GPL-3.0-or-later
"""3ds Max Biped, and Valve's names after it; spaces may have become underscores."""

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
        "head": (" Head| Head1",),
        "clavicle": (" {s} Clavicle",),
        "upper_arm": (" {s} UpperArm",),
        "forearm": (" {s} Forearm",),
        "hand": (" {s} Hand",),
        "thigh": (" {s} Thigh",),
        "shin": (" {s} Calf",),
        "foot": (" {s} Foot",),
        "toe": (" {s} Toe0",),
        "upper_arm_twist": (" {s}UpArmTwist", " {s}UpArmTwist1", " {s}UpArmTwist2"),
        "forearm_twist": (" {s} ForeTwist", " {s} ForeTwist1", " {s} ForeTwist2"),
        "thigh_twist": (" {s}ThighTwist", " {s}ThighTwist1", " {s}ThighTwist2"),
        "shin_twist": (" {s}CalfTwist", " {s}CalfTwist1", " {s}CalfTwist2"),
    },
    prefixes=("Bip001", "Bip01", "Bip02", "Bip002", "ValveBiped.Bip01", "Bip"),
)
