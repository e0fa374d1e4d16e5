# SPDX-License-Identifier: GPL-3.0-or-later
"""Reallusion Character Creator and iClone."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="character_creator",
    label="Character Creator",
    sides=("L", "R"),
    bones={
        "root": ("RL_BoneRoot|CC_Base_BoneRoot",),
        "centre": ("CC_Base_Hip",),
        "pelvis": ("CC_Base_Pelvis",),
        "spine": ("CC_Base_Waist", "CC_Base_Spine01", "CC_Base_Spine02"),
        "neck": ("CC_Base_NeckTwist01", "CC_Base_NeckTwist02"),
        "head": ("CC_Base_Head",),
        "clavicle": ("CC_Base_{s}_Clavicle",),
        "upper_arm": ("CC_Base_{s}_Upperarm",),
        "forearm": ("CC_Base_{s}_Forearm",),
        "hand": ("CC_Base_{s}_Hand",),
        "thigh": ("CC_Base_{s}_Thigh",),
        "shin": ("CC_Base_{s}_Calf",),
        "foot": ("CC_Base_{s}_Foot",),
        "toe": ("CC_Base_{s}_ToeBase",),
        "upper_arm_twist": ("CC_Base_{s}_UpperarmTwist01", "CC_Base_{s}_UpperarmTwist02"),
        "forearm_twist": ("CC_Base_{s}_ForearmTwist01", "CC_Base_{s}_ForearmTwist02"),
        "thigh_twist": ("CC_Base_{s}_ThighTwist01", "CC_Base_{s}_ThighTwist02"),
        "shin_twist": ("CC_Base_{s}_CalfTwist01", "CC_Base_{s}_CalfTwist02"),
    },
)
