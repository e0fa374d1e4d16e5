# SPDX-License-Identifier: GPL-3.0-or-later
"""The CMU mocap library as BVH, and the MPFB rig of that name."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="cmu",
    label="CMU mocap",
    sides=("Left", "Right"),
    bones={
        "pelvis": ("Hips",),
        "spine": ("LowerBack", "Spine", "Spine1"),
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
    },
)
