# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vp3d_core import motion_file
from vp3d_core.errors import MotionFormatError, OutputError
from vp3d_core.motion import Motion


def rewritten(path: Path, **changes: object) -> Path:
    with np.load(path) as archive:
        arrays = dict(archive)
    for name, value in changes.items():
        if value is None:
            del arrays[name]
        else:
            arrays[name] = np.array(value)
    np.savez(path, **arrays)
    return path


@pytest.fixture
def saved(tmp_path: Path, walking_motion: Motion) -> Path:
    path = tmp_path / "Bewegung für 人.npz"
    motion_file.save(path, walking_motion)
    return path


def test_all_that_was_saved_comes_back(saved: Path, walking_motion: Motion) -> None:
    motion = motion_file.load(saved)
    for name in ("root_positions", "rotations", "contacts", "confidence"):
        np.testing.assert_array_equal(getattr(motion, name), getattr(walking_motion, name))
    assert motion.skeleton.names == walking_motion.skeleton.names
    assert motion.skeleton.parents == walking_motion.skeleton.parents
    assert motion.meta == walking_motion.meta
    assert motion.image_size == (1280, 720)
    assert motion.camera is not None
    assert walking_motion.camera is not None
    np.testing.assert_array_equal(motion.camera.world_from_camera, walking_motion.camera.world_from_camera)
    assert motion.camera.distortion is None
    np.testing.assert_array_equal(motion.joints_world(), walking_motion.joints_world())


def test_a_motion_without_camera_has_none(tmp_path: Path, walking_motion: Motion) -> None:
    motion_file.save(tmp_path / "m.npz", dataclasses.replace(walking_motion, camera=None, image_size=None))
    motion = motion_file.load(tmp_path / "m.npz")
    assert motion.camera is None
    assert motion.image_size is None


def test_the_distortion_of_the_lens_comes_back(tmp_path: Path, walking_motion: Motion) -> None:
    assert walking_motion.camera is not None
    distortion = np.array([-0.2, 0.08, 0.002, -0.001, 0.01])
    bent = dataclasses.replace(
        walking_motion, camera=dataclasses.replace(walking_motion.camera, distortion=distortion)
    )
    motion_file.save(tmp_path / "m.npz", bent)
    camera = motion_file.load(tmp_path / "m.npz").camera
    assert camera is not None
    assert camera.distortion is not None
    np.testing.assert_array_equal(camera.distortion, distortion)


def test_an_unknown_version_names_both(saved: Path) -> None:
    with pytest.raises(MotionFormatError, match="version 7 .* reads version 1"):
        motion_file.load(rewritten(saved, version=7))


def test_another_format_is_refused(saved: Path) -> None:
    with pytest.raises(MotionFormatError, match=r"holds 'other', expected 'vp3d\.motion'"):
        motion_file.load(rewritten(saved, format="other"))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("rotations", None, "rotations is missing"),
        ("rotations", np.ones((60, 29, 4)), "unit quaternions"),
        ("parents", [0] * 29, "cycle"),
        ("meta", "{", "no valid motion file"),
        ("meta", "[" * 100_000, "no valid motion file"),
        ("contacts", "text", "dtype"),
        ("contacts", np.full((60, 4), 7.0), "contacts reaches from 0 to 7, expected 0 to 1"),
        ("contacts", np.full((60, 4), -0.1), "contacts reaches from -0.1 to 1"),
        ("confidence", np.full((60, 29), 1.001), "confidence reaches from 0 to 1.001"),
        ("names", ["pelvis"] * 29, "the names pelvis come more than once"),
        ("parents", [-1] * 29, "29 roots, expected one"),
        ("parents", np.full(29, np.inf), "parents has dtype float64, expected integers"),
        ("image_size", [np.inf, 720.0], "image_size has dtype float64, expected integers"),
        ("image_size", [1280, 0], "image_size is"),
        ("image_size", [1280, 720, 3], "too many values"),
        ("start_time_s", np.nan, "start_time_s is nan"),
        ("frame_rate_hz", np.inf, "frame_rate_hz is inf"),
        ("camera_world_from_camera", np.tile(np.eye(4), (7, 1, 1)), "7 places"),
        ("camera_world_from_camera", 2.0 * np.eye(4), "without scale"),
    ],
)
def test_wrong_content_is_named(saved: Path, name: str, value: object, message: str) -> None:
    with pytest.raises(MotionFormatError, match=message) as raised:
        motion_file.load(rewritten(saved, **{name: value}))
    assert raised.value.hint


def test_rounding_is_no_mistake(saved: Path) -> None:
    beyond = np.nextafter(np.float32(1.0), np.float32(2.0))
    motion = motion_file.load(rewritten(saved, contacts=np.full((60, 4), beyond)))
    assert motion.contacts.max() > 1.0


def test_what_cannot_be_loaded_is_not_saved(saved: Path, walking_motion: Motion) -> None:
    before = saved.read_bytes()
    skeleton = dataclasses.replace(walking_motion.skeleton, names=("joint",) * 29)
    for changes in ({"skeleton": skeleton}, {"contacts": np.full((60, 4), 7.0)}):
        with pytest.raises(ValueError, match="expected"):
            motion_file.save(saved, dataclasses.replace(walking_motion, **changes))  # type: ignore[arg-type]
    assert saved.read_bytes() == before


def test_an_encrypted_file_is_refused(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    entry = content.index(b"PK\x01\x02")  # the first in the zip's directory; its flags are 8 bytes on
    content[entry + 8] |= 1
    saved.write_bytes(content)
    with pytest.raises(MotionFormatError, match="encrypted"):
        motion_file.load(saved)


def test_an_array_larger_than_any_memory_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive, archive.open("format.npy", "w") as stream:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
        np.lib.format.write_array_header_1_0(stream, header)
    with pytest.raises(MotionFormatError, match="no whole motion file"):
        motion_file.load(tmp_path / "m.npz")


def test_a_truncated_file_is_refused_at_any_length(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:length])
        with pytest.raises(MotionFormatError):
            motion_file.load(saved)


def test_damaged_bytes_are_refused_or_harmless(saved: Path, walking_motion: Motion) -> None:
    whole = bytearray(saved.read_bytes())
    rng = np.random.default_rng(0)
    for position in rng.integers(0, len(whole), 40):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        saved.write_bytes(damaged)
        try:
            motion = motion_file.load(saved)
        except MotionFormatError:
            continue
        np.testing.assert_array_equal(motion.rotations, walking_motion.rotations)


def test_pickles_are_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "trapped",)

    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Trap()))
    np.savez(tmp_path / "object.npz", format=np.array([Trap()], dtype=object))
    for name in ("pickle.npz", "object.npz"):
        with pytest.raises(MotionFormatError):
            motion_file.load(tmp_path / name)
    assert not (tmp_path / "trapped").exists()


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(MotionFormatError, match="was not found"):
        motion_file.load(tmp_path / "nothing.npz")
    with pytest.raises(MotionFormatError):
        motion_file.load(tmp_path)


def test_an_unwritable_place_is_an_output_error(tmp_path: Path, walking_motion: Motion) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        motion_file.save(tmp_path / "no folder" / "m.npz", walking_motion)


def test_a_full_disk_leaves_the_old_file(saved: Path, walking_motion: Motion) -> None:
    resource = pytest.importorskip("resource", reason="file size limits are a POSIX thing")
    before = saved.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Writing beyond half of the file fails like a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(OutputError, match="disk is full") as raised:
            motion_file.save(saved, walking_motion)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "space" in raised.value.hint
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]
