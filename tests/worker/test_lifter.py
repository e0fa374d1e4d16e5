# SPDX-License-Identifier: GPL-3.0-or-later
"""Lifting with random weights: frame rates, gaps, mirror images, cameras, long clips, broken files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

from vp3d_core.camera import Camera
from vp3d_core.detect.select import as_slots
from vp3d_core.errors import InputError, SkeletonMismatch, WeightsCorrupt, WeightsMissing
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.lift import lifter as lifter_module
from vp3d_core.lift.lifter import Lifter
from vp3d_core.lift.model import LifterModel
from vp3d_core.lift.normalise import FEATURES
from vp3d_core.lift.weights import (
    DEFAULT_LIFTER,
    SHIPPED_SHA256,
    load_lifter_model,
    save_lifter_model,
    weights_path,
)
from vp3d_core.skeletons import COCO_17, JOINTS, SLOTS

CAMERA = Camera(np.array([[1000.0, 0, 500], [0, 1000, 500], [0, 0, 1]]))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_lifter_model(path, LifterModel(FEATURES, 25, (3, 3, 3), channels=16), training={"seed": 0})
    return path


@pytest.fixture(scope="module")
def lifter(weights: Path) -> Lifter:
    return Lifter.load(weights, device="cpu")


def stacked_lifter(folder: Path, stack: int) -> Lifter:
    torch.manual_seed(0)
    path = folder / f"stack{stack}.safetensors"
    model = LifterModel(FEATURES, 25, (3, 3, 3), channels=16, stack=stack)
    save_lifter_model(path, model, training={"seed": 0})
    return Lifter.load(path, device="cpu")


def keypoints_at(
    times: np.ndarray, *, place: tuple[float, float] = (500.0, 500.0), size: float = 150.0
) -> Keypoints2D:
    rng = np.random.default_rng(3)
    body, phase = rng.normal(size=(28, 2)), rng.uniform(0, 6, size=(28, 2))
    xy = np.asarray(place) + size * (body + 0.3 * np.sin(4.0 * times[:, None, None] + phase))
    return Keypoints2D(xy, np.full((len(times), 28), 0.9), times, (1000, 1000), SLOTS)


def test_shapes_units_and_root(lifter: Lifter) -> None:
    pose = lifter.lift(keypoints_at(np.arange(50) / 30), CAMERA)
    assert pose.joints.shape == (50, 25, 3)
    assert np.allclose(pose.joints[:, 0], 0.0)
    assert np.allclose(np.linalg.norm(pose.up, axis=1), 1.0)
    assert (pose.sigma > 0).all()
    assert ((pose.contacts >= 0) & (pose.contacts <= 1)).all()


def test_60_fps_is_two_interleaved_sequences(lifter: Lifter) -> None:
    fast = lifter.lift(keypoints_at(np.arange(120) / 60), CAMERA)
    slow = lifter.lift(keypoints_at(np.arange(60) / 30), CAMERA)
    assert np.allclose(fast.joints[::2], slow.joints, atol=1e-5)


@pytest.mark.parametrize("rate", [10.0, 24.0, 25.0, 50.0])
def test_other_rates_give_nearly_the_same_motion(lifter: Lifter, rate: float) -> None:
    reference = lifter.lift(keypoints_at(np.arange(90) / 30), CAMERA)
    times = np.arange(int(2.9 * rate)) / rate
    pose = lifter.lift(keypoints_at(times), CAMERA)
    expected = np.stack(
        [np.interp(times, reference.times_s, column) for column in reference.joints.reshape(90, -1).T], axis=1
    )
    middle = (times > 0.5) & (times < 2.4)
    error = np.abs(pose.joints.reshape(len(times), -1) - expected)[middle]
    assert np.median(error) < 0.05 * np.abs(expected).mean()


def test_uneven_times_are_honoured(lifter: Lifter) -> None:
    times = np.sort(np.random.default_rng(0).uniform(0, 3, 120))
    pose = lifter.lift(keypoints_at(times), CAMERA)
    assert pose.joints.shape == (120, 25, 3)
    assert np.array_equal(pose.times_s, times)


def test_focal_length_and_pixels_cancel(lifter: Lifter) -> None:
    times = np.arange(40) / 30
    keypoints = keypoints_at(times)
    wide = Camera(np.array([[2000.0, 0, 1000], [0, 2000, 1000], [0, 0, 1]]))
    doubled = Keypoints2D(2 * keypoints.xy, keypoints.scores, times, (2000, 2000), SLOTS)
    assert np.allclose(lifter.lift(keypoints, CAMERA).joints, lifter.lift(doubled, wide).joints, atol=1e-4)


def test_a_mirrored_picture_gives_a_mirrored_pose(weights: Path) -> None:
    lifter = Lifter.load(weights, device="cpu", mirror=True)
    keypoints = keypoints_at(np.arange(40) / 30, place=(620.0, 480.0))
    xy = keypoints.xy[:, list(SLOTS.mirror)].copy()
    xy[..., 0] = 1000.0 - xy[..., 0]
    mirrored = Keypoints2D(xy, keypoints.scores, keypoints.times_s, (1000, 1000), SLOTS)
    pose, other = lifter.lift(keypoints, CAMERA), lifter.lift(mirrored, CAMERA)
    expected = pose.joints[:, list(JOINTS.mirror)] * [-1.0, 1.0, 1.0]
    assert np.allclose(other.joints, expected, atol=1e-4)
    assert np.allclose(other.contacts, pose.contacts[:, [2, 3, 0, 1]], atol=1e-5)


@pytest.mark.parametrize("stack", [1, 3])
def test_long_clips_in_blocks_equal_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: int
) -> None:
    lifter = stacked_lifter(tmp_path, stack)
    keypoints = keypoints_at(np.arange(301) / 30)
    whole = lifter.lift(keypoints, CAMERA)
    assert whole.joints.shape == (301, 25, 3)
    monkeypatch.setattr(lifter_module, "BLOCK_STEPS", 33)
    assert np.allclose(lifter.lift(keypoints, CAMERA).joints, whole.joints, atol=1e-5)


def test_steps_of_several_frames_leave_no_seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lifter = stacked_lifter(tmp_path, 3)
    keypoints = keypoints_at(np.arange(240) / 30)
    smooth = lifter.lift(keypoints, CAMERA).joints
    monkeypatch.setattr(lifter_module, "LOW_PASS_HZ", 14.9)
    rough = lifter.lift(keypoints, CAMERA).joints

    def between_steps(joints: np.ndarray) -> float:
        """Return the amplitude of what comes back every three frames, at 10 Hz."""
        spectrum = np.abs(np.fft.rfft(joints - joints.mean(0), axis=0)).mean((1, 2))
        return float(spectrum[80])

    assert between_steps(smooth) < 0.2 * between_steps(rough)


def test_the_low_pass_keeps_human_movement() -> None:
    times = np.arange(300)[:, None] / 30
    columns = np.tile(np.sin(2 * np.pi * 3.0 * times), (1, 107))  # a fast wave of the hand
    lowered = columns.copy()
    lifter_module._low_pass(lowered)  # pyright: ignore[reportPrivateUsage]
    assert np.abs(lowered - columns)[30:-30, :75].max() < 0.05
    assert np.array_equal(lowered[:, 75:], columns[:, 75:])


def test_gaps_and_single_frames(lifter: Lifter) -> None:
    keypoints = keypoints_at(np.arange(100) / 30)
    xy, scores = keypoints.xy.copy(), keypoints.scores.copy()
    xy[30:60], scores[30:60] = np.nan, 0.0
    pose = lifter.lift(Keypoints2D(xy, scores, keypoints.times_s, (1000, 1000), SLOTS), CAMERA)
    assert np.isfinite(pose.joints).all()
    one = lifter.lift(keypoints_at(np.array([2.0])), CAMERA)
    assert one.joints.shape == (1, 25, 3)


def test_wrong_input_is_named(lifter: Lifter) -> None:
    times = np.arange(3) / 30
    coco = Keypoints2D(np.zeros((3, 17, 2)), np.ones((3, 17)), times, (10, 10), COCO_17)
    with pytest.raises(SkeletonMismatch, match="coco17.*slots28") as raised:
        lifter.lift(coco, CAMERA)
    assert "vp3d_core.detect.select.as_slots" in raised.value.hint
    assert lifter.lift(as_slots(coco), CAMERA).joints.shape == (3, 25, 3)
    nothing = Keypoints2D(np.full((3, 28, 2), np.nan), np.zeros((3, 28)), times, (10, 10), SLOTS)
    with pytest.raises(InputError, match="no keypoint"):
        lifter.lift(nothing, CAMERA)


def test_folding_batchnorm_changes_nothing(weights: Path, lifter: Lifter) -> None:
    model, _ = load_lifter_model(weights, torch.device("cpu"))
    features = torch.randn(1, 40, FEATURES)
    with torch.inference_mode():
        assert torch.allclose(model(features)["joints"], lifter._model(features)["joints"], atol=1e-5)


def test_missing_and_broken_weights(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(WeightsMissing, match="neither a file nor"):
        Lifter.load("no-such-lifter")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(WeightsCorrupt, match="broken.safetensors"):
        Lifter.load(broken)
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(WeightsCorrupt):
        Lifter.load(tmp_path / "text.safetensors")


def rewritten(path: Path, folder: Path, **changes: object) -> Path:
    """Return a copy of weights with other values in its header."""
    with safetensors.safe_open(str(path), framework="pt") as file:
        header = json.loads(file.metadata()["vp3d"])
    return with_header(path, folder, {**header, **changes})


def with_header(path: Path, folder: Path, header: object) -> Path:
    tensors = safetensors.torch.load_file(path)
    safetensors.torch.save_file(tensors, folder / "other.safetensors", {"vp3d": json.dumps(header)})
    return folder / "other.safetensors"


ARCHITECTURE = {
    "in_channels": FEATURES, "num_joints_out": 25, "filter_widths": [3, 3, 3],
    "causal": False, "channels": 16, "stack": 1,
}  # fmt: skip


def test_a_header_that_is_none_is_refused(tmp_path: Path, weights: Path) -> None:
    for header in ([], "text", None, 7):
        with pytest.raises(WeightsCorrupt, match="the header is a .*, expected an object"):
            Lifter.load(with_header(weights, tmp_path, header), device="cpu")
    with pytest.raises(WeightsCorrupt, match="'vp3d.lifter' version 7, expected 'vp3d.lifter' version 1"):
        Lifter.load(rewritten(weights, tmp_path, version=7), device="cpu")


@pytest.mark.parametrize(
    "architecture",
    [
        [],
        None,
        {},
        ARCHITECTURE | {"filter_widths": "333"},
        ARCHITECTURE | {"filter_widths": [3, "3", 3]},
        ARCHITECTURE | {"filter_widths": 27},
        ARCHITECTURE | {"channels": "16"},
        ARCHITECTURE | {"channels": 10**30},
        ARCHITECTURE | {"channels": 32},
        ARCHITECTURE | {"causal": "no"},
        ARCHITECTURE | {"stack": None},
    ],
)
def test_a_wrong_architecture_is_refused(tmp_path: Path, weights: Path, architecture: object) -> None:
    Lifter.load(rewritten(weights, tmp_path, architecture=ARCHITECTURE), device="cpu")
    with pytest.raises(WeightsCorrupt, match=r"other\.safetensors is no VP3D lifter"):
        Lifter.load(rewritten(weights, tmp_path, architecture=architecture), device="cpu")


@pytest.mark.parametrize(("features", "joints"), [(FEATURES - 3, 25), (FEATURES, 17)])
def test_a_lifter_of_other_features_or_joints_is_refused(tmp_path: Path, features: int, joints: int) -> None:
    path = tmp_path / "other.safetensors"
    save_lifter_model(path, LifterModel(features, joints, (3, 3, 3), channels=16), training={})
    message = f"lifts {features} features to {joints} joints, expected {FEATURES} and 25"
    with pytest.raises(WeightsCorrupt, match=message):
        load_lifter_model(path, torch.device("cpu"))


def test_shipped_weights_of_another_hash_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHIPPED_SHA256, DEFAULT_LIFTER, "0" * 64)
    with pytest.raises(WeightsCorrupt, match=r"sha256 .*, expected 000000000000…"):
        Lifter.load(None, device="cpu")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(InputError, match="not there"):
        Lifter.load(None, device="npu")


def test_shipped_weights_have_their_hash_and_a_card() -> None:
    import hashlib

    assert SHIPPED_SHA256
    for name, digest in SHIPPED_SHA256.items():
        path = weights_path(name)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        assert path.stat().st_size < 40_000_000
        assert path.with_suffix(".md").is_file()
