# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions for the tests in Blender, of the types that the add-on imports."""

from __future__ import annotations

import dataclasses

from vp3d.vp3d_core.camera import Camera
from vp3d.vp3d_core.motion import Motion, MotionSkeleton

from tests import synthetic


def walking(seed: int = 1, **options) -> Motion:
    """Return ``synthetic.walking_motion`` in the types of the package under test."""
    made = synthetic.walking_motion(seed, **options)
    values = {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
    assert made.camera is not None
    skeleton = MotionSkeleton(made.skeleton.names, made.skeleton.parents, made.skeleton.rest_offsets)
    camera = Camera(made.camera.intrinsics, made.camera.distortion, made.camera.world_from_camera)
    return Motion(**{**values, "skeleton": skeleton, "camera": camera})


def changed(motion: Motion, **values) -> Motion:
    """Return a motion with some of its values replaced."""
    return dataclasses.replace(motion, **values)
