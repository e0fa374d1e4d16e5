# SPDX-License-Identifier: GPL-3.0-or-later
"""A Rigify metarig, before it is generated."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="rigify_metarig",
    label="Rigify metarig",
    sides=("L", "R"),
    bones={
        "pelvis": ("spine",),
        "spine": ("spine.001", "spine.002", "spine.003"),
        "neck": ("spine.004", "spine.005"),
        "head": ("spine.006",),
        "clavicle": ("shoulder.{s}",),
        "upper_arm": ("upper_arm.{s}",),
        "forearm": ("forearm.{s}",),
        "hand": ("hand.{s}",),
        "thigh": ("thigh.{s}",),
        "shin": ("shin.{s}",),
        "foot": ("foot.{s}",),
        "toe": ("toe.{s}",),
    },
)
