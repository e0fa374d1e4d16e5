# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the VRM and Unity humanoid."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="humanoid",
    label="VRM / Unity humanoid",
    sides=("Left", "Right"),
    bones={
        "root": ("Root",),
        "pelvis": ("Hips",),
        "spine": ("Spine", "Chest", "UpperChest"),
        "neck": ("Neck",),
        "head": ("Head",),
        "clavicle": ("{s}Shoulder",),
        "upper_arm": ("{s}UpperArm",),
        "forearm": ("{s}LowerArm",),
        "hand": ("{s}Hand",),
        "thigh": ("{s}UpperLeg",),
        "shin": ("{s}LowerLeg",),
        "foot": ("{s}Foot",),
        "toe": ("{s}Toes|{s}Toe|{s}ToeBase",),
    },
)
