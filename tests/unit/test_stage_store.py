# SPDX-License-Identifier: GPL-3.0-or-later
import os
from pathlib import Path

import numpy as np
import pytest

from tests import synthetic
from vp3d_core.capture.stage_store import StageStore, code_key, is_known_source, make_key, source_sha256
from vp3d_core.capture.stage_values import (
    pack_keypoints,
    pack_poses,
    pack_tracks,
    pack_trajectories,
    unpack_keypoints,
    unpack_poses,
    unpack_tracks,
    unpack_trajectories,
)
from vp3d_core.errors import OutputError
from vp3d_core.pose import Pose3D, Trajectory


def test_arrays_survive_and_keys_tell_them_apart(tmp_path: Path) -> None:
    store = StageStore(tmp_path / "new" / "folder")
    store.save("lift", "a", {"x": np.arange(5, dtype=np.float32), "y": np.array("text")})
    loaded = store.load("lift", "a")
    assert loaded is not None
    assert loaded["x"].dtype == np.float32
    np.testing.assert_array_equal(loaded["x"], np.arange(5))
    assert str(loaded["y"]) == "text"
    assert store.load("lift", "b") is None
    assert store.load("place", "a") is None


def test_without_a_folder_nothing_is_kept() -> None:
    store = StageStore(None)
    store.save("lift", "a", {"x": np.zeros(1)})
    assert store.load("lift", "a") is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"no archive"])
def test_a_broken_file_is_made_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lift-a.npz").write_bytes(content)
    assert StageStore(tmp_path).load("lift", "a") is None


def test_a_cut_file_is_made_again(tmp_path: Path) -> None:
    store = StageStore(tmp_path)
    store.save("lift", "a", {"x": np.random.default_rng(0).normal(size=1000)})
    path = tmp_path / "lift-a.npz"
    path.write_bytes(path.read_bytes()[:-200])
    assert store.load("lift", "a") is None


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="a file is in its place"):
        StageStore(tmp_path / "file").save("lift", "a", {"x": np.zeros(1)})


def test_keys_depend_on_every_part() -> None:
    assert make_key("a", 1, {"b": None}) == make_key("a", 1, {"b": None})
    assert (
        len({make_key("a", 1), make_key("a", 2), make_key("b", 1), make_key("a", 1, None), make_key()}) == 5
    )
    assert len(code_key()) == 16


def test_the_hash_of_a_source_is_remembered_until_it_changes(tmp_path: Path) -> None:
    clip, memory = tmp_path / "clip", tmp_path / "stages"
    clip.write_bytes(b"one")
    first = source_sha256(clip, folder=memory)
    assert first == source_sha256(clip, folder=None)
    assert is_known_source(clip, folder=memory)
    status = clip.stat()
    clip.write_bytes(b"two")
    os.utime(clip, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert source_sha256(clip, folder=memory) == first, "same size and time: it is taken for the same"
    os.utime(clip, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert not is_known_source(clip, folder=memory)
    assert source_sha256(clip, folder=memory) != first


def test_a_moved_source_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    source_sha256(tmp_path / "a", folder=tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert is_known_source(tmp_path / "b", folder=tmp_path)


def test_a_folder_has_a_hash_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "json"
    folder.mkdir()
    (folder / "1.json").write_text("{}")
    first = source_sha256(folder, folder=None)
    (folder / "2.json").write_text("{}")
    assert source_sha256(folder, folder=None) != first


def test_stage_values_survive() -> None:
    keypoints = synthetic.seen_keypoints(synthetic.walking_motion(1), 1)
    track = synthetic.seen_track(keypoints, track_id=7, first_frame=3)
    frames = len(keypoints.times_s)
    pose = Pose3D(
        np.zeros((frames, 25, 3)), keypoints.times_s, np.ones((frames, 25)), np.ones((frames, 4)),
        np.tile([0.0, -1.0, 0.0], (frames, 1)),
    )  # fmt: skip
    ((track_id, same_keypoints),) = unpack_keypoints(pack_keypoints([(7, keypoints)]))
    assert track_id == 7
    assert same_keypoints.image_size == keypoints.image_size
    np.testing.assert_array_equal(same_keypoints.xy, keypoints.xy)
    (same_track,) = unpack_tracks(pack_tracks([track]))
    assert same_track.track_id == 7
    np.testing.assert_array_equal(same_track.frames, track.frames)
    first, second = unpack_poses(pack_poses([pose, pose]))
    np.testing.assert_array_equal(first.sigma, second.sigma)
    (path,) = unpack_trajectories(pack_trajectories([Trajectory(np.ones((frames, 3)))]))
    assert path.root.shape == (frames, 3)
    assert unpack_poses(pack_poses([])) == []
