# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the anatomical points are in the skeletons of mocap files: data only, one entry a rig family.

Each name may hold "{s}", which stands for the side as that family writes it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RIGS", "MocapRig", "find_rig"]


@dataclass(frozen=True, slots=True)
class MocapRig:
    """One family of mocap skeletons.

    Attributes:
        name: Family.
        sides: How "left" and "right" are written in the joint names.
        hip, knee, ankle, toe, shoulder, elbow, wrist, hand: Joints with "{s}"; hand is a knuckle.
        thorax, head: Base of the neck, and the joint the head turns about.
        up: "y" or "z", the file's vertical axis.
        rest_is_anatomical: Whether all-zero rotations give a standing T- or A-pose; otherwise the head's
            and feet's own axes are estimated from the motion.
        skull_offset_m: (up, forward) from the head joint to the base of the skull, for a 1.70 m body.
        skip_first_frame: Whether frame 0 is an added T-pose.
    """

    name: str
    sides: tuple[str, str]
    hip: str
    knee: str
    ankle: str
    toe: str
    shoulder: str
    elbow: str
    wrist: str
    hand: str
    thorax: str
    head: str
    up: str = "y"
    rest_is_anatomical: bool = True
    skull_offset_m: tuple[float, float] = (0.0, 0.0)
    skip_first_frame: bool = False


# fmt: off
RIGS = (
    MocapRig(
        "cmu", ("Left", "Right"), "{s}UpLeg", "{s}Leg", "{s}Foot", "{s}ToeBase", "{s}Arm", "{s}ForeArm",
        "{s}Hand", "{s}HandIndex1", "Neck1", "Head", skip_first_frame=True,
    ),
    MocapRig(
        "cmu_mb", ("Left", "Right"), "{s}Hip", "{s}Knee", "{s}Ankle", "{s}Toe", "{s}Shoulder", "{s}Elbow",
        "{s}Wrist", "{s[0]}Fingers", "Neck", "Head", skip_first_frame=True,
    ),
    MocapRig(
        "asf", ("l", "r"), "{s}femur", "{s}tibia", "{s}foot", "{s}toes", "{s}humerus", "{s}radius",
        "{s}wrist", "{s}fingers", "upperneck", "head",
    ),
    MocapRig(
        "character_creator", ("L", "R"), "CC_Base_{s}_Thigh", "CC_Base_{s}_Calf", "CC_Base_{s}_Foot",
        "CC_Base_{s}_ToeBase", "CC_Base_{s}_Upperarm", "CC_Base_{s}_Forearm", "CC_Base_{s}_Hand",
        "CC_Base_{s}_Mid1", "CC_Base_NeckTwist01", "CC_Base_Head", rest_is_anatomical=False,
        skull_offset_m=(0.037, -0.01), skip_first_frame=True,
    ),
    MocapRig(
        "daz", ("l", "r"), "{s}Thigh", "{s}Shin", "{s}Foot", "{s}Foot_end", "{s}Shldr", "{s}ForeArm",
        "{s}Hand", "{s}Mid1", "neck", "head", skull_offset_m=(0.037, -0.01), skip_first_frame=True,
    ),
    MocapRig(
        "snu", ("Left", "Right"), "{s}UpLeg", "{s}Leg", "{s}Foot", "{s}Toes", "{s}Arm", "{s}ForeArm",
        "{s}Hand", "{s}Hand_end", "Spine1", "HEad", skull_offset_m=(0.07, 0.02),
    ),
    MocapRig(
        "rokoko", ("Left", "Right"), "{s}UpLeg", "{s}Leg", "{s}Foot", "{s}ToeBase", "{s}Arm", "{s}ForeArm",
        "{s}Hand", "{s}HandMiddle1", "Neck", "Head", rest_is_anatomical=False,
    ),
    MocapRig(
        "animated_drawings", ("Left", "Right"), "{s}UpLeg", "{s}Leg", "{s}Foot", "{s}ToeBase", "{s}Arm",
        "{s}ForeArm", "{s}Hand", "{s}HandEnd", "Neck", "Head", up="z",
    ),
    MocapRig(
        "motionbuilder", ("Left", "Right"), "Character1_{s}UpLeg", "Character1_{s}Leg", "Character1_{s}Foot",
        "Character1_{s}ToeBase", "Character1_{s}Arm", "Character1_{s}ForeArm", "Character1_{s}Hand",
        "Character1_{s}Hand", "Character1_Neck", "Character1_Head", skull_offset_m=(0.055, 0.0),
    ),
    MocapRig(
        "makehuman", ("L", "R"), "upperleg01.{s}", "lowerleg01.{s}", "foot.{s}", "toe1-1.{s}",
        "upperarm01.{s}", "lowerarm01.{s}", "wrist.{s}", "finger3-1.{s}", "neck01", "head", up="z",
        skull_offset_m=(0.05, 0.0),
    ),
)
# fmt: on


def find_rig(names: tuple[str, ...]) -> MocapRig | None:
    """Return the family whose joints are all among ``names``, or None."""
    present = set(names)
    for rig in RIGS:
        wanted = {rig.thorax, rig.head}
        for side in rig.sides:
            sided = (rig.hip, rig.knee, rig.ankle, rig.toe, rig.shoulder, rig.elbow, rig.wrist, rig.hand)
            wanted |= {name.format(s=side) for name in sided}
        if wanted <= present:
            return rig
    return None
