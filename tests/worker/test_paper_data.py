# SPDX-License-Identifier: GPL-3.0-or-later
"""Data sets in VideoPose3D's formats, their cameras, and the chunks that training sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.paper_set import HEIGHT, WIDTH, camera_rows, figure, pixels, write_camera_tables, write_tiny_set
from vp3d_core.errors import InputError, SkeletonMismatch
from vp3d_core.paper.camera_files import read_cameras, write_cameras
from vp3d_core.paper.chunks import ChunkLoader, chunk_table, mirror_points
from vp3d_core.paper.datasets import PaperData, View, load_data, select_views, subset_views
from vp3d_core.paper.layouts import H36M_17, H36M_17_OF_32, H36M_32, keypoint_layout
from vp3d_core.paper.mocap_data import mocap_takes, person_of, write_mocap_data
from vp3d_core.paper.projection import (
    mirror_intrinsics,
    pixels_from_screen,
    project,
    project_linear,
    screen_from_pixels,
)
from vp3d_core.paper.reprojection import reprojection_map
from vp3d_core.train.dataset import MocapBank

pytestmark = pytest.mark.worker

CPU = torch.device("cpu")
CHUNKS = {
    (1, 1): [(0, 1)],
    (1, 2): [(0, 2)],
    (1, 4): [(-1, 3)],
    (7, 1): [(k, k + 1) for k in range(7)],
    (7, 2): [(0, 2), (2, 4), (4, 6), (6, 8)],
    (7, 4): [(0, 4), (4, 8)],
    (8, 1): [(k, k + 1) for k in range(8)],
    (8, 2): [(0, 2), (2, 4), (4, 6), (6, 8)],
    (8, 4): [(0, 4), (4, 8)],
    (9, 1): [(k, k + 1) for k in range(9)],
    (9, 2): [(0, 2), (2, 4), (4, 6), (6, 8), (8, 10)],
    (9, 4): [(-1, 3), (3, 7), (7, 11)],
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> PaperData:
    folder = tmp_path_factory.mktemp("tiny")
    cameras = write_tiny_set(folder, {"S1": 2, "S5": 1}, frames=30)
    return load_data(folder, "tiny", "gt", cameras=cameras)


@pytest.mark.parametrize(("num_frames", "length"), CHUNKS)
def test_chunks_cover_a_sequence_about_its_middle(num_frames: int, length: int) -> None:
    assert chunk_table(num_frames, length).tolist() == [list(row) for row in CHUNKS[num_frames, length]]


def test_views_are_what_each_camera_sees(tiny: PaperData) -> None:
    assert {(view.subject, view.action) for view in tiny.views} == {
        ("S1", "Walk 1"), ("S1", "Wave 1"), ("S5", "Walk 1"),
    }  # fmt: skip
    assert len(tiny.views) == 3 * 4
    view = tiny.views[0]
    assert view.positions is not None
    assert view.keypoints.shape == (30, 17, 2)  # the 31st frame has no 3D
    # Ground truth again from the 3D, by the projection of the loss.
    points = torch.from_numpy(view.positions).double()
    points[:, 1:] += points[:, :1]
    assert view.intrinsics is not None
    screen = project(points[None], torch.from_numpy(view.intrinsics)[None].double())[0].numpy()
    found = pixels_from_screen(screen, width=WIDTH, height=HEIGHT)
    expected = pixels_from_screen(view.keypoints.astype(np.float64), width=WIDTH, height=HEIGHT)
    assert np.abs(found - expected).max() < 0.01


def test_screen_units_keep_the_aspect_and_come_back() -> None:
    corners = np.array([[0.0, 0.0], [WIDTH, HEIGHT], [WIDTH / 2, HEIGHT / 2]])
    screen = screen_from_pixels(corners, width=WIDTH, height=HEIGHT)
    assert np.allclose(screen, [[-1.0, -0.8], [1.0, 0.8], [0.0, 0.0]])
    assert np.allclose(pixels_from_screen(screen, width=WIDTH, height=HEIGHT), corners)


def test_distortion_by_hand_and_without_it() -> None:
    intrinsics = torch.tensor([[2.0, 3.0, 0.1, -0.2, 0.5, 0.25, 0.0, 0.01, 0.02]])
    point = torch.tensor([[[[1.0, -0.5, 2.0]]]])  # ray (0.5, -0.25), r2 = 0.3125
    # 1 + 0.5 r2 + 0.25 r2^2 + 0.01 * 0.5 - 0.02 * 0.25 = 1.18066406
    expected = [2.0 * (0.5 * 1.18066406 + 0.003125) + 0.1, 3.0 * (-0.25 * 1.18066406 + 0.00625) - 0.2]
    assert project(point, intrinsics)[0, 0, 0].tolist() == pytest.approx(expected)
    assert project_linear(point, intrinsics)[0, 0, 0].tolist() == pytest.approx([1.1, -0.95])


def test_a_mirrored_camera_sees_the_mirrored_person(tiny: PaperData) -> None:
    view = tiny.views[1]
    assert view.intrinsics is not None
    assert view.positions is not None
    intrinsics = torch.from_numpy(view.intrinsics)[None]
    points = torch.from_numpy(view.positions)[None].clone()
    points[:, :, 1:] += points[:, :, :1]
    mirrored = project(mirror_points(points, H36M_17.mirror), mirror_intrinsics(intrinsics))
    expected = mirror_points(project(points, intrinsics), H36M_17.mirror)
    assert torch.allclose(mirrored, expected, atol=1e-5)
    assert torch.equal(mirror_points(mirror_points(points, H36M_17.mirror), H36M_17.mirror), points)


def loader(views: list[View], *, length: int, before: int, after: int, mirror: bool) -> ChunkLoader:
    return ChunkLoader(
        views, chunks=5, length=length, before=before, after=after,
        keypoint_mirror=H36M_17.mirror if mirror else None, joint_mirror=H36M_17.mirror if mirror else None,
        seed=0, device=CPU,
    )  # fmt: skip


def counted_view(num_frames: int, first: float) -> View:
    """Make a view whose frame t holds the number first + t everywhere."""
    values = (first + np.arange(num_frames, dtype=np.float32))[:, None, None]
    return View("S", "A", 0, np.tile(values, (1, 17, 2)), np.tile(values, (1, 17, 3)), np.ones(9, np.float32))


@pytest.mark.parametrize(("before", "after"), [(3, 3), (6, 0)])
def test_windows_repeat_the_ends_and_stay_within_their_view(before: int, after: int) -> None:
    views = [counted_view(7, 100.0), counted_view(9, 200.0)]
    seen: list[tuple[float, ...]] = []
    for batch in loader(views, length=2, before=before, after=after, mirror=False).epoch():
        assert batch.positions is not None
        for window, target in zip(batch.keypoints[:, :, 0, 0], batch.positions[:, :, 0, 0], strict=True):
            view = views[0] if window[0] < 200 else views[1]
            first, last = float(view.keypoints[0, 0, 0]), float(view.keypoints[-1, 0, 0])
            assert len(window) == 2 + before + after
            assert window[before : before + 2].tolist() == target.tolist()
            # Neighbours follow one another but for repetitions at either end.
            start = next(k for k, value in enumerate(window) if value > first or value == last)
            whole = [min(max(float(window[start]) + k - start, first), last) for k in range(len(window))]
            assert window.tolist() == whole
            seen.append(tuple(target.tolist()))
    assert sorted(seen) == sorted(
        [(100, 101), (102, 103), (104, 105), (106, 106)]
        + [(200, 201), (202, 203), (204, 205), (206, 207), (208, 208)]
    )


def test_every_chunk_comes_plain_and_mirrored_once_an_epoch(tiny: PaperData) -> None:
    views = list(tiny.views)
    batches = list(loader(views, length=1, before=0, after=0, mirror=True).epoch())
    keypoints = torch.cat([batch.keypoints for batch in batches])
    frames = np.concatenate([view.keypoints for view in views])
    assert len(keypoints) == 2 * len(frames)
    both = torch.cat([torch.from_numpy(frames), mirror_points(torch.from_numpy(frames), H36M_17.mirror)])
    assert torch.allclose(keypoints.sum((0, 1)), both[:, None].sum((0, 1)), atol=1e-2)
    found = {row.numpy().tobytes() for row in keypoints[:, 0]}
    assert found == {row.numpy().tobytes() for row in both}


def test_order_is_new_each_epoch_and_the_same_for_a_seed(tiny: PaperData) -> None:
    first, second = (loader(list(tiny.views), length=1, before=0, after=0, mirror=True) for _ in range(2))
    a, b = next(first.epoch()).keypoints, next(second.epoch()).keypoints
    assert torch.equal(a, b)
    assert not torch.equal(next(first.epoch()).keypoints, a)


def test_thirty_two_joints_become_seventeen_or_stay(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    world = np.zeros((20, 32, 3))
    world[:, H36M_17_OF_32] = figure(rng, 20)
    rows = camera_rows(0)
    np.savez(tmp_path / "data_3d_h36m.npz", positions_3d={"S1": {"TakingPhoto 1": world.astype(np.float32)}})  # type: ignore[arg-type]
    seen = [pixels(world[:, H36M_17_OF_32], row).astype(np.float32) for row in rows]
    np.savez(tmp_path / "data_2d_h36m_gt.npz", positions_2d={"S1": {"TakingPhoto 1": seen}})  # type: ignore[arg-type]
    cameras = write_camera_tables(tmp_path / "tables.py", {"S1": rows})
    few = load_data(tmp_path, "h36m", "gt", cameras=cameras)
    many = load_data(tmp_path, "h36m", "gt", cameras=cameras, all_joints=True)
    assert few.joints is H36M_17
    assert many.joints is H36M_32
    assert few.views[0].action == "Photo 1"  # S1's name for it is brought to the others'
    assert few.views[0].positions is not None
    assert many.views[0].positions is not None
    assert np.allclose(
        many.views[0].positions[:, H36M_17_OF_32[1:]], few.views[0].positions[:, 1:], atol=1e-5
    )


def test_humaneva_has_its_own_joints_subjects_and_no_focal_length(tmp_path: Path) -> None:
    world = np.random.default_rng(0).normal(size=(12, 15, 3)).astype(np.float32)
    takes = {"Train/S1": {"Walking 1 chunk0": world}, "Validate/S1": {"Walking 1": world}}
    seen = {s: {a: [np.zeros((12, 15, 2), np.float32)] * 3 for a in actions} for s, actions in takes.items()}
    np.savez(tmp_path / "data_3d_humaneva15.npz", positions_3d=takes)  # type: ignore[arg-type]
    np.savez(tmp_path / "data_2d_humaneva15_gt.npz", positions_2d=seen)  # type: ignore[arg-type]
    inner = [{"id": f"C{k}", "res_w": 640, "res_h": 480, "azimuth": 70} for k in range(3)]
    (tmp_path / "eva.py").write_text(
        f"humaneva_cameras_intrinsic_params = {inner!r}\n"
        f"humaneva_cameras_extrinsic_params = { ({'S1': camera_rows(0)[:3]})!r}\n",
        encoding="utf-8",
    )
    data = load_data(tmp_path, "humaneva15", "gt", cameras=tmp_path / "eva.py")
    assert len(data.joints.parents) == 15
    assert len(select_views(data, "Train/*", actions="Walk")) == 3
    assert all(view.intrinsics is None for view in data.views)


def test_cameras_survive_their_file(tmp_path: Path) -> None:
    table = write_camera_tables(tmp_path / "tables.py", {"S1": camera_rows(1), "S2": [{}, {}, {}, {}]})
    cameras = read_cameras(table)
    assert cameras["S2"] == []  # not placed
    write_cameras(tmp_path / "cameras.json", cameras)
    again = read_cameras(tmp_path / "cameras.json")["S1"]
    for a, b in zip(cameras["S1"], again, strict=True):
        assert (a.name, a.width, a.height) == (b.name, b.width, b.height)
        assert np.array_equal(a.position, b.position)
        assert a.intrinsics is not None
        assert np.array_equal(a.intrinsics, np.asarray(b.intrinsics))
    points = np.random.default_rng(0).normal(size=(5, 3))
    assert np.allclose(again[0].world_from_camera(again[0].camera_from_world(points)), points)


def test_a_camera_table_is_not_run(tmp_path: Path) -> None:
    path = write_camera_tables(tmp_path / "tables.py", {"S1": camera_rows(1)})
    path.write_text(path.read_text("utf-8") + f"\nopen({str(tmp_path / 'ran')!r}, 'w')\n", "utf-8")
    assert read_cameras(path)["S1"]
    assert not (tmp_path / "ran").exists()
    path.write_text("x_intrinsic_params = open('y')\n", "utf-8")
    with pytest.raises(InputError, match="No cameras can be read"):
        read_cameras(path)


def test_subsets_and_names_choose_views(tiny: PaperData) -> None:
    assert len(select_views(tiny, "S1,S5")) == 12
    assert {view.action for view in select_views(tiny, "S*", actions="Wav")} == {"Wave 1"}
    assert select_views(tiny, "") == []
    with pytest.raises(InputError, match="No subject fits 'S7'"):
        select_views(tiny, "S7")
    part = subset_views(list(tiny.views), fraction=0.1, step=2)
    assert len(part) == len(tiny.views)
    assert all(len(view.keypoints) in (1, 2) for view in part)
    assert subset_views(list(tiny.views), fraction=0.01) == []


def test_projections_are_compared_with_the_same_points_of_a_detector() -> None:
    coco = keypoint_layout("coco", 17, symmetry=None)
    matched = reprojection_map(H36M_17, coco)
    keypoints = torch.arange(17.0)[:, None] * torch.ones(2)
    targets = dict(zip(matched.joints, matched.targets(keypoints)[:, 0].tolist(), strict=True))
    assert targets[3] == 16.0  # right ankle
    assert targets[11] == 5.0  # left shoulder
    assert targets[0] == 11.5  # between the hips
    assert 7 not in targets  # COCO has no spine
    same = reprojection_map(H36M_17, keypoint_layout("h36m", 17, symmetry=None))
    assert torch.equal(same.targets(keypoints), keypoints)
    with pytest.raises(SkeletonMismatch, match="cannot be compared"):
        reprojection_map(H36M_17, keypoint_layout("other", 17, symmetry=[[1], [2]]))


def test_a_missing_or_short_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no .*data_3d_h36m"):
        load_data(tmp_path, "h36m", "gt")
    cameras = write_tiny_set(tmp_path, {"S1": 1}, frames=20)
    content = {"S1": {"Walk 1": [np.zeros((5, 17, 2), np.float32)]}}
    np.savez(tmp_path / "data_2d_tiny_gt.npz", positions_2d=content)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="5 frames of 2D, 20 of 3D"):
        load_data(tmp_path, "tiny", "gt", cameras=cameras)


def test_mocap_becomes_a_data_set_that_can_be_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    joints = np.zeros((400, 25, 3), np.float32)
    joints[:, :17] = figure(rng, 400)
    joints[100:120, :, 0] += 9.0  # walks away and comes back
    lengths = torch.tensor([300, 100])
    bank = MocapBank(
        ("mocap/cmu/05/05_03.bvh", "mocap/other/0005_03.bvh"), torch.tensor([0, 300]), lengths,
        torch.from_numpy(joints), torch.zeros(400, 5, 3, 3), torch.zeros(400, 4),
    )  # fmt: skip
    takes = mocap_takes(bank)
    assert person_of("mocap/cmu/05/05_03.bvh") == "05"
    assert person_of("mocap/dances/salsa/01.bvh") == "salsa"
    assert list(takes) == ["05"]  # the second file is the same trial
    assert len(takes["05"]["05 05_03"]) == 90  # frames 120 to 300, every second one
    assert write_mocap_data(tmp_path, bank, noise_px=[5.0]) == {"05": 90}
    exact, noisy = (load_data(tmp_path, "mocap", name) for name in ("gt", "noise5"))
    assert len(exact.views) == 4
    assert all(view.positions is not None and (view.positions[:, 0, 2] > 2.0).all() for view in exact.views)
    error = np.concatenate([a.keypoints - b.keypoints for a, b in zip(exact.views, noisy.views, strict=True)])
    assert error.std() * 500.0 == pytest.approx(5.0, rel=0.1)
