# SPDX-License-Identifier: GPL-3.0-or-later
"""Daz Genesis 9."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="daz_genesis9",
    label="Daz Genesis 9",
    sides=("l", "r"),
    bones={
        "centre": ("hip",),
        "pelvis": ("pelvis",),
        "spine": ("spine1", "spine2", "spine3", "spine4"),
        "neck": ("neck1", "neck2"),
        "head": ("head",),
        "clavicle": ("{s}_shoulder",),
        "upper_arm": ("{s}_upperarm",),
        "forearm": ("{s}_forearm",),
        "hand": ("{s}_hand",),
        "thigh": ("{s}_thigh",),
        "shin": ("{s}_shin",),
        "foot": ("{s}_foot", "{s}_metatarsals"),
        "toe": ("{s}_toes",),
        "upper_arm_twist": ("{s}_upperarmtwist1", "{s}_upperarmtwist2"),
        "forearm_twist": ("{s}_forearmtwist1", "{s}_forearmtwist2"),
        "thigh_twist": ("{s}_thightwist1", "{s}_thightwist2"),
    },
)
