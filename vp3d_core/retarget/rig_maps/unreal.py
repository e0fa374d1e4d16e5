# SPDX-License-Identifier: GPL-3.0-or-later
"""The Unreal mannequin (UE4, UE5), and what copies its names, as the MPFB game engine rig does."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="unreal",
    label="Unreal mannequin",
    sides=("l", "r"),
    bones={
        "root": ("root",),
        "pelvis": ("pelvis",),
        "spine": ("spine_01", "spine_02", "spine_03", "spine_04", "spine_05"),
        "neck": ("neck_01", "neck_02"),
        "head": ("head",),
        "clavicle": ("clavicle_{s}",),
        "upper_arm": ("upperarm_{s}",),
        "forearm": ("lowerarm_{s}",),
        "hand": ("hand_{s}",),
        "thigh": ("thigh_{s}",),
        "shin": ("calf_{s}",),
        "foot": ("foot_{s}",),
        "toe": ("ball_{s}",),
        "upper_arm_twist": ("upperarm_twist_01_{s}", "upperarm_twist_02_{s}"),
        "forearm_twist": ("lowerarm_twist_01_{s}", "lowerarm_twist_02_{s}"),
        "thigh_twist": ("thigh_twist_01_{s}", "thigh_twist_02_{s}"),
        "shin_twist": ("calf_twist_01_{s}", "calf_twist_02_{s}"),
    },
)
