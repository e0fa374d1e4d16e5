# SPDX-License-Identifier: GPL-3.0-or-later
"""A generated Rigify rig: its FK controls and its IK controls.

The spine's FK chain hangs on the torso at its middle, the lower half upside down. Following is set so that
plain FK holds: no control keeps its rotation in the world.
"""

from ..rig_family import RigFamily

FAMILY = RigFamily(
    name="rigify",
    label="Rigify",
    sides=("L", "R"),
    bones={
        "root": ("root",),
        "centre": ("torso",),
        "pelvis": ("spine_fk",),
        "spine": ("spine_fk.001", "spine_fk.002", "spine_fk.003"),
        "neck": ("neck",),
        "head": ("head",),
        "clavicle": ("shoulder.{s}",),
        "upper_arm": ("upper_arm_fk.{s}",),
        "forearm": ("forearm_fk.{s}",),
        "hand": ("hand_fk.{s}",),
        "thigh": ("thigh_fk.{s}",),
        "shin": ("shin_fk.{s}",),
        "foot": ("foot_fk.{s}",),
        "toe": ("toe_fk.{s}|toe.{s}",),
        "hand_ik": ("hand_ik.{s}",),
        "foot_ik": ("foot_ik.{s}",),
        "elbow_pole": ("upper_arm_ik_target.{s}",),
        "knee_pole": ("thigh_ik_target.{s}",),
    },
    fk_properties={
        "upper_arm_parent.{s}[IK_FK]": 1.0,
        "thigh_parent.{s}[IK_FK]": 1.0,
        "upper_arm_parent.{s}[FK_limb_follow]": 0.0,
        "thigh_parent.{s}[FK_limb_follow]": 0.0,
        "torso[neck_follow]": 1.0,
        "torso[head_follow]": 1.0,
    },
    ik_properties={
        "upper_arm_parent.{s}[IK_FK]": 0.0,
        "thigh_parent.{s}[IK_FK]": 0.0,
        "upper_arm_parent.{s}[pole_vector]": 1.0,
        "thigh_parent.{s}[pole_vector]": 1.0,
        "upper_arm_parent.{s}[pole_parent]": 0.0,
        "thigh_parent.{s}[pole_parent]": 0.0,
        "upper_arm_parent.{s}[IK_Stretch]": 0.0,
        "thigh_parent.{s}[IK_Stretch]": 0.0,
        "torso[neck_follow]": 1.0,
        "torso[head_follow]": 1.0,
    },
    root_properties={
        "torso[torso_parent]": 0.0,
        "upper_arm_parent.{s}[IK_parent]": 0.0,
        "thigh_parent.{s}[IK_parent]": 0.0,
    },
    follows={"ORG-shoulder.{s}": "shoulder.{s}"},
)
