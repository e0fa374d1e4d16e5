# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a motion onto a rig: rotations in the world, the way scaled by leg length. numpy only.

For each mapped bone: pose = turn of the source from its rest · alignment · the bone's rest, all as world
rotations; what is keyed is the basis that gives this pose below the bone's parent, mapped or not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..arrays import Array
from ..motion import Motion
from ..resample import resample, scene_frames
from ..rotations import IDENTITY, quat_conjugate, quat_continuous, quat_multiply, quat_rotate
from .alignment import alignment_by_role, facing_by_role
from .arm_spread import spread_arms
from .body_pose import centre_bone, place_centre, turn_bones
from .followed import with_followed
from .ik_controls import drop_fk_limbs, place_ik_controls
from .performance import Performance
from .planting import plant_target_feet
from .rest_body import RestBody, rest_body
from .rig import BoneCurves, Rig
from .rig_errors import RigMapIncomplete
from .rig_map import RigMap
from .rig_pose import basis_locations, basis_rotations
from .root_motion import Carrier, carrier_motion, hip_path, kept_axes, standing_place
from .settings import RetargetSettings
from .source_map import guess_source_map
from .source_motion import read_source
from .target_pose import TargetPose

__all__ = ["retarget"]


def retarget(
    motion: Motion,
    rig: Rig,
    rig_map: RigMap,
    settings: RetargetSettings,
    *,
    frames_per_second: float,
    first_frame: int = 1,
    source_map: RigMap | None = None,
    alignment_pose: Array | None = None,
) -> BoneCurves:
    """Bring a motion onto a rig.

    Args:
        motion: Of any skeleton.
        rig: The target in its rest pose.
        rig_map: Roles of its bones.
        settings: The user's choices.
        frames_per_second: Of the scene; the motion keeps its duration.
        first_frame: Scene frame on which the motion's video starts.
        source_map: Roles of the motion's joints; None finds them.
        alignment_pose: (B, 4, 4) pose matrices in armature space of the pose that corresponds to the
            motion's rest pose ("use current pose"); None finds the alignment from the rest pose.

    Returns:
        Keys for the mapped bones.

    Raises:
        BoneNotFound, RigMapIncomplete: when a map does not fit.
        RigNotUsable: when a rest pose makes no body.
    """
    rig_map.check(rig)
    rig, order = with_followed(rig, rig_map.follows)
    displaced, rig = _root_at_rest(rig, rig_map)
    frames = scene_frames(motion, frames_per_second=frames_per_second, first_frame=first_frame)
    at_scene_rate = resample(motion, (frames - first_frame) / frames_per_second)
    source = read_source(at_scene_rate, source_map or guess_source_map(motion.skeleton))
    source = spread_arms(source, settings.arm_spread_rad)
    aligned_pose = None if alignment_pose is None else alignment_pose[order]
    pose = TargetPose(rig, rig_map, source.num_frames, {}, {}, aligned_pose)
    curves = _body_curves(pose, source, settings, frames=frames, rate_hz=frames_per_second)
    still, there = np.tile(IDENTITY, (len(frames), 1)), np.zeros((len(frames), 3))
    return replace(
        curves,
        rotations={**dict.fromkeys(displaced, still), **curves.rotations},
        locations={**dict.fromkeys(displaced, there), **curves.locations},
    )


def _root_at_rest(rig: Rig, rig_map: RigMap) -> tuple[list[str], Rig]:
    """Return root bones that stand elsewhere, where a motion before left them, and the rig without that."""
    displaced = [
        name
        for name in rig_map.bones.get("root", ())
        if name in rig.standing_rotations or name in rig.standing_locations
    ]
    turned, moved = (
        {name: basis for name, basis in standing.items() if name not in displaced}
        for standing in (rig.standing_rotations, rig.standing_locations)
    )
    return displaced, replace(rig, standing_rotations=turned, standing_locations=moved)


def _body_curves(
    pose: TargetPose, source: Performance, settings: RetargetSettings, *, frames: Array, rate_hz: float
) -> BoneCurves:
    """Return the keys that let a rig do what a body does."""
    target = rest_body(pose.rig, pose.rig_map)
    path = _pose_body(pose, source, target, settings, rate_hz)
    kept = kept_axes(path, target, settings)
    for bone, place in pose.places.items():
        pose.places[bone] = place + kept - path
    if settings.root_motion == "hips":
        return _curves(pose, frames, settings)
    carrier = carrier_motion(kept, source, target, settings)
    if settings.root_motion == "root_bone":
        _carry_by_root(pose, carrier)
        return _curves(pose, frames, settings)
    return _carried_by_object(pose, carrier, frames, settings)


def _pose_body(
    pose: TargetPose, source: Performance, target: RestBody, settings: RetargetSettings, rate_hz: float
) -> Array:
    """Let a rig do what a body does, and return the way of its hips (T, 3), world units."""
    by_role = alignment_by_role if pose.alignment_pose is None else facing_by_role
    aligned = by_role(source.rest, target)
    turn_bones(pose, source, target, aligned)
    scale = settings.scale or target.leg_length / source.rest.leg_length
    place = standing_place(target, pose.rig.world_from_armature[:3, 3])
    path = hip_path(source, target, scale=scale, origin=place)
    path[:, 2] += settings.hip_height_offset
    centre = centre_bone(pose)
    place_centre(pose, centre, path)
    if settings.plant_feet:
        floor_z = float(place[2])
        plant_target_feet(
            pose,
            source,
            target,
            aligned=aligned,
            scale=scale,
            centre=centre,
            floor_z=floor_z,
            rate_hz=rate_hz,
        )
    if settings.limbs != "fk":
        place_ik_controls(pose)
    return path


def _carry_by_root(pose: TargetPose, carrier: Carrier) -> None:
    """Let the rig's root bone carry the body; the body stays where it is in the world."""
    bones = pose.bones("root")
    if not bones:
        raise RigMapIncomplete(
            f"{pose.rig.name!r} has no root bone that is mapped, and the root motion is to go there",
            hint="Choose the root bone under Rig Mapping, or let the hips or the object carry the motion.",
        )
    pose.turns[bones[0]] = quat_multiply(carrier.turns, pose.rest_turn(bones[0]))
    pose.places[bones[0]] = carrier.moved(pose.rest_head(bones[0]))


def _carried_by_object(
    pose: TargetPose, carrier: Carrier, frames: Array, settings: RetargetSettings
) -> BoneCurves:
    """Return curves in which the armature object carries the body."""
    back = quat_conjugate(carrier.turns)
    for bone, turn in pose.turns.items():
        pose.turns[bone] = quat_multiply(back, turn)
    for bone, place in pose.places.items():
        pose.places[bone] = quat_rotate(back, place - carrier.pivot - carrier.shifts) + carrier.pivot
    return replace(
        _curves(pose, frames, settings),
        object_locations=carrier.moved(pose.rig.world_from_armature[:3, 3]),
        object_rotations=quat_continuous(quat_multiply(carrier.turns, pose.world_turn)),
    )


def _curves(pose: TargetPose, frames: Array, settings: RetargetSettings) -> BoneCurves:
    """Return the keys of the bones that have a rotation or a place."""
    rig, rig_map = pose.rig, pose.rig_map
    posed = pose.posed([*pose.turns, *pose.places])
    by_ik = settings.limbs == "ik"
    turns = drop_fk_limbs(pose) if by_ik else pose.turns
    properties = dict(rig_map.ik_properties if by_ik else rig_map.fk_properties)
    if settings.root_motion == "root_bone":
        properties |= rig_map.root_properties
    return BoneCurves(
        frames,
        {rig.bone_names[bone]: basis_rotations(posed, bone) for bone in turns},
        {rig.bone_names[bone]: basis_locations(posed, bone) for bone in pose.places},
        properties=properties,
    )
