# SPDX-License-Identifier: GPL-3.0-or-later
"""Where objects are in the world, hidden ones too, and the channels that bring one to a place."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from ..vp3d_core.arrays import Array
from ..vp3d_core.retarget.rig_pose import rotation_parts
from ..vp3d_core.rotations import quat_conjugate, quat_from_matrix, quat_multiply

__all__ = ["local_channels", "world_matrix"]


def world_matrix(placed: bpy.types.Object) -> Matrix:
    """Return an object's matrix; Blender does not keep that of hidden ones up to date."""
    if placed.visible_get() or placed.constraints:
        return placed.matrix_world
    if placed.parent is None:
        return placed.matrix_basis
    if placed.parent_type != "OBJECT":
        return placed.matrix_world
    return world_matrix(placed.parent) @ placed.matrix_parent_inverse @ placed.matrix_basis


def local_channels(placed: bpy.types.Object, locations: Array, rotations: Array) -> tuple[Array, Array]:
    """Return what location and rotation must be for an object to be at places in the world.

    Args:
        placed: The object; its parent stays where it is.
        locations: (T, 3) world.
        rotations: (T, 4) quaternions, world.

    Returns:
        (T, 3) and (T, 4), in its parent's space, without its delta transforms.
    """
    world_from_parent = np.array(world_matrix(placed) @ placed.matrix_basis.inverted_safe())
    parent_turn = quat_from_matrix(rotation_parts(world_from_parent))
    turns = quat_multiply(quat_conjugate(parent_turn), rotations)
    deltas = {"QUATERNION": placed.delta_rotation_quaternion}
    delta = deltas.get(placed.rotation_mode, placed.delta_rotation_euler.to_quaternion())
    if placed.rotation_mode != "AXIS_ANGLE":
        turns = quat_multiply(quat_conjugate(np.array(delta, dtype=np.float64)), turns)
    back = np.linalg.inv(world_from_parent)
    places = locations @ back[:3, :3].T + back[:3, 3] - np.array(placed.delta_location)
    return places, turns
