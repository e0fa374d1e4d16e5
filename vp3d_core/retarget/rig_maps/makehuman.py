# SPDX-License-Identifier: GPL-3.0-or-later
"""MakeHuman and MPFB, default rig."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="makehuman",
    label="MakeHuman / MPFB default",
    sides=("L", "R"),
    bones={
        "pelvis": ("root",),
        "spine": ("spine05", "spine04", "spine03", "spine02", "spine01"),
        "neck": ("neck01", "neck02", "neck03"),
        "head": ("head",),
        "clavicle": ("clavicle.{s}", "shoulder01.{s}"),
        "upper_arm": ("upperarm01.{s}", "upperarm02.{s}"),
        "forearm": ("lowerarm01.{s}", "lowerarm02.{s}"),
        "hand": ("wrist.{s}",),
        "thigh": ("upperleg01.{s}", "upperleg02.{s}"),
        "shin": ("lowerleg01.{s}", "lowerleg02.{s}"),
        "foot": ("foot.{s}",),
        "toe": ("toe1-1.{s}",),
    },
)
