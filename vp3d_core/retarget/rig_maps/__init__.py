# SPDX-License-Identifier: GPL-3.0-or-later
"""Families of rigs by the names of their bones: data only, one file a family."""

from __future__ import annotations

from ..rig_family import RigFamily
from . import (
    asf,
    auto_rig_pro,
    auto_rig_pro_export,
    biped,
    bvh_joints,
    character_creator,
    cmu,
    daz_genesis2,
    daz_genesis8,
    daz_genesis9,
    humanoid,
    makehuman,
    mixamo,
    mmd,
    mmd_tools,
    optitrack,
    rigify,
    rigify_metarig,
    smpl,
    unreal,
    vp3d,
    vp3d_armature,
    vroid,
)

__all__ = ["FAMILIES"]

# Of families that fit alike the first counts.
FAMILIES: tuple[RigFamily, ...] = (
    vp3d.FAMILY,
    vp3d_armature.FAMILY,
    rigify.FAMILY,
    rigify_metarig.FAMILY,
    mixamo.FAMILY,
    cmu.FAMILY,
    unreal.FAMILY,
    humanoid.FAMILY,
    vroid.FAMILY,
    makehuman.FAMILY,
    daz_genesis8.FAMILY,
    daz_genesis9.FAMILY,
    daz_genesis2.FAMILY,
    character_creator.FAMILY,
    biped.FAMILY,
    auto_rig_pro.FAMILY,
    auto_rig_pro_export.FAMILY,
    bvh_joints.FAMILY,
    smpl.FAMILY,
    asf.FAMILY,
    mmd.FAMILY,
    mmd_tools.FAMILY,
    optitrack.FAMILY,
)
