# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixamo, and others with the same names after a prefix (MotionBuilder, Rokoko)."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="mixamo",
    label="Mixamo",
    sides=("Left", "Right"),
    bones={
        "pelvis": ("Hips",),
        "spine": ("Spine", "Spine1", "Spine2", "Spine3", "Spine4"),
        "neck": ("Neck", "Neck1"),
        "head": ("Head",),
        "clavicle": ("{s}Shoulder",),
        "upper_arm": ("{s}Arm",),
        "forearm": ("{s}ForeArm",),
        "hand": ("{s}Hand",),
        "thigh": ("{s}UpLeg",),
        "shin": ("{s}Leg",),
        "foot": ("{s}Foot",),
        "toe": ("{s}ToeBase",),
        "upper_arm_twist": ("{s}ArmRoll",),
        "forearm_twist": ("{s}ForeArmRoll",),
        "thigh_twist": ("{s}UpLegRoll",),
        "shin_twist": ("{s}LegRoll",),
    },
    prefixes=("", "Character1_", "mixamorig_", "mixamorig"),
)
