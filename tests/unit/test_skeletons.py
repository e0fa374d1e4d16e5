# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from vp3d_core import skeletons
from vp3d_core.skeletons import (
    COCO_17,
    H36M_17,
    HALPE_26,
    JOINTS,
    LIMB_JOINTS,
    MOTION_SKELETON_NAMES,
    MOTION_SKELETON_PARENTS,
    SLOTS,
    KeypointSkeleton,
    mirror_indices,
)

SKELETONS = [value for value in vars(skeletons).values() if isinstance(value, KeypointSkeleton)]


@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda skeleton: skeleton.name)
def test_points_are_unique_and_edges_join_known_points(skeleton: KeypointSkeleton) -> None:
    assert len(set(skeleton.points)) == len(skeleton.points)
    assert len(skeleton.edge_indices) == len(skeleton.edges)
    assert all(a != b for a, b in skeleton.edges)


@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda skeleton: skeleton.name)
def test_mirroring_twice_changes_nothing(skeleton: KeypointSkeleton) -> None:
    mirror = skeleton.mirror
    assert [mirror[i] for i in mirror] == list(range(len(mirror)))
    swapped = [name for name, i in zip(skeleton.points, mirror, strict=True) if skeleton.points[i] != name]
    assert all(name.startswith(("left_", "right_")) for name in swapped)


@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda skeleton: skeleton.name)
def test_edges_are_the_same_on_both_sides(skeleton: KeypointSkeleton) -> None:
    edges = {frozenset(edge) for edge in skeleton.edge_indices}
    mirror = skeleton.mirror
    assert {frozenset(mirror[i] for i in edge) for edge in edges} == edges


def test_smaller_skeletons_are_the_head_of_larger_ones() -> None:
    assert HALPE_26.points[:17] == COCO_17.points
    assert SLOTS.points[:26] == HALPE_26.points
    assert JOINTS.points[:17] == H36M_17.points
    assert MOTION_SKELETON_NAMES[:25] == JOINTS.points
    assert (len(SLOTS.points), len(JOINTS.points), len(MOTION_SKELETON_NAMES)) == (28, 25, 29)


def test_limb_joints_are_joints() -> None:
    assert len(LIMB_JOINTS) == 12
    assert set(LIMB_JOINTS) <= set(JOINTS.points)


def test_a_motion_has_one_root_and_no_cycle() -> None:
    assert [MOTION_SKELETON_NAMES[j] for j, parent in enumerate(MOTION_SKELETON_PARENTS) if parent == -1] == [
        "pelvis"
    ]
    for joint in range(len(MOTION_SKELETON_NAMES)):
        steps, at = 0, joint
        while MOTION_SKELETON_PARENTS[at] != -1:
            at, steps = MOTION_SKELETON_PARENTS[at], steps + 1
            assert steps < len(MOTION_SKELETON_NAMES)


def test_parents_are_the_same_on_both_sides() -> None:
    mirror = mirror_indices(MOTION_SKELETON_NAMES)
    for joint, parent in enumerate(MOTION_SKELETON_PARENTS):
        assert MOTION_SKELETON_PARENTS[mirror[joint]] == (-1 if parent == -1 else mirror[parent])


def test_an_unknown_point_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        COCO_17.index("tail")
