# SPDX-License-Identifier: GPL-3.0-or-later
"""RTMO through the real MMPose, with a checkpoint of random weights, made here and imported as a user does.

Random weights find no people, but boxes and points that depend on the picture. So what is tested is all but
their sense: that they are those of MMPose's own inference, that they are where they belong in a picture of
any size, and that a capture takes them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.clips import write_clip
from tools.small_mmpose.narrow import save_checkpoint
from vp3d_core.capture.detection_stage import Detected, detect_people
from vp3d_core.capture.progress import Progress
from vp3d_core.capture.stage_store import StageStore
from vp3d_core.detect import mmpose_models, mmpose_weights
from vp3d_core.detect.detector import make_detector
from vp3d_core.detect.mmpose_detector import MAX_BOX_OVERLAP, MAX_PEOPLE, MIN_PERSON_SCORE, MMPoseDetector
from vp3d_core.errors import WeightsCorrupt
from vp3d_core.keypoints import Detections2D, Frame
from vp3d_core.settings import CaptureSettings
from vp3d_core.skeletons import COCO_17
from vp3d_core.video import probe

pytestmark = pytest.mark.worker
torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

ROOT = Path(__file__).resolve().parents[2]
NAME = "rtmo-t"
SIDE_PX = 416  # of the picture that the network sees
PADDING = 114  # grey around pictures of another shape


def random_model() -> tuple[Any, Any]:
    """RTMO-t with random weights, BatchNorm's statistics those of noise, some cells sure of a person."""
    torch.manual_seed(5)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        model, config = mmpose_models._build(NAME, "mmpose")
        for layer in model.modules():
            if isinstance(layer, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
                layer.momentum = 1.0
        model.train()
        model.head.forward(model.extract_feat(255 * torch.rand(2, 3, SIDE_PX, SIDE_PX)))
    for scores, boxes in zip(model.head.head_module.out_cls, model.head.head_module.out_bbox, strict=True):
        torch.nn.init.normal_(scores.weight, std=0.6)
        torch.nn.init.constant_(scores.bias, -3.5)
        torch.nn.init.constant_(boxes.bias, 1.0)  # wider than a cell
    return model.eval(), config


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint, imported by install.py into a folder of its own."""
    folder = tmp_path_factory.mktemp("one pass")
    path = save_checkpoint(folder / f"{NAME}.pth", random_model()[0].state_dict())
    done = subprocess.run(
        [sys.executable, "install.py", "weights", "--from-file", str(path), "--model", NAME],
        env={**os.environ, "VP3D_HOME": str(folder / "home"), "PYTHONUTF8": "1"},
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "--detector auto now takes MMPose with rtmo-t." in done.stdout
    return folder


@pytest.fixture
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VP3D_HOME", str(folder / "home"))
    return folder


@pytest.fixture(scope="module")
def detector(folder: Path) -> MMPoseDetector:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VP3D_HOME", str(folder / "home"))
        return MMPoseDetector(device="cpu", threads=1)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def frames(*pictures: np.ndarray) -> list[Frame]:
    return [Frame(index, index / 30, picture) for index, picture in enumerate(pictures)]


def own_inference(picture: np.ndarray) -> Any:
    """What mmpose's own inference_bottomup says: not fused, not switched over for deployment."""
    from mmengine.registry import DefaultScope
    from mmpose.apis import inference_bottomup

    model, config = random_model()
    model.cfg, model.dataset_meta = config, mmpose_models._dataset_meta(config)
    with warnings.catch_warnings(), DefaultScope.overwrite_default_scope("mmpose"):
        warnings.simplefilter("ignore")
        (result,) = inference_bottomup(model, picture[:, :, ::-1].copy())
    return result.pred_instances


@pytest.mark.parametrize("size", [(200, 280), (310, 190)], ids=["wide", "tall"])
def test_people_agree_with_mmposes_own_inference(detector, size):
    picture = noise(*size)
    (found,) = detector.detect(frames(picture))
    expected = own_inference(picture)
    assert len(found.scores) > 3
    assert len(found.scores) == min(MAX_PEOPLE, len(kept(expected.bboxes, expected.bbox_scores)))
    seen = 0
    for box, score, xy, scores in zip(
        found.boxes_xyxy, found.scores, found.keypoints_xy, found.keypoint_scores, strict=True
    ):
        row = np.abs(expected.bboxes - box).max(axis=1).argmin()
        np.testing.assert_allclose(box, expected.bboxes[row], atol=0.01)  # px
        np.testing.assert_allclose(xy, expected.keypoints[row], atol=0.01)
        assert score == pytest.approx(expected.bbox_scores[row], abs=1e-4)
        inside = ((xy >= -0.5) & (xy < np.array(size[::-1]) - 0.5)).all(axis=-1)
        np.testing.assert_allclose(scores, np.where(inside, expected.keypoint_scores[row], 0), atol=1e-4)
        seen += inside.sum()
    assert seen > 0.5 * found.keypoint_scores.size


def kept(boxes: np.ndarray, scores: np.ndarray) -> list[int]:
    """The sure people, of those who overlap the surest."""
    rows: list[int] = []
    for row in np.argsort(-scores):
        common = np.maximum(
            np.minimum(boxes[row, 2:], boxes[rows, 2:]) - np.maximum(boxes[row, :2], boxes[rows, :2]), 0
        ).prod(axis=1)
        areas = (boxes[[row, *rows], 2:] - boxes[[row, *rows], :2]).prod(axis=1)
        if scores[row] >= MIN_PERSON_SCORE and all(
            common <= MAX_BOX_OVERLAP * (areas[0] + areas[1:] - common)
        ):
            rows.append(int(row))
    return rows


def test_detections_are_coco_keypoints_in_the_picture(detector):
    for found in detector.detect(frames(noise(200, 280), noise(200, 280, 1))):
        assert found.skeleton is COCO_17
        assert found.keypoints_xy.shape == (len(found.scores), 17, 2)
        assert np.isfinite(found.keypoints_xy).all()
        assert ((found.scores >= MIN_PERSON_SCORE) & (found.scores <= 1)).all()
        assert (np.diff(found.scores) <= 0).all(), "the surest first"
        assert ((found.keypoint_scores >= 0) & (found.keypoint_scores <= 1)).all()
        outside = ((found.keypoints_xy < -0.5) | (found.keypoints_xy >= [279.5, 199.5])).any(axis=-1)
        np.testing.assert_array_equal(found.keypoint_scores == 0, outside)
        sizes = found.boxes_xyxy[:, None, 2:] - found.boxes_xyxy[:, None, :2]
        away = np.abs(found.keypoints_xy - found.boxes_xyxy.reshape(-1, 2, 2).mean(axis=1)[:, None])
        whole = (found.boxes_xyxy[:, 2:] < [280, 200]).all(axis=1)  # not cut at the border of what is seen
        assert (away[whole] <= 0.63 * sizes[whole] + 0.01).all(), "RTMO looks in 1.25 times the box"


def assert_same(found: Detections2D, expected: Detections2D, *, factor: float = 1, shift: float = 0) -> None:
    """Compare people whose pictures are the same to the network, scaled by the factor, then moved down."""
    assert len(found.scores) == len(expected.scores) > 3
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
    np.testing.assert_allclose(
        found.keypoints_xy, factor * expected.keypoints_xy + [0, shift], atol=0.02
    )  # px
    np.testing.assert_allclose(
        found.boxes_xyxy, factor * expected.boxes_xyxy + [0, shift, 0, shift], atol=0.02
    )


def test_a_picture_with_its_padding_has_its_people_moved(detector):
    """A wide picture is padded above and below for the network: who does that before must find the same."""
    wide = noise(312, SIDE_PX)
    square = np.full((SIDE_PX, SIDE_PX, 3), PADDING, np.uint8)
    square[52:-52] = wide
    found = [detector.detect(frames(picture))[0] for picture in (square, wide)]
    assert_same(found[0], found[1], shift=52)


def test_a_picture_twice_as_large_has_its_people_twice_as_far(detector):
    small = noise(312, SIDE_PX)
    large = small.repeat(2, axis=0).repeat(2, axis=1)  # which the network sees at half its size
    found = [detector.detect(frames(picture))[0] for picture in (large, small)]
    assert_same(found[0], found[1], factor=2)


def test_batches_change_nothing(home):
    detector = MMPoseDetector(device="cpu", threads=1, pose=NAME)
    pictures = frames(noise(200, 280), noise(200, 280, 1), np.zeros((200, 280, 3), np.uint8))
    together = detector.detect(pictures)
    assert len(together) == len(pictures)
    for found, frame in zip(together[:2], pictures, strict=False):
        assert_same(found, detector.detect([frame])[0])
    assert detector.detect([]) == []
    detector.close()
    with pytest.raises(ValueError, match="closed"):
        detector.detect(pictures)


@pytest.mark.parametrize("choice", ["auto", "mmpose", "mmpose:rtmo-t"])
def test_it_is_taken_by_itself_and_by_its_name(home, choice):
    detector = make_detector(choice, device="cpu", threads=1)
    sha256 = mmpose_weights.origin(mmpose_weights.path_of(NAME))["sha256"]
    assert (detector.name, detector.skeleton) == ("mmpose", COCO_17)
    assert detector.model_id == f"mmpose-rtmo-t-{sha256[:8]}-r1"


def test_a_capture_detects_with_it_once(home, tmp_path, monkeypatch):
    """Stored, read back, and not used for another model's weights."""
    video = tmp_path / "noise.mp4"
    write_clip(video, [noise(200, 280, seed) for seed in range(4)], rate_hz=30)
    store = StageStore(tmp_path)

    def detect(choice: str) -> Detected:
        settings = CaptureSettings(detector=choice, device="cpu", threads=1)
        progress = Progress(None, ("detect",))
        return detect_people(
            video, probe(video), settings, None, store=store, source="a video", progress=progress
        )

    first = detect("mmpose:rtmo-t")
    assert first.model_id.startswith("mmpose-rtmo-t-")
    assert [found.skeleton for found in first.video.detections] == [COCO_17] * 4
    assert sum(len(found.scores) for found in first.video.detections) > 0
    with monkeypatch.context() as patch:
        patch.setattr(MMPoseDetector, "detect", None)  # must not be called
        again = detect("auto")
    assert again.key == first.key
    for found, expected in zip(again.video.detections, first.video.detections, strict=True):
        np.testing.assert_array_equal(found.keypoints_xy, expected.keypoints_xy)

    monkeypatch.setenv("VP3D_HOME", str(tmp_path / "another home"))
    state = random_model()[0].state_dict()
    state["head.head_module.out_kpt_vis.0.bias"] += 0.5
    mmpose_weights.import_file(save_checkpoint(tmp_path / "tuned.pth", state), name=NAME)
    assert detect("mmpose:rtmo-t").key != first.key


def test_a_checkpoint_that_lacks_weights_of_the_model_is_refused(home, tmp_path, monkeypatch):
    monkeypatch.setenv("VP3D_HOME", str(tmp_path))
    state = random_model()[0].state_dict()
    del state["head.dcc.x_fc.bias"]
    mmpose_weights.import_file(save_checkpoint(tmp_path / "less.pth", state), name=NAME)
    with pytest.raises(WeightsCorrupt, match="lacks 1 of the weights, first 'head.dcc.x_fc.bias'") as caught:
        MMPoseDetector(device="cpu", threads=1)
    assert "very model" in caught.value.hint
