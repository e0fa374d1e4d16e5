# SPDX-License-Identifier: GPL-3.0-or-later
"""What a capture knows besides the pose, as keyed custom properties of its armature object."""

from __future__ import annotations

import bpy

from ..vp3d_core.arrays import Array
from ..vp3d_core.confidence import limb_confidence
from ..vp3d_core.motion import CONTACT_JOINTS, Motion
from .fcurves import write_channels

__all__ = ["CONFIDENCE_PROPERTY", "contact_property", "key_properties"]

CONFIDENCE_PROPERTY = "Confidence"  # of the body; those of limbs are "Confidence left arm" and so on


def contact_property(joint: str) -> str:
    """Return the property that says whether a foot's joint stands on the floor."""
    return f"Contact {joint.replace('_', ' ')}"


def key_properties(
    armature_object: bpy.types.Object, action: bpy.types.Action, motion: Motion, frames: Array
) -> None:
    """Key confidence and foot contacts of a capture (T frames); a motion that knows none gets none.

    Args:
        armature_object: Has the action.
        action: Receives the curves.
        motion: T frames.
        frames: (T,) scene frames.
    """
    channels: dict[str, tuple[str, Array]] = {}
    if motion.confidence.size and not (motion.confidence == 1.0).all():
        for part, values in limb_confidence(motion).items():
            name = CONFIDENCE_PROPERTY if part == "body" else f"{CONFIDENCE_PROPERTY} {part}"
            _add_property(armature_object, name, f"How sure the capture is of the {part}")
            channels[_path(name)] = (CONFIDENCE_PROPERTY, values[:, None])
    if motion.contacts.shape[1] == len(CONTACT_JOINTS):
        for joint, values in zip(CONTACT_JOINTS, motion.contacts.T, strict=True):
            name = contact_property(joint)
            _add_property(armature_object, name, "Whether it stands on the floor")
            channels[_path(name)] = ("Contacts", values[:, None])
    write_channels(armature_object, action, frames, channels)


def _path(name: str) -> str:
    return f'["{bpy.utils.escape_identifier(name)}"]'


def _add_property(armature_object: bpy.types.Object, name: str, description: str) -> None:
    armature_object[name] = 0.0
    armature_object.id_properties_ui(name).update(min=0.0, max=1.0, description=description)
