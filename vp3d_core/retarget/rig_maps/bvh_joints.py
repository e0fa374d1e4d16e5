# SPDX-License-Identifier: GPL-3.0-or-later
"""BVH files that name the joint rather than the bone (Xsens, Cyberglove, many others)."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="bvh_joints",
    label="BVH joints",
    sides=("Left", "Right"),
    bones={
        "pelvis": ("Hips|Hip|Pelvis",),
        "spine": ("LowerBack", "Spine", "Chest", "Chest2", "Chest3", "Chest4"),
        "neck": ("LowerNeck", "Neck"),
        "head": ("Head",),
        "clavicle": ("{s}Collar",),
        "upper_arm": ("{s}Shoulder",),
        "forearm": ("{s}Elbow",),
        "hand": ("{s}Wrist",),
        "thigh": ("{s}Hip",),
        "shin": ("{s}Knee",),
        "foot": ("{s}Ankle",),
        "toe": ("{s}Toe",),
    },
)
