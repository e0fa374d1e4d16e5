# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np

from tests.synthetic import walking_motion
from vp3d_core.retarget.auto_map import guess_map
from vp3d_core.retarget.retarget import retarget
from vp3d_core.retarget.rig_pose import pose_matrices
from vp3d_core.retarget.settings import RetargetSettings
from vp3d_core.retarget.source_map import rig_from_skeleton


def test_a_motion_on_its_own_skeleton_stays_as_it_is():
    motion = walking_motion(3)
    rig = rig_from_skeleton(motion.skeleton)
    settings = RetargetSettings(plant_feet=False)
    curves = retarget(motion, rig, guess_map(rig), settings, frames_per_second=30.0)
    heads = pose_matrices(rig, curves)[..., :3, 3]
    joints = motion.joints_world()[:, [motion.skeleton.names.index(name) for name in rig.bone_names]]
    np.testing.assert_allclose(heads, joints, atol=1e-9)
