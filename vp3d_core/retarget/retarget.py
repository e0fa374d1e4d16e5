# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a motion onto a rig: rotations in the world, the way scaled by leg length. numpy only.

For each mapped bone: pose = turn of the source from its rest · alignment · the bone's rest, all as world
rotations; what is keyed is the basis that gives this pose below the bone's parent.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Array
from ..motion import Motion
from ..rotations import quat_conjugate, quat_from_matrix, quat_multiply
from .alignment import alignment_by_role
from .performance import Performance, perform, resample
from .rest_body import RestBody, rest_body
from .rig import BoneCurves, Rig
from .rig_map import RigMap
from .rig_pose import basis_locations, basis_rotations, pose_bones, rotation_parts
from .roles import BODY_ROLES, CENTRE
from .settings import RetargetSettings
from .source_map import guess_source_map

__all__ = ["retarget"]


def retarget(
    motion: Motion,
    rig: Rig,
    rig_map: RigMap,
    settings: RetargetSettings,
    *,
    frames_per_second: float,
    first_frame: float = 1.0,
    source_map: RigMap | None = None,
) -> BoneCurves:
    """Bring a motion onto a rig.

    Args:
        motion: Of any skeleton.
        rig: The target in its rest pose.
        rig_map: Roles of its bones.
        settings: The user's choices.
        frames_per_second: Of the scene; the motion keeps its duration.
        first_frame: Scene frame of the motion's first.
        source_map: Roles of the motion's joints; None finds them.

    Returns:
        Keys for the mapped bones.

    Raises:
        BoneNotFound, RigMapIncomplete: when a map does not fit.
        RigNotUsable: when a rest pose makes no body.
    """
    rig_map.check(rig)
    known = source_map or guess_source_map(motion.skeleton)
    source = perform(resample(motion, frames_per_second), known)
    target = rest_body(rig, rig_map)
    turns = _bone_turns(source, target, rig, rig_map)
    scale = settings.scale or target.leg_length / source.rest.leg_length
    centre = rig.index((rig_map.first(CENTRE) or rig_map.first("pelvis")) or "")
    places = {centre: _centre_places(source, target, rig, rig_map, turns, centre, scale)}
    posed = pose_bones(rig, source.num_frames, bones=turns, turns=turns, places=places)
    return BoneCurves(
        first_frame + np.arange(source.num_frames),
        {rig.bone_names[bone]: basis_rotations(posed, bone) for bone in turns},
        {rig.bone_names[bone]: basis_locations(posed, bone) for bone in places},
        properties=rig_map.fk_properties,
    )


def _bone_turns(source: Performance, target: RestBody, rig: Rig, rig_map: RigMap) -> dict[int, Array]:
    """Return armature_from_bone rotations (T, 4) of the mapped bones by index."""
    world_turn = quat_from_matrix(rotation_parts(rig.world_from_armature))
    rest = quat_from_matrix(rotation_parts(rig.armature_from_bone))
    aligned = alignment_by_role(source.rest, target)
    turns: dict[int, Array] = {}
    for role in (CENTRE, *BODY_ROLES):
        seen = source.turns.get("pelvis" if role == CENTRE else role)
        if seen is None:
            continue
        for name in rig_map.bones.get(role, ()):
            bone = rig.index(name)
            own = quat_multiply(aligned[role], quat_multiply(world_turn, rest[bone]))
            turns[bone] = quat_multiply(quat_conjugate(world_turn), quat_multiply(seen[-1], own))
    return turns


def _centre_places(
    source: Performance,
    target: RestBody,
    rig: Rig,
    rig_map: RigMap,
    turns: Mapping[int, Array],
    centre: int,
    scale: float,
) -> Array:
    """Return where the head of the bone that carries the body goes: (T, 3) armature space."""
    world = rig.world_from_armature
    up = source.rest.frame[:, 2]
    ankle_up = target.height(_ankles(target)) - scale * source.rest.height(_ankles(source.rest))
    hips = source.hip_centres * scale + up * ankle_up + world[:3, 3]
    local_hips = (hips - world[:3, 3]) @ np.linalg.inv(world[:3, :3]).T
    thighs = [rig.index(rig_map.bones[f"{side}_thigh"][0]) for side in ("left", "right")]
    posed = pose_bones(rig, source.num_frames, bones=thighs, turns=turns, places={})
    own = (posed.heads[thighs[0]] + posed.heads[thighs[1]]) / 2 - posed.heads[centre]
    return local_hips - own


def _ankles(body: RestBody) -> Array:
    return (body.ends["left_shin"] + body.ends["right_shin"]) / 2
