# SPDX-License-Identifier: GPL-3.0-or-later
"""VRoid Studio, the usual VRM."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="vroid",
    label="VRoid / VRM",
    sides=("L", "R"),
    bones={
        "root": ("Root",),
        "pelvis": ("J_Bip_C_Hips",),
        "spine": ("J_Bip_C_Spine", "J_Bip_C_Chest", "J_Bip_C_UpperChest"),
        "neck": ("J_Bip_C_Neck",),
        "head": ("J_Bip_C_Head",),
        "clavicle": ("J_Bip_{s}_Shoulder",),
        "upper_arm": ("J_Bip_{s}_UpperArm",),
        "forearm": ("J_Bip_{s}_LowerArm",),
        "hand": ("J_Bip_{s}_Hand",),
        "thigh": ("J_Bip_{s}_UpperLeg",),
        "shin": ("J_Bip_{s}_LowerLeg",),
        "foot": ("J_Bip_{s}_Foot",),
        "toe": ("J_Bip_{s}_ToeBase",),
    },
)
