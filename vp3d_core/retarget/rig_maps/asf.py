# SPDX-License-Identifier: GPL-3.0-or-later
"""The CMU mocap library as ASF and AMC."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="asf",
    label="CMU ASF",
    sides=("l", "r"),
    bones={
        "pelvis": ("root",),
        "spine": ("lowerback", "upperback", "thorax"),
        "neck": ("lowerneck", "upperneck"),
        "head": ("head",),
        "clavicle": ("{s}clavicle",),
        "upper_arm": ("{s}humerus",),
        "forearm": ("{s}radius",),
        "hand": ("{s}wrist", "{s}hand"),
        "thigh": ("{s}femur",),
        "shin": ("{s}tibia",),
        "foot": ("{s}foot",),
        "toe": ("{s}toes",),
    },
)
