# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving a body with the project's own retargeting, and setting it on the floor."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import bpy
import numpy as np

from vp3d_core.motion import CONTACT_JOINTS
from vp3d_core.retarget.auto_map import guess_map
from vp3d_core.retarget.retarget import retarget
from vp3d_core.retarget.settings import RetargetSettings
from vp3d_core.skeletons import JOINTS
from vp3d_core.train.contact_labels import contact_labels

if TYPE_CHECKING:
    from vp3d_core.arrays import Array
    from vp3d_core.motion import Motion

    from .human import Human

__all__ = ["landmark_joints", "pose_human"]

FIRST_FRAME = 1
REPOSITORY = Path(__file__).resolve().parents[2]
CHECKOUT = "vp3d_checkout"  # package name under which the add-on's modules are imported from here
LOW_PERCENTILE = 5.0  # of the feet's height over time: low, but no single frame's mistake
LEAST_CONTACTS = 5  # of one foot point in one frame; with fewer the lowest feet tell where the floor is
FEET = [JOINTS.index(joint) for joint in CONTACT_JOINTS]


def pose_human(human: Human, motion: Motion, *, frame_rate_hz: float, arms_out_rad: float = 0.0) -> None:
    """Retarget a motion onto a person's rig, key it from frame 1 on, and stand it on the floor.

    Args:
        human: Standing in its rest pose at the origin.
        motion: In the world.
        frame_rate_hz: Of the scene.
        arms_out_rad: Spreads the arms.
    """
    rig = _addon_module("armature").read_rig(human.armature)
    settings = RetargetSettings(arm_spread_rad=arms_out_rad)
    curves = retarget(
        motion,
        rig,
        guess_map(rig),
        settings,
        frames_per_second=frame_rate_hz,
        first_frame=FIRST_FRAME,
    )
    _addon_module("fcurves").write_curves(human.armature, curves, action_name=f"{human.armature.name} motion")
    human.armature.location.z -= _height_over_floor(human, len(curves.frames), frame_rate_hz)


def evaluated_vertices(mesh_object: bpy.types.Object) -> Array:
    """Return the deformed vertices (V, 3) of an object in the world at the scene's frame, m."""
    evaluated = mesh_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
    flat = np.empty(3 * len(evaluated.data.vertices), dtype=np.float32)
    evaluated.data.vertices.foreach_get("co", flat)
    world = np.array(evaluated.matrix_world)
    return flat.reshape(-1, 3).astype(np.float64) @ world[:3, :3].T + world[:3, 3]


def landmark_joints(human: Human) -> Array:
    """Return the person's joints (25, 3) m in the world at the scene's frame."""
    return human.landmark_shares @ evaluated_vertices(human.landmarks)


def _height_over_floor(human: Human, num_frames: int, rate_hz: float) -> float:
    """Return how far the standing feet are above where they stand in the rest pose, m."""
    at_rest = np.array([vertex.co for vertex in human.landmarks.data.vertices])
    standing = (human.landmark_shares @ at_rest)[FEET, 2]
    joints = np.empty((num_frames, len(JOINTS.points), 3))
    for t in range(num_frames):
        bpy.context.scene.frame_set(FIRST_FRAME + t)
        joints[t] = landmark_joints(human)
    heights = joints[:, FEET, 2] - standing
    joints[..., 2] -= np.percentile(heights.min(axis=1), LOW_PERCENTILE)
    stands = contact_labels(joints, rate_hz=rate_hz) > 0.5
    if stands.sum() < LEAST_CONTACTS:
        return float(np.percentile(heights.min(axis=1), LOW_PERCENTILE))
    return float(np.median(heights[stands]))


def _addon_module(name: str) -> ModuleType:
    """Import a module of the add-on from this checkout, whose root is the extension's package."""
    if CHECKOUT not in sys.modules:
        package = ModuleType(CHECKOUT)
        package.__path__ = [str(REPOSITORY)]
        sys.modules[CHECKOUT] = package
    return importlib.import_module(f"{CHECKOUT}.addon.{name}")
