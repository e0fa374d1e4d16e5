# SPDX-License-Identifier: GPL-3.0-or-later
"""OptiTrack Motive, in its short names."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="optitrack",
    label="OptiTrack Motive",
    sides=("L", "R"),
    bones={
        "pelvis": ("Hip",),
        "spine": ("Ab", "Chest"),
        "neck": ("Neck",),
        "head": ("Head",),
        "clavicle": ("{s}Shoulder",),
        "upper_arm": ("{s}UArm",),
        "forearm": ("{s}FArm",),
        "hand": ("{s}Hand",),
        "thigh": ("{s}Thigh",),
        "shin": ("{s}Shin",),
        "foot": ("{s}Foot",),
        "toe": ("{s}Toe",),
    },
)
