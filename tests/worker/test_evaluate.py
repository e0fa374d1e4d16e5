# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluation: a lifter that knows the truth has no error, and an offset is measured as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.mocap_files import write_bank
from tests.worker.lifters import save_random_lifter
from vp3d_core.arrays import Array
from vp3d_core.camera import Camera
from vp3d_core.keypoints import Keypoints2D
from vp3d_core.lift.lifter import Lifter
from vp3d_core.pose import Pose3D
from vp3d_core.skeletons import JOINTS
from vp3d_core.train import evaluate as evaluate_module
from vp3d_core.train.dataset import Batch, MocapBank, load_bank, make_batch
from vp3d_core.train.evaluate import WINDOW_FRAMES, evaluate_lifter


class Oracle:
    """Gives back the true poses of the batches made for it, moved by an offset (J, 3) m."""

    def __init__(self, offset: Array | None = None) -> None:
        self.offset = np.zeros((25, 3)) if offset is None else offset
        self.poses: list[Pose3D] = []

    def remember(self, *args: object, **options: object) -> Batch:
        batch = make_batch(*args, **options)  # type: ignore[arg-type]
        for b in range(len(batch.joints)):
            camera_from_virtual = batch.virtual_from_camera[b].transpose(-1, -2).double().numpy()
            joints = np.einsum("tij,tkj->tki", camera_from_virtual, batch.joints[b].double().numpy())
            up = np.einsum("tij,tj->ti", camera_from_virtual, batch.up[b].double().numpy())
            times = np.arange(len(joints)) / 30.0
            contacts = batch.contacts[b].double().nan_to_num().numpy()
            self.poses.append(Pose3D(joints + self.offset, times, np.ones(joints.shape[:2]), contacts, up))
        return batch

    def lift(self, keypoints: Keypoints2D, camera: Camera) -> Pose3D:
        assert len(keypoints.times_s) == WINDOW_FRAMES
        assert camera.intrinsics[0, 0] == 1.0
        return self.poses.pop(0)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> MocapBank:
    path = write_bank(tmp_path_factory.mktemp("bank") / "bank.npz", names=("a", "b"))
    return load_bank(path, torch.device("cpu"))


def scores_of(oracle: Oracle, bank: MocapBank, monkeypatch: pytest.MonkeyPatch) -> evaluate_module.Scores:
    monkeypatch.setattr(evaluate_module, "make_batch", oracle.remember)
    return evaluate_lifter(oracle, bank, noise=1.0, windows=8)  # type: ignore[arg-type]


def test_who_knows_the_truth_has_no_error(bank: MocapBank, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = scores_of(Oracle(), bank, monkeypatch)
    for name in ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve", "up_error_deg"):
        assert getattr(scores, name) == pytest.approx(0.0, abs=0.05), name
    assert scores.jitter_ratio == pytest.approx(1.0, abs=0.01)
    assert scores.contact_f1 == pytest.approx(1.0)
    assert scores.windows == 8
    assert set(scores.per_joint.values()) == {0.0}


def test_an_offset_is_measured(bank: MocapBank, monkeypatch: pytest.MonkeyPatch) -> None:
    offset = np.zeros((25, 3))
    offset[JOINTS.index("left_wrist")] = [0.0, 0.12, 0.0]
    scores = scores_of(Oracle(offset), bank, monkeypatch)
    assert scores.per_joint["left_wrist"] == pytest.approx(120.0, abs=0.1)
    assert scores.per_joint["right_wrist"] == 0.0
    assert scores.mpjpe == pytest.approx(120.0 / 24, abs=0.05)  # the pelvis is not counted
    assert scores.mpjve == pytest.approx(0.0, abs=0.05)


def test_the_real_lifter_gives_numbers(bank: MocapBank, tmp_path: Path) -> None:
    lifter = Lifter.load(save_random_lifter(tmp_path / "random.safetensors"), device="cpu")
    first = evaluate_lifter(lifter, bank, noise=1.0, windows=8)
    assert np.isfinite([first.mpjpe, first.p_mpjpe, first.mpjve, first.bone_spread, first.contact_f1]).all()
    assert first.mpjpe > 100
    assert list(first.per_joint) == list(JOINTS.points)
    again = evaluate_lifter(lifter, bank, noise=1.0, windows=8)
    assert again.mpjpe == first.mpjpe
