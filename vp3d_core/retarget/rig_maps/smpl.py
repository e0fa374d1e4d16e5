# SPDX-License-Identifier: GPL-3.0-or-later
"""SMPL and its relatives."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="smpl",
    label="SMPL",
    sides=("L", "R"),
    bones={
        "pelvis": ("Pelvis",),
        "spine": ("Spine1|Torso", "Spine2|Spine", "Spine3|Chest"),
        "neck": ("Neck",),
        "head": ("Head",),
        "clavicle": ("{s}_Collar|{s}_Thorax",),
        "upper_arm": ("{s}_Shoulder",),
        "forearm": ("{s}_Elbow",),
        "hand": ("{s}_Wrist",),
        "thigh": ("{s}_Hip",),
        "shin": ("{s}_Knee",),
        "foot": ("{s}_Ankle",),
        "toe": ("{s}_Foot|{s}_Toe",),
    },
    prefixes=("", "m_avg_", "f_avg_"),
)
