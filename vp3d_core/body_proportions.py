# SPDX-License-Identifier: GPL-3.0-or-later
"""How long people's bones are, over their stature, and how much people differ.

Lengths go from joint to joint of ``skeletons.JOINTS``. Arms: de Leva, "Adjustments to Zatsiorsky-Seluyanov's
segment inertia parameters", J. Biomechanics 1996 (between joint centres, mean of men and women), the forearm
1 cm shorter, as detectors mark the wrist above the base of the hand. Legs and trunk: Drillis & Contini 1966,
the leg's halves as de Leva has them in men. Hips and shoulders: where detectors mark them, between joint
centre and the surface. Head and feet: as the mocap reader builds them.

Spreads are between adults of one stature: 4 to 5 % for long bones; more where detectors, too, differ in what
they mark.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BONES", "Bone"]


class Bone(NamedTuple):
    """One bone; those of one ``group`` vary together.

    Attributes:
        parent: The joint from which its length is measured.
        group: Its name.
        share: Length over stature.
        spread: Standard deviation of the log of the length between people.
    """

    parent: str
    group: str
    share: float
    spread: float


BONES: dict[str, Bone] = {
    "spine": Bone("pelvis", "trunk", 0.156, 0.03),
    "thorax": Bone("spine", "trunk", 0.156, 0.03),
    "nose": Bone("thorax", "neck", 0.110, 0.08),
    "head_top": Bone("nose", "head", 0.115, 0.05),
    "left_ear": Bone("nose", "head", 0.071, 0.05),
    "right_ear": Bone("nose", "head", 0.071, 0.05),
} | {
    f"{side}_{joint}": Bone(parent.format(side=side), group, share, spread)
    for side in ("left", "right")
    for joint, parent, group, share, spread in (
        ("hip", "pelvis", "hips", 0.057, 0.08),
        ("knee", "{side}_hip", "thigh", 0.2435, 0.04),
        ("ankle", "{side}_knee", "shank", 0.2465, 0.04),
        ("toe", "{side}_ankle", "foot", 0.095, 0.06),
        ("heel", "{side}_ankle", "foot", 0.0435, 0.06),
        ("shoulder", "thorax", "shoulders", 0.102, 0.07),
        ("elbow", "{side}_shoulder", "upper_arm", 0.160, 0.05),
        ("wrist", "{side}_elbow", "forearm", 0.149, 0.05),
        ("hand", "{side}_wrist", "hand", 0.050, 0.08),
    )
}
