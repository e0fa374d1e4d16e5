# SPDX-License-Identifier: GPL-3.0-or-later
"""MikuMikuDance, in Japanese."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="mmd",
    label="MikuMikuDance",
    sides=("左", "右"),
    bones={
        "root": ("全ての親",),
        "centre": ("センター",),
        "pelvis": ("下半身",),
        "spine": ("上半身", "上半身2"),
        "neck": ("首",),
        "head": ("頭",),
        "clavicle": ("{s}肩",),
        "upper_arm": ("{s}腕",),
        "forearm": ("{s}ひじ",),
        "hand": ("{s}手首",),
        "thigh": ("{s}足",),
        "shin": ("{s}ひざ",),
        "foot": ("{s}足首",),
        "toe": ("{s}つま先",),
        "upper_arm_twist": ("{s}腕捩",),
        "forearm_twist": ("{s}手捩",),
        "foot_ik": ("{s}足IK",),
    },
)
