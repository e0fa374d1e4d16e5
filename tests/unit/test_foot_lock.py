# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from tests.synthetic import walking_motion
from vp3d_core.arrays import Array
from vp3d_core.fitting.foot_contacts import certainty_leeway, contact_runs, find_contacts, find_stances
from vp3d_core.fitting.foot_lock import two_bone_ik
from vp3d_core.ground import CONTACT_HEIGHTS_M
from vp3d_core.kinematics import fit_skeleton
from vp3d_core.motion import CONTACT_JOINTS, Motion
from vp3d_core.skeletons import MOTION_SKELETON_NAMES

FEET = [MOTION_SKELETON_NAMES.index(name) for name in CONTACT_JOINTS]
RATE_HZ = 30.0


def drifting(motion: Motion, seed: int = 0) -> Array:
    """Return a capture's positions: slow and fast errors on all joints, and a drift of the whole body."""
    rng = np.random.default_rng(seed)
    joints = motion.joints_world()[:, :25]
    wander = np.cumsum(rng.normal(0.0, 0.004, joints.shape), axis=0)
    drift = np.linspace(0.0, 0.10, len(joints))[:, None, None] * [1.0, 0.5, 0.2]
    return joints + wander + rng.normal(0.0, 0.004, joints.shape) + drift


def locked(joints: Array, contacts: Array | None, *, foot_lock: bool = True) -> Motion:
    times_s = np.arange(len(joints)) / RATE_HZ
    return fit_skeleton(
        joints, times_s=times_s, frame_rate_hz=RATE_HZ, contacts=contacts, foot_lock=foot_lock
    )


def slide_mm(motion: Motion, contacts: Array) -> Array:
    steps = np.linalg.norm(np.diff(motion.joints_world()[:, FEET], axis=0), axis=-1) * 1000
    return steps[(contacts[1:] > 0.5) & (contacts[:-1] > 0.5)]


def test_standing_feet_do_not_slide() -> None:
    true = walking_motion(9, num_frames=120)
    joints = drifting(true)
    free, held = (locked(joints, true.contacts, foot_lock=lock) for lock in (False, True))
    assert slide_mm(free, true.contacts).mean() > 4.0
    assert slide_mm(held, held.contacts).max() < 5.0
    assert slide_mm(held, true.contacts).mean() < 2.0
    assert held.contacts.mean() > 0.5 * true.contacts.mean()


def test_feet_stand_on_the_floor_and_not_below() -> None:
    true = walking_motion(9, num_frames=120)
    motion = locked(drifting(true), true.contacts)
    heights = motion.joints_world()[:, FEET, 2]
    assert heights.min() > 0.005
    off = np.abs(heights - CONTACT_HEIGHTS_M)[motion.contacts > 0.5]
    assert np.percentile(off, 95) < 0.005


def test_feet_that_swing_through_the_floor_are_lifted() -> None:
    true = walking_motion(9, num_frames=90)
    joints = true.joints_world()[:, :25].copy()
    joints[..., 2] -= 0.06 * np.hanning(90)[:, None]
    motion = locked(joints, np.zeros((90, 4)))
    assert joints[:, FEET, 2].min() < -0.02
    assert motion.joints_world()[:, FEET, 2].min() > 0.009


def test_locking_adds_no_jitter() -> None:
    true = walking_motion(9, num_frames=120)
    joints = drifting(true)

    def jitter(motion: Motion, names: tuple[str, ...]) -> float:
        columns = [motion.skeleton.names.index(name) for name in names]
        return float(np.abs(np.diff(motion.joints_world()[:, columns], n=3, axis=0)).mean())

    free, held = (locked(joints, true.contacts, foot_lock=lock) for lock in (False, True))
    for names in (("pelvis", "head_top", "left_wrist"), CONTACT_JOINTS):
        assert jitter(held, names) < 1.1 * jitter(free, names)
    # Knees that are nearly straight answer to a little with a lot; no more than the true motion's jerks.
    assert jitter(held, ("left_knee", "right_knee")) < 1.5 * jitter(true, ("left_knee", "right_knee"))


def test_legs_keep_their_lengths_and_reach() -> None:
    true = walking_motion(9, num_frames=90)
    motion = locked(drifting(true), true.contacts)
    joints = motion.joints_world()
    hip, knee, ankle = (motion.skeleton.names.index(f"left_{part}") for part in ("hip", "knee", "ankle"))
    thigh, shank = (np.linalg.norm(motion.skeleton.rest_offsets[j]) for j in (knee, ankle))
    assert np.linalg.norm(joints[:, knee] - joints[:, hip], axis=-1) == pytest.approx(np.full(90, thigh))
    assert np.linalg.norm(joints[:, ankle] - joints[:, knee], axis=-1) == pytest.approx(np.full(90, shank))


def test_a_jump_stays_in_the_air() -> None:
    true = walking_motion(9, num_frames=90)
    joints = np.repeat(true.joints_world()[:1, :25], 90, axis=0)
    joints[..., 2] += 0.022 - joints[0, FEET, 2].min()
    rise = np.zeros(90)
    rise[40:60] = 0.35 * np.sin(np.linspace(0.0, np.pi, 20))
    joints[..., 2] += rise[:, None]
    contacts = np.repeat((rise == 0)[:, None], 4, axis=1).astype(float)
    for told in (contacts, None):
        motion = locked(joints, told)
        heights = motion.joints_world()[:, FEET, 2].min(axis=1)
        assert heights.max() == pytest.approx(joints[:, FEET, 2].min(axis=1).max(), abs=0.04)
        assert not motion.contacts[45:55].any()


def test_without_contacts_speed_and_height_tell() -> None:
    feet = np.zeros((60, 4, 3))
    feet[..., 2] = CONTACT_HEIGHTS_M
    feet[20:40, :2, 2] += 0.2
    feet[:, 2, 0] = np.arange(60) * 0.04
    stands = find_contacts(feet, contacts=None, rate_hz=RATE_HZ)
    assert stands[5:15, :2].all()
    assert not stands[22:38, :2].any()
    assert not stands[:, 2].any()
    assert stands[:, 3].all()


def test_flicker_of_the_contacts_does_not_break_a_stance() -> None:
    feet = np.zeros((60, 4, 3))
    contacts = np.full((60, 4), 0.9)
    contacts[30, 0] = 0.1
    contacts[::2, 1] = 0.45
    contacts[:, 2] = 0.0
    contacts[30, 2] = 0.9
    stands = find_contacts(feet, contacts=contacts, rate_hz=RATE_HZ)
    assert stands[:, 0].all()
    assert stands[1:, 1].all()
    assert not stands[:, 2].any()


def test_a_stance_begins_surely_and_ends_surely() -> None:
    feet = np.zeros((90, 4, 3))
    feet[..., 2] = CONTACT_HEIGHTS_M
    contacts = np.full((90, 4), 0.45)
    contacts[30, 0] = contacts[30:60, 1] = 0.9
    contacts[60:, :2] = 0.1
    feet[60:, 2, 2] += 0.10
    contacts[30:, 2] = 0.6  # not yet so certain that heights count half
    stands = find_contacts(feet, contacts=contacts, rate_hz=RATE_HZ)
    assert not stands[:30].any()
    assert stands[30:60, :3].all()
    assert not stands[60:, :2].any()
    assert stands[60:, 2].all()  # higher than where it would begin to stand
    assert not stands[:, 3].any()


@pytest.mark.parametrize("contacts", [np.full((60, 4), 0.6), np.full((60, 4), 0.95), None])
def test_a_foot_that_rests_in_the_air_does_not_stand(contacts: Array | None) -> None:
    feet = np.zeros((60, 4, 3))
    feet[..., 2] = CONTACT_HEIGHTS_M
    feet[:, :2, 2] += 0.3  # on a chair, say
    stands = find_contacts(feet, contacts=contacts, rate_hz=RATE_HZ)
    assert not stands[:, :2].any()
    assert stands[:, 2:].all()


def test_a_foot_that_moved_on_is_two_stances() -> None:
    foot = np.zeros((60, 2, 3))
    foot[:, 0, 1] = -0.2
    foot[30:, :, 0] = 0.3
    stances, pinned = find_stances(foot, np.ones((60, 2), dtype=bool), sole_m=0.2, rate_hz=RATE_HZ)
    assert [stance.targets[0, 0] for stance in stances] == pytest.approx([0.0, 0.3])
    assert not pinned[30].any()
    still, _ = find_stances(foot[:30], np.ones((30, 2), dtype=bool), sole_m=0.2, rate_hz=RATE_HZ)
    assert len(still) == 1


def test_a_stance_that_is_certain_may_stray_further() -> None:
    foot = np.zeros((60, 2, 3))
    foot[:, 0, 1] = -0.2
    foot[..., 0] = np.linspace(-0.12, 0.12, 60)[:, None]  # as a wrong depth makes it
    stands = np.ones((60, 2), dtype=bool)
    counts = [
        len(
            find_stances(
                foot, stands, sole_m=0.2, rate_hz=RATE_HZ, leeway=certainty_leeway(np.full((60, 2), p))
            )[0]
        )
        for p in (0.6, 0.95)
    ]
    assert counts[0] > 1
    assert counts[1] == 1


def test_runs() -> None:
    assert contact_runs(np.array([True, False, True, True])) == [(0, 1), (2, 4)]
    assert contact_runs(np.zeros(3, dtype=bool)) == []


def test_two_bone_ik_reaches_in_the_plane_of_the_knee() -> None:
    leg = np.array([[[0.0, 0.0, 0.9], [0.0, -0.1, 0.5], [0.0, 0.0, 0.1]]])
    hinge = np.array([[1.0, 0.0, 0.0]])
    target = np.array([[0.05, -0.2, 0.2]])
    knee, ankle = two_bone_ik(leg, leg[:, 0], target, hinge=hinge, farthest_m=np.array([0.8]))
    assert ankle == pytest.approx(target)
    assert np.linalg.norm(knee - leg[:, 0]) == pytest.approx(np.linalg.norm(leg[0, 1] - leg[0, 0]))
    assert knee[0, 1] < -0.1
    _, short = two_bone_ik(
        leg, leg[:, 0], np.array([[0.0, 0.0, -2.0]]), hinge=hinge, farthest_m=np.array([0.8])
    )
    assert np.linalg.norm(short - leg[:, 0]) == pytest.approx(0.8)


def test_a_straight_leg_bends_forward() -> None:
    leg = np.array([[[0.0, 0.0, 0.9], [0.0, 0.0, 0.5], [0.0, 0.0, 0.1]]])
    knee, _ = two_bone_ik(
        leg,
        leg[:, 0],
        np.array([[0.0, 0.0, 0.2]]),
        hinge=np.array([[1.0, 0.0, 0.0]]),
        farthest_m=np.array([0.8]),
    )
    assert knee[0, 1] < -0.1
