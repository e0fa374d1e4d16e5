# SPDX-License-Identifier: GPL-3.0-or-later
"""The real MMPose with checkpoints that are made here: saved by mmengine, imported, loaded, run."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vp3d_core.detect import mmpose_models, mmpose_weights
from vp3d_core.detect.detector import make_detector
from vp3d_core.detect.mmpose_detector import MMPoseDetector, calibrated_scores
from vp3d_core.errors import InputError, WeightsCorrupt, WeightsMissing
from vp3d_core.keypoints import Frame
from vp3d_core.skeletons import HALPE_26

pytestmark = pytest.mark.worker
torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

POSE, PERSON = "rtmpose-t-halpe26", "rtmdet-nano"


def random_model(name: str, scope: str) -> tuple[Any, Any]:
    """A model of random weights; BatchNorm's statistics too, so that a wrong fusion would show."""
    torch.manual_seed(5)
    model, config = mmpose_models._build(name, scope)
    for key, values in model.named_buffers():
        if key.endswith("running_var"):
            values.uniform_(0.5, 2.0)
        elif key.endswith("running_mean"):
            values.normal_(0.0, 0.2)
    if scope == "mmdet":
        for layer in model.bbox_head.rtm_cls:
            torch.nn.init.normal_(layer.weight, std=0.05)
            torch.nn.init.zeros_(layer.bias)  # scores around 0.5: some boxes pass
    return model.eval(), config


def save(model: Any, path: Path) -> Path:
    """Save as mmengine's training does, with what its checkpoints hold besides weights."""
    from mmengine.logging import HistoryBuffer
    from mmengine.runner.checkpoint import save_checkpoint

    content = {
        "state_dict": model.state_dict(),
        "meta": {"epoch": 1, "iter": np.int64(3), "dataset_meta": {"classes": ("person",)}},
        "message_hub": {"loss": HistoryBuffer([1.0, 0.5], [1, 1]), "rate": np.float64(0.1)},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save_checkpoint(content, str(path))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Checkpoints of both models, imported under a folder of their own."""
    folder = tmp_path_factory.mktemp("mmpose")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VP3D_HOME", str(folder / "home"))
        for name, scope in ((POSE, "mmpose"), (PERSON, "mmdet")):
            path = save(random_model(name, scope)[0], folder / f"{name}.pth")
            mmpose_weights.import_file(path, name=name)
    return folder


@pytest.fixture
def home(folder, monkeypatch) -> Path:
    monkeypatch.setenv("VP3D_HOME", str(folder / "home"))
    return folder


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (200, 280, 3), dtype=np.uint8) for _ in range(3)]


def frames(pictures: list[np.ndarray]) -> list[Frame]:
    return [Frame(index, index / 30, picture) for index, picture in enumerate(pictures)]


def reference_keypoints(
    name: str, picture: np.ndarray, boxes: np.ndarray, *, flip_test: bool
) -> tuple[Any, Any]:
    """What mmpose's own inference_topdown says: BatchNorm not fused, one picture at a time."""
    from mmpose.apis import inference_topdown

    model, config = random_model(name, "mmpose")
    model.cfg, model.dataset_meta = config, mmpose_models._dataset_meta(config)
    model.test_cfg["flip_test"] = flip_test
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = inference_topdown(model, picture[:, :, ::-1].copy(), boxes)
    found: list[Any] = [result.pred_instances for result in results]
    keypoints = np.concatenate([people.keypoints for people in found])
    return keypoints, np.concatenate([people.keypoint_scores for people in found])


@pytest.mark.parametrize("flip_test", [False, True])
def test_keypoints_agree_with_mmposes_own_inference(home, pictures, flip_test):
    detector = MMPoseDetector(device="cpu", threads=1, flip_test=flip_test)
    detections = detector.detect(frames(pictures))
    assert sum(len(found.scores) for found in detections) > 0
    for picture, found in zip(pictures, detections, strict=True):
        assert found.skeleton is HALPE_26
        assert ((found.scores >= 0.3) & (found.scores <= 1)).all()
        if not len(found.scores):
            continue
        xy, raw = reference_keypoints(POSE, picture, found.boxes_xyxy, flip_test=flip_test)
        np.testing.assert_allclose(found.keypoints_xy, xy, atol=0.01)  # px
        inside = ((xy >= -0.5) & (xy < [279.5, 199.5])).all(axis=-1)
        np.testing.assert_allclose(
            found.keypoint_scores, np.where(inside, calibrated_scores(raw), 0), atol=1e-3
        )


def test_batches_change_nothing(home, pictures):
    detector = MMPoseDetector(device="cpu", threads=1)
    together = detector.detect(frames(pictures))
    alone = [detector.detect([frame])[0] for frame in frames(pictures)]
    for first, second in zip(together, alone, strict=True):
        np.testing.assert_allclose(first.boxes_xyxy, second.boxes_xyxy, atol=0.01)
        np.testing.assert_allclose(first.keypoints_xy, second.keypoints_xy, atol=0.51)  # SimCC's step is 0.5
    assert detector.detect([]) == []
    detector.close()
    with pytest.raises(ValueError, match="closed"):
        detector.detect(frames(pictures))


def test_auto_takes_mmpose_when_its_weights_are_here(home):
    detector = make_detector("auto", device="cpu", threads=1)
    assert detector.name == "mmpose"
    sha256 = mmpose_weights.origin(mmpose_weights.path_of(POSE))["sha256"]
    assert f"{POSE}-{sha256[:8]}" in detector.model_id
    assert PERSON in detector.model_id


def test_missing_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("VP3D_HOME", str(tmp_path))
    with pytest.raises(WeightsMissing, match="rtmpose-m-halpe26"):
        make_detector("mmpose", device="cpu", threads=1)


def test_weights_of_another_model_are_refused(home, tmp_path, monkeypatch):
    monkeypatch.setenv("VP3D_HOME", str(tmp_path))
    mmpose_weights.import_file(home / f"{PERSON}.pth", name=PERSON)
    mmpose_weights.import_file(home / f"{POSE}.pth", name="rtmpose-s-halpe26")
    with pytest.raises(WeightsCorrupt, match="does not fit|lacks"):
        MMPoseDetector(device="cpu", threads=1)
    with pytest.raises(InputError, match="is a person model, expected a pose model"):
        MMPoseDetector(device="cpu", threads=1, pose=PERSON)


def test_non_maximum_suppression_agrees_with_the_definition():
    from vp3d_core.detect.openmm_compat import _nms

    rng = np.random.default_rng(1)
    low = rng.uniform(0, 50, (40, 2))
    boxes, scores = np.hstack([low, low + rng.uniform(5, 40, (40, 2))]), rng.uniform(0, 1, 40)
    kept: list[int] = []
    for index in np.argsort(-scores):
        overlaps = []
        for other in kept:
            size = np.maximum(
                np.minimum(boxes[index, 2:], boxes[other, 2:])
                - np.maximum(boxes[index, :2], boxes[other, :2]),
                0,
            )
            areas = np.prod(boxes[index, 2:] - boxes[index, :2]) + np.prod(
                boxes[other, 2:] - boxes[other, :2]
            )
            overlaps.append(size.prod() / (areas - size.prod()))
        if all(overlap <= 0.4 for overlap in overlaps):
            kept.append(int(index))
    found = _nms(torch.from_numpy(boxes), torch.from_numpy(scores), iou_threshold=0.4)
    assert found.tolist() == kept


def test_scores_are_calibrated_monotonically():
    raw = np.linspace(-1, 3, 200)
    scores = calibrated_scores(raw)
    assert (np.diff(scores) >= 0).all()
    assert (scores.min(), scores.max()) == (0, 1)
    np.testing.assert_allclose(calibrated_scores(np.array([0.3])), 0.3)
