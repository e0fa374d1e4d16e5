# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the 25 joints are on MakeHuman's base mesh. numpy only, no bpy.

Each joint is a mean of base vertices: of the cubes with which the mesh marks its joints, or of the skin. The
choice follows the definitions that the lifter is trained on (``vp3d_core.train.mocap``): the thorax at the
base of the neck, the hand near the knuckles, toe and heel inside the foot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vp3d_core.skeletons import JOINTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp3d_core.arrays import Array, IntArray

__all__ = ["landmark_weights"]

# Groups of the base mesh with their shares; "{s}" stands for l or r.
GROUP_JOINTS = {
    "pelvis": {"joint-l-upper-leg": 1, "joint-r-upper-leg": 1},
    "spine": {"joint-spine-2": 2, "joint-spine-1": 1},
    "thorax": {"joint-neck": 2, "joint-l-clavicle": 1, "joint-r-clavicle": 1},
    "hip": {"joint-{s}-upper-leg": 1},
    "knee": {"joint-{s}-knee": 1},
    "ankle": {"joint-{s}-ankle": 1},
    "shoulder": {"joint-{s}-shoulder": 1},
    "elbow": {"joint-{s}-elbow": 1},
    "wrist": {"joint-{s}-hand": 1},
    "toe": {"joint-{s}-toe-1-1": 1, "joint-{s}-toe-1-2": 1, "joint-{s}-foot-1": 1},
}
# Vertices of the skin: the nose's tip, the crown, the fronts of the ears, the round of the heels, and around
# the hands 77 % of the way from the wrist to the middle knuckle.
SKIN_JOINTS = {
    "nose": (294, 297, 5054),
    "head_top": (879, 881),
    "left_ear": (7573, 7564),
    "right_ear": (868, 859),
    "left_hand": (9881, 9849, 9865, 9892, 9882, 9851, 9891, 9866, 9893, 9850),
    "right_hand": (3213, 3181, 3197, 3224, 3214, 3183, 3223, 3198, 3225, 3182),
    "left_heel": (12453, 12442, 12953, 12925, 12911, 12914),
    "right_heel": (5856, 5845, 6356, 6328, 6314, 6317),
}


def landmark_weights(groups: Mapping[str, IntArray], *, num_vertices: int) -> Array:
    """Return (25, num_vertices) shares, rows of sum 1: ``JOINTS`` as means of base vertices."""
    weights = np.zeros((len(JOINTS.points), num_vertices))
    for row, joint in zip(weights, JOINTS.points, strict=True):
        if joint in SKIN_JOINTS:
            row[list(SKIN_JOINTS[joint])] = 1.0
            continue
        side, part = joint[0], joint.split("_", 1)[-1]
        for group, share in GROUP_JOINTS[part].items():
            row[groups[group.format(s=side)]] += share
    return weights / weights.sum(axis=1, keepdims=True)
