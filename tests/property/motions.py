# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up motions of made-up skeletons, for property tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from vp3d_core.camera import Camera, intrinsics_from_focal
from vp3d_core.motion import Motion, MotionSkeleton
from vp3d_core.rotations import normalize, quat_continuous


@st.composite
def motions(draw: st.DrawFn) -> Motion:
    """Motions of 1 to 8 joints in any order, 1 to 6 frames, with or without a camera."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    joints, frames = draw(st.integers(1, 8)), draw(st.integers(1, 6))
    tree = [-1, *(int(rng.integers(0, j)) for j in range(1, joints))]
    place = rng.permutation(joints)
    parents = [-1] * joints
    for j, parent in enumerate(tree):
        parents[place[j]] = int(place[parent]) if parent >= 0 else -1
    offsets = rng.normal(0.0, 0.3, (joints, 3)) * (rng.random((joints, 1)) < 0.8)
    skeleton = MotionSkeleton(tuple(f"joint {j}" for j in range(joints)), tuple(parents), offsets)
    camera = None
    if draw(st.booleans()):
        distortion = rng.normal(0.0, 0.01, 5) if draw(st.booleans()) else None
        camera = Camera(intrinsics_from_focal(900.0, image_size=(64, 48)), distortion)
    return Motion(
        skeleton,
        rng.normal(0.0, 3.0, (frames, 3)),
        quat_continuous(normalize(rng.normal(size=(frames, joints, 4)))),
        rng.random((frames, 4)),
        rng.random((frames, joints)),
        frame_rate_hz=draw(st.floats(1.0, 240.0)),
        start_time_s=draw(st.floats(0.0, 1e4)),
        camera=camera,
        image_size=(64, 48) if camera else None,
        meta={"source": draw(st.text(max_size=20)), "count": joints},
    )
