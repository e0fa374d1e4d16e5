# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of people's bone lengths."""

from __future__ import annotations

from vp3d_core.body_proportions import BONES
from vp3d_core.skeletons import JOINTS


def test_every_joint_but_the_root_has_a_bone() -> None:
    assert set(BONES) == set(JOINTS.points) - {"pelvis"}


def test_parents_are_joints_and_lead_to_the_root() -> None:
    for joint in BONES:
        seen = [joint]
        while seen[-1] != "pelvis":
            seen.append(BONES[seen[-1]].parent)
            assert len(seen) < len(JOINTS.points)


def test_both_sides_are_alike() -> None:
    for joint, bone in BONES.items():
        other = BONES[joint.replace("left_", "right_")]
        assert (bone.group, bone.share, bone.spread) == (other.group, other.share, other.spread)


def test_a_person_of_these_bones_is_as_tall_as_they_say() -> None:
    # Ankle height and the head's top come from the same source: 0.039 and 1 - 0.930 of the stature.
    leg = BONES["left_knee"].share + BONES["left_ankle"].share + 0.039
    trunk = BONES["spine"].share + BONES["thorax"].share
    head = BONES["nose"].share * 0.75 + BONES["head_top"].share * 0.95  # nose before the neck, skull tilted
    assert abs(leg + trunk + head - 1.0) < 0.05
