# SPDX-License-Identifier: GPL-3.0-or-later
"""The joints of a capture: bones named for the joint they start at."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="vp3d",
    label="VP3D capture",
    sides=("left", "right"),
    bones={
        "pelvis": ("pelvis",),
        "spine": ("spine", "thorax"),
        "neck": ("neck",),
        "head": ("head",),
        "clavicle": ("{s}_clavicle",),
        "upper_arm": ("{s}_shoulder",),
        "forearm": ("{s}_elbow",),
        "hand": ("{s}_wrist",),
        "thigh": ("{s}_hip",),
        "shin": ("{s}_knee",),
        "foot": ("{s}_ankle",),
        "heel": ("{s}_heel",),
    },
)
