# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds MMPose's and MMDetection's models from their own configs and fills them with verified weights.

torch, mmengine, mmdet and mmpose are imported inside the functions. Pictures are BGR, as OpenMMLab has it.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..errors import DeviceOutOfMemory, WeightsCorrupt, WorkerNotInstalled
from . import mmpose_weights, openmm_compat

if TYPE_CHECKING:
    import torch

__all__ = ["OnePassModel", "People", "PersonModel", "PoseModel", "choose_device"]

_LOG = logging.getLogger(__name__)
# Not part of a model's own parameters: the preprocessor's constants, which the config holds as well.
IGNORED_PREFIX = "data_preprocessor."
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """What a model says about the people in one picture.

    Attributes:
        boxes_xyxy: (D, 4) px.
        scores: (D,) in [0, 1].
        keypoints_xy: (D, K, 2) px; K is 0 for a person finder.
        keypoint_scores: (D, K) as the network gives them.
    """

    boxes_xyxy: Array
    scores: Array
    keypoints_xy: Array
    keypoint_scores: Array


class PersonModel:
    """A person finder (RTMDet)."""

    def __init__(self, name: str, *, device: str) -> None:
        self.sha256, self._model, config = _load(name, "mmdet", device=device)
        pipeline = [dict(step) for step in config.test_dataloader.dataset.pipeline]
        pipeline[0] = {"type": "mmdet.LoadImageFromNDArray"}
        self._pipeline = _compose(pipeline, scope="mmdet")

    def find(self, pictures: Sequence[Picture]) -> list[tuple[Array, Array]]:
        """Return the boxes (D, 4) px and scores (D,) of the people in each picture, in one forward pass."""
        samples = [self._pipeline({"img": picture, "img_id": 0}) for picture in pictures]
        found: list[tuple[Array, Array]] = []
        for result in _forward(self._model, samples):
            instances = result.pred_instances
            people = instances.labels == 0
            found.append((_numbers(instances.bboxes[people]), _numbers(instances.scores[people])))
        return found


class PoseModel:
    """Keypoints of one person in a box (RTMPose)."""

    def __init__(self, name: str, *, device: str, flip_test: bool, num_points: int) -> None:
        self.sha256, self._model, config = _load(name, "mmpose", device=device)
        self._model.test_cfg["flip_test"] = flip_test
        self._pipeline = _compose(config.test_dataloader.dataset.pipeline, scope="mmpose")
        self._meta = _dataset_meta(config)
        if self._meta["num_keypoints"] != num_points:
            raise ValueError(f"{name} has {self._meta['num_keypoints']} keypoints, expected {num_points}")

    def keypoints(self, crops: Sequence[tuple[Picture, Array]]) -> tuple[Array, Array]:
        """Return the keypoints (N, K, 2) px and raw scores (N, K) of N (picture, box) pairs in one pass.

        The pairs may come from different pictures.
        """
        samples = [
            self._pipeline(
                {"img": picture, "bbox": box[None].astype(np.float32), "bbox_score": np.ones(1, np.float32)}
                | self._meta
            )
            for picture, box in crops
        ]
        results = _forward(self._model, samples)
        points = [_numbers(result.pred_instances.keypoints)[0] for result in results]
        scores = [_numbers(result.pred_instances.keypoint_scores)[0] for result in results]
        return np.array(points), np.array(scores)


class OnePassModel:
    """Boxes and keypoints of everybody in one pass (RTMO)."""

    def __init__(self, name: str, *, device: str) -> None:
        self.sha256, self._model, config = _load(name, "mmpose", device=device)
        self._pipeline = _compose(config.test_dataloader.dataset.pipeline, scope="mmpose")
        self._meta = _dataset_meta(config)

    def find(self, pictures: Sequence[Picture]) -> list[People]:
        """Return the people in each picture, in one forward pass."""
        samples = [
            self._pipeline({"img": picture, "img_id": 0, "id": 0} | self._meta) for picture in pictures
        ]
        found: list[People] = []
        for result in _forward(self._model, samples):
            instances = result.pred_instances
            found.append(
                People(
                    boxes_xyxy=_numbers(instances.bboxes),
                    scores=_numbers(instances.bbox_scores),
                    keypoints_xy=_numbers(instances.keypoints),
                    keypoint_scores=_numbers(instances.keypoint_scores),
                )
            )
        return found


def choose_device(device: str) -> str:
    """Return the torch device for a setting: "auto" takes CUDA where there is one, else the CPU.

    Apple's GPU is taken only when it is asked for: several of the models' operators are untried there.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Hide what OpenMMLab's code warns about itself: deprecated calls of torch, paths of its own configs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@_without_warnings()
def _load(name: str, scope: str, *, device: str) -> tuple[str, Any, Any]:
    """Return the sha256 of a model's checkpoint, the model with its weights, ready to run, and its config."""
    path = mmpose_weights.require(name)
    about = mmpose_weights.origin(path)
    model, config = _build(name, scope)
    _fill(model, path)
    if hasattr(model, "switch_to_deploy"):
        model.switch_to_deploy()
    _fuse(model)
    import torch

    model = model.to(device=device, memory_format=torch.channels_last).eval()
    return about["sha256"], model, config


@_without_warnings()
def _build(name: str, scope: str, *, for_training: bool = False) -> tuple[Any, Any]:
    """Return a model without weights, and its config."""
    openmm_compat.activate()
    try:
        import mmpose
        from mmdet.utils import register_all_modules as register_mmdet
        from mmengine.config import Config
        from mmengine.model import revert_sync_batchnorm
        from mmengine.registry import MODELS, DefaultScope, init_default_scope
        from mmpose.utils import register_all_modules as register_mmpose
    except ImportError as error:
        raise WorkerNotInstalled(
            f"MMPose cannot be imported: {error}", hint="Run 'python install.py install' again."
        ) from error
    register_mmdet(init_default_scope=False)
    register_mmpose(init_default_scope=False)
    root = Path(str(mmpose.__file__)).resolve().parent / ".mim"
    config = Config.fromfile(root / mmpose_weights.checkpoint(name).config)
    if not for_training:
        config.model.train_cfg = None
    config.model.backbone.init_cfg = None  # names a download
    with DefaultScope.overwrite_default_scope(scope):
        init_default_scope(scope)
        return revert_sync_batchnorm(MODELS.build(config.model)), config


@_without_warnings()
def _compose(pipeline: Sequence[Any], *, scope: str) -> Callable[[dict[str, Any]], Any]:
    from mmengine.dataset import Compose
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope(scope):
        return Compose(pipeline)


@_without_warnings()
def _dataset_meta(config: Any) -> dict[str, Any]:
    from mmpose.apis.inference import dataset_meta_from_config
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    meta = dataset_meta_from_config(config, dataset_mode="train")
    return meta or parse_pose_metainfo({"from_file": "configs/_base_/datasets/coco.py"})


def _fill(model: torch.nn.Module, path: Path) -> None:
    """Load weights into a model; every parameter must be there with its shape.

    Raises:
        WeightsCorrupt: Names or shapes differ from the model's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = {k: v for k, v in load_file(path).items() if not k.startswith(IGNORED_PREFIX)}
        result = model.load_state_dict(weights, strict=False)
    except (RuntimeError, SafetensorError) as error:
        raise WeightsCorrupt(
            f"{path} does not fit its model: {str(error).splitlines()[-1].strip()}", hint="Import it again."
        ) from error
    if result.missing_keys:
        raise WeightsCorrupt(
            f"{path} lacks {len(result.missing_keys)} of the weights, first {result.missing_keys[0]!r}",
            hint="Import the checkpoint of this very model.",
        )
    if result.unexpected_keys:
        _LOG.warning("%s holds %d weights that are not used", path, len(result.unexpected_keys))


def _fuse(model: Any) -> None:
    """Fold BatchNorm into the convolutions of backbone and neck.

    Not the heads: RTMDet's share their convolutions between levels with a BatchNorm each.
    """
    from mmcv.cnn import fuse_conv_bn

    for part in ("backbone", "neck"):
        if getattr(model, part, None) is not None:
            fuse_conv_bn(getattr(model, part))


@_without_warnings()
def _forward(model: Any, samples: Sequence[Any]) -> list[Any]:
    import torch
    from mmengine.dataset import pseudo_collate

    try:
        with torch.inference_mode():
            return list(model.test_step(pseudo_collate(samples)))
    except torch.OutOfMemoryError as error:
        raise DeviceOutOfMemory(
            f"The device ran out of memory with {len(samples)} pictures at once",
            hint="Close other programs that use the GPU, or choose --device cpu.",
        ) from error


def _numbers(values: Any) -> Array:
    import torch

    if isinstance(values, torch.Tensor):
        values = values.detach().float().cpu().numpy()
    return np.asarray(values, np.float32)
