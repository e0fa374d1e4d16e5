# SPDX-License-Identifier: GPL-3.0-or-later
import dataclasses

import numpy as np
import pytest

from tests import synthetic
from vp3d_core.capture.gaps import MAX_BRIDGE_S, bridge_pose, seen_frames, split_at_gaps
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.pose import Pose3D

RATE_HZ = 30.0


def keypoints(num_frames: int, *gaps: slice) -> Keypoints2D:
    """A walker who is not seen in the gaps."""
    seen = synthetic.seen_keypoints(synthetic.walking_motion(1, num_frames=num_frames), 1)
    xy, scores = seen.xy.copy(), seen.scores.copy()
    for gap in gaps:
        xy[gap], scores[gap] = np.nan, 0.0
    return dataclasses.replace(seen, xy=xy, scores=scores)


def pose(num_frames: int) -> Pose3D:
    t = np.arange(num_frames, dtype=np.float64)
    joints = np.broadcast_to(t[:, None, None], (num_frames, 25, 3)).copy()
    return Pose3D(
        joints=joints,
        times_s=t / RATE_HZ,
        sigma=np.full((num_frames, 25), 0.05),
        contacts=np.ones((num_frames, 4)),
        up=np.tile([0.0, -1.0, 0.0], (num_frames, 1)),
    )


def test_a_person_who_is_always_seen_stays_whole() -> None:
    whole = keypoints(40)
    (part,) = split_at_gaps(whole)
    np.testing.assert_array_equal(part.xy, whole.xy)


def test_unseen_ends_are_trimmed() -> None:
    (part,) = split_at_gaps(keypoints(60, slice(0, 7), slice(50, 60)))
    assert (part.times_s[0], len(part.times_s)) == (pytest.approx(7 / RATE_HZ), 43)
    assert seen_frames(part).all()


def test_short_gaps_stay_and_long_ones_cut() -> None:
    long = int((MAX_BRIDGE_S + 0.5) * RATE_HZ)
    parts = split_at_gaps(keypoints(200 + long, slice(40, 70), slice(100, 100 + long)))
    assert [len(part.times_s) for part in parts] == [100, 100]
    assert not seen_frames(parts[0])[40:70].any()


def test_a_glimpse_is_no_motion() -> None:
    long = int((MAX_BRIDGE_S + 0.5) * RATE_HZ)
    assert len(split_at_gaps(keypoints(65 + long, slice(60, 60 + long)))) == 1
    assert split_at_gaps(keypoints(60, slice(0, 60))) == []


def test_bridging_leaves_seen_frames_alone_and_changes_straight() -> None:
    original, seen = pose(20), np.ones(20, dtype=bool)
    seen[5:12] = False
    broken = original.joints.copy()
    broken[5:12] = 99.0
    bridged = bridge_pose(dataclasses.replace(original, joints=broken), seen)
    np.testing.assert_allclose(bridged.joints, original.joints, atol=1e-9)
    assert (bridged.contacts[5:12] == 0).all()
    assert (bridged.sigma[5:12] > original.sigma[5:12]).all()
    np.testing.assert_array_equal(bridged.sigma[seen], original.sigma[seen])
    np.testing.assert_allclose(np.linalg.norm(bridged.up, axis=-1), 1.0)


@pytest.mark.parametrize("where", [0, 10, 19])
def test_a_single_seen_frame_holds(where: int) -> None:
    seen = np.zeros(20, dtype=bool)
    seen[where] = True
    np.testing.assert_allclose(bridge_pose(pose(20), seen).joints, float(where))


def test_nothing_is_bridged_where_all_is_seen() -> None:
    whole = pose(5)
    assert bridge_pose(whole, np.ones(5, dtype=bool)) is whole
