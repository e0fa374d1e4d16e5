# SPDX-License-Identifier: GPL-3.0-or-later
"""MikuMikuDance as mmd_tools imports it: the sides as Blender writes them."""

from ..rig_family import RigFamily
from . import mmd

FAMILY = RigFamily(
    name="mmd_tools",
    label="MikuMikuDance (mmd_tools)",
    sides=("L", "R"),
    bones={
        part: tuple(f"{name.removeprefix('{s}')}.{{s}}" if "{s}" in name else name for name in names)
        for part, names in mmd.FAMILY.bones.items()
    },
)
