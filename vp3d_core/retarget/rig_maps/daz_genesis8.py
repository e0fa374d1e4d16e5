# SPDX-License-Identifier: GPL-3.0-or-later
"""Daz Genesis 3 and 8."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="daz_genesis8",
    label="Daz Genesis 3 / 8",
    sides=("l", "r"),
    bones={
        "centre": ("hip",),
        "pelvis": ("pelvis",),
        "spine": ("abdomenLower", "abdomenUpper", "chestLower", "chestUpper"),
        "neck": ("neckLower", "neckUpper"),
        "head": ("head",),
        "clavicle": ("{s}Collar",),
        "upper_arm": ("{s}ShldrBend", "{s}ShldrTwist"),
        "forearm": ("{s}ForearmBend", "{s}ForearmTwist"),
        "hand": ("{s}Hand",),
        "thigh": ("{s}ThighBend", "{s}ThighTwist"),
        "shin": ("{s}Shin",),
        "foot": ("{s}Foot", "{s}Metatarsals"),
        "toe": ("{s}Toe",),
    },
)
