# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a body that a rig's bones are mapped to.

A role is a piece of the body ("left_forearm"), not a joint: the bone that starts at the left elbow has it.
Some roles may have several bones, from the root to the tip. Roles that are not part of the body are controls
of a rig: goals and poles of its own IK.
"""

from __future__ import annotations

__all__ = [
    "BODY_ROLES",
    "CENTRE",
    "CONTROL_ROLES",
    "LIMBS",
    "MARKER_ROLES",
    "REQUIRED_ROLES",
    "ROLES",
    "SIDES",
    "TWIST_ROLES",
    "mirrored",
    "role_label",
]

SIDES = ("left", "right")
# The bone that carries a rig's place where it is not the pelvis itself: Rigify's torso, Daz's hip.
CENTRE = "centre"
_TRUNK = ("pelvis", "spine", "neck", "head")
_LEG = ("thigh", "shin", "foot", "toe")
_ARM = ("clavicle", "upper_arm", "forearm", "hand")
# Each limb from the trunk outwards.
LIMBS = tuple(tuple(f"{side}_{part}" for part in parts) for parts in (_ARM, _LEG) for side in SIDES)
TWIST_ROLES = tuple(
    f"{side}_{part}_twist" for part in ("upper_arm", "forearm", "thigh", "shin") for side in SIDES
)
CONTROL_ROLES = tuple(
    f"{side}_{part}" for part in ("hand_ik", "foot_ik", "elbow_pole", "knee_pole") for side in SIDES
)
BODY_ROLES = (*_TRUNK, *(role for limb in LIMBS for role in limb))
# Bones that only show where something is; they are never keyed.
MARKER_ROLES = tuple(f"{side}_heel" for side in SIDES)
ROLES = ("root", CENTRE, *BODY_ROLES, *TWIST_ROLES, *CONTROL_ROLES, *MARKER_ROLES)
REQUIRED_ROLES = (
    "pelvis",
    *(f"{side}_{part}" for part in ("upper_arm", "forearm", "thigh", "shin") for side in SIDES),
)


def mirrored(role: str) -> str:
    """Return the role on the other side; its own where there is none."""
    if role.startswith("left_"):
        return "right_" + role[5:]
    if role.startswith("right_"):
        return "left_" + role[6:]
    return role


def role_label(role: str) -> str:
    """Return the role in words for people: "Left forearm"."""
    return role.replace("_ik", " IK").replace("_", " ").capitalize().replace(" ik", " IK")
