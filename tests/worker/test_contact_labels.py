# SPDX-License-Identifier: GPL-3.0-or-later
"""Feet of recorded motion stand on the floor that they show, not on the lowest point of the clip."""

from __future__ import annotations

import numpy as np
import pytest

from vp3d_core.arrays import Array
from vp3d_core.skeletons import JOINTS
from vp3d_core.train.contact_labels import contact_labels, floor_height

RATE_HZ = 60.0
FEET = [JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("toe", "heel")]
STEPS, STEP_FRAMES = 16, 30


def stepping() -> tuple[Array, Array]:
    """Return somebody (T, 25, 3) who walks 4.5 m along x, and which foot stands in each frame, (T, 2)."""
    frames = STEPS * STEP_FRAMES
    joints = np.zeros((frames, 25, 3))
    stands = np.zeros((frames, 2), dtype=bool)
    place = np.zeros(2)
    for step in range(STEPS):
        now, moving = slice(step * STEP_FRAMES, (step + 1) * STEP_FRAMES), step % 2
        part = np.linspace(0.0, 1.0, STEP_FRAMES)
        stands[now, 1 - moving] = True
        for foot, points in enumerate((FEET[:2], FEET[2:])):
            swing = part[:, None] * (foot == moving)
            joints[now, points, 0] = place[foot] + 0.6 * swing
            joints[now, points, 2] = 0.02 + 0.15 * np.sin(np.pi * swing)
        place[moving] += 0.6
    return joints, stands


def standing_share(joints: Array, stands: Array) -> Array:
    """Return the share of frames labelled as standing, by foot, of a quarter of the clip each, (4, 2)."""
    joints[..., 2] -= floor_height(joints)
    labels = contact_labels(joints, rate_hz=RATE_HZ)[:, ::2] > 0.5
    wrong = (labels != stands).reshape(4, -1, 2)
    assert wrong.mean() < 0.15, "but for the frames in which a foot leaves or lands"
    return labels.reshape(4, -1, 2).mean(axis=1)


@pytest.mark.parametrize("tilt_deg", [0.0, 1.5, -1.5])
def test_a_floor_that_tilts_is_stood_on_to_its_end(tilt_deg: float) -> None:
    joints, stands = stepping()
    joints[..., 2] += np.tan(np.radians(tilt_deg)) * joints[..., 0]
    np.testing.assert_allclose(standing_share(joints, stands), 0.5, atol=0.12)


def test_a_glitch_below_the_floor_does_not_lower_it() -> None:
    joints, stands = stepping()
    joints[100:115, :, 2] -= 0.3
    stands[100:115] = False
    standing_share(joints, stands)


def test_feet_held_in_the_air_do_not_stand() -> None:
    joints, stands = stepping()
    joints = np.concatenate([joints, np.repeat(joints[-1:], 240, axis=0)])
    joints[-240:, FEET, 2] += 1.5 + 0.1 * np.sin(np.arange(240) / 60.0)[:, None]  # a handstand
    labels = contact_labels(joints, rate_hz=RATE_HZ)
    assert labels[-230:].max() < 0.01
    assert (labels[: len(stands), ::2] > 0.5).mean() == pytest.approx(0.5, abs=0.1)
