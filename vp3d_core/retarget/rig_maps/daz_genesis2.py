# SPDX-License-Identifier: GPL-3.0-or-later
"""Poser, and Daz up to Genesis 2."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="daz_genesis2",
    label="Poser / Daz Genesis 2",
    sides=("l", "r"),
    bones={
        "centre": ("hip",),
        "pelvis": ("pelvis|hip",),
        "spine": ("abdomen", "abdomen2", "chest"),
        "neck": ("neck",),
        "head": ("head",),
        "clavicle": ("{s}Collar",),
        "upper_arm": ("{s}Shldr",),
        "forearm": ("{s}ForeArm",),
        "hand": ("{s}Hand",),
        "thigh": ("{s}Thigh",),
        "shin": ("{s}Shin",),
        "foot": ("{s}Foot",),
        "toe": ("{s}Toe",),
    },
)
