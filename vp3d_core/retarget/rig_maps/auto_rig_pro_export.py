# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto-Rig Pro, exported to a game engine or FBX."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="auto_rig_pro_export",
    label="Auto-Rig Pro export",
    sides=("l", "r"),
    bones={
        "root": ("root",),
        "pelvis": ("root.x",),
        "spine": ("spine_01.x", "spine_02.x", "spine_03.x", "spine_04.x", "spine_05.x"),
        "neck": ("neck.x",),
        "head": ("head.x",),
        "clavicle": ("shoulder.{s}",),
        "upper_arm": ("arm_stretch.{s}",),
        "forearm": ("forearm_stretch.{s}",),
        "hand": ("hand.{s}",),
        "thigh": ("thigh_stretch.{s}",),
        "shin": ("leg_stretch.{s}",),
        "foot": ("foot.{s}",),
        "toe": ("toes_01.{s}",),
        "upper_arm_twist": ("arm_twist.{s}",),
        "forearm_twist": ("forearm_twist.{s}",),
        "thigh_twist": ("thigh_twist.{s}",),
        "shin_twist": ("leg_twist.{s}",),
    },
)
