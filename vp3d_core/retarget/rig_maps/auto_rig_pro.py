# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto-Rig Pro: its FK controls."""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="auto_rig_pro",
    label="Auto-Rig Pro",
    sides=("l", "r"),
    bones={
        "root": ("c_traj",),
        "centre": ("c_root_master.x",),
        "pelvis": ("c_root.x",),
        "spine": ("c_spine_01.x", "c_spine_02.x", "c_spine_03.x", "c_spine_04.x", "c_spine_05.x"),
        "neck": ("c_neck.x",),
        "head": ("c_head.x",),
        "clavicle": ("c_shoulder.{s}",),
        "upper_arm": ("c_arm_fk.{s}",),
        "forearm": ("c_forearm_fk.{s}",),
        "hand": ("c_hand_fk.{s}",),
        "thigh": ("c_thigh_fk.{s}",),
        "shin": ("c_leg_fk.{s}",),
        "foot": ("c_foot_fk.{s}",),
        "toe": ("c_toes_fk.{s}",),
        "hand_ik": ("c_hand_ik.{s}",),
        "foot_ik": ("c_foot_ik.{s}",),
        "elbow_pole": ("c_arms_pole.{s}",),
        "knee_pole": ("c_leg_pole.{s}",),
    },
    fk_properties={
        "c_hand_ik.{s}[ik_fk_switch]": 1.0,
        "c_foot_ik.{s}[ik_fk_switch]": 1.0,
    },
    ik_properties={
        "c_hand_ik.{s}[ik_fk_switch]": 0.0,
        "c_foot_ik.{s}[ik_fk_switch]": 0.0,
    },
)
