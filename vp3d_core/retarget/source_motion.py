# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a motion of any skeleton as a body's motion in metres, on the floor, from an upright rest pose."""

from __future__ import annotations

from ..motion import Motion
from .performance import Performance, perform
from .rest_body import rest_body
from .rig_map import RigMap
from .source_map import rig_from_skeleton
from .source_size import in_metres, on_floor
from .upright_rest import is_upright, stood_up

__all__ = ["read_source"]


def read_source(motion: Motion, source_map: RigMap) -> Performance:
    """Return what a motion's body does.

    Args:
        motion: Of any skeleton, unit and rest pose.
        source_map: Roles of its joints.

    Raises:
        BoneNotFound, RigMapIncomplete: when the map does not fit the motion's skeleton.
        RigNotUsable: when its rest pose makes no body.
    """
    rig = rig_from_skeleton(motion.skeleton)
    source_map.check(rig)
    leg = rest_body(rig, source_map).leg_length
    source = perform(in_metres(motion, leg), source_map)
    return on_floor(source if is_upright(source.rest) else stood_up(source))
