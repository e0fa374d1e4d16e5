# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets MMPose 1.3.2 and MMDetection 3.3.0 run on mmcv-lite 2.1.0, which needs no compiler.

Call ``activate()`` before the first import of mmpose or mmdet. Nothing is written anywhere: a stand-in goes
into ``sys.modules`` only where the real module is absent or cannot be imported.

- ``mmcv._ext``: mmcv-lite carries ``mmcv/ops/*.py`` without the compiled module that they load. The stand-in
  answers ``nms`` with PyTorch code; every other operator raises NotImplementedError with its name when it is
  called. RTMPose, RTMO and RTMDet call no other. May go when mmcv ships wheels for current PyTorch
  (https://github.com/open-mmlab/mmpose/issues/3250).
- ``xtcocotools``: its wheels end at CPython 3.11; pycocotools has the same classes.
- ``torchvision``: mmpose takes ``transforms.ToPILImage`` from it, for pictures of heat maps that are never
  drawn here; mmdet and mmengine do without it.

Torch's list of safe globals is left alone: weights are read by checkpoint_reader.py and need none.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import logging
import sys
import types
from typing import TYPE_CHECKING, Any

from ..errors import WorkerNotInstalled

if TYPE_CHECKING:
    import torch

__all__ = ["activate"]

_LOG = logging.getLogger(__name__)


def activate() -> dict[str, str]:
    """Register the stand-ins that are needed; a second call changes nothing.

    Returns:
        Each stand-in's name with the reason why it is needed.

    Raises:
        WorkerNotInstalled: mmcv or pycocotools is missing.
    """
    replaced = {
        name: reason
        for name, reason in (
            ("mmcv._ext", _stand_in_for_mmcv_ext()),
            ("xtcocotools", _stand_in_for_xtcocotools()),
            ("torchvision", _stand_in_for_torchvision()),
        )
        if reason
    }
    for name, reason in replaced.items():
        _LOG.debug("stand-in for %s: %s", name, reason)
    return replaced


def _stand_in_for_mmcv_ext() -> str:
    if isinstance(sys.modules.get("mmcv._ext"), _MissingOperators):
        return "mmcv-lite has no compiled operators"
    if importlib.util.find_spec("mmcv") is None:
        raise WorkerNotInstalled(
            "mmcv-lite is not installed",
            hint="Run 'python install.py install' again; it installs MMPose and what it needs.",
        )
    if importlib.util.find_spec("mmcv._ext") is not None:
        return ""
    operators = _MissingOperators("mmcv._ext", "stand-in for mmcv's compiled operators")
    operators.__spec__ = importlib.machinery.ModuleSpec("mmcv._ext", loader=None)
    operators.nms = _nms  # type: ignore[attr-defined]
    sys.modules["mmcv._ext"] = operators
    return "mmcv-lite has no compiled operators"


class _MissingOperators(types.ModuleType):
    """A module in which every operator can be looked up, as mmcv.ops does on import, but not called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*_args: object, **_kwargs: object) -> None:
            raise NotImplementedError(f"mmcv operator {name!r} needs the full mmcv; this is mmcv-lite")

        return missing


def _nms(boxes: torch.Tensor, scores: torch.Tensor, *, iou_threshold: float, offset: int = 0) -> torch.Tensor:
    """Return the indices of the boxes to keep, best first, as mmcv's operator of that name.

    Args:
        boxes: (N, 4) left, top, right, bottom.
        scores: (N,).
        iou_threshold: Boxes that overlap a better one by more are dropped.
        offset: 1 where boxes count whole pixels, else 0.
    """
    import torch

    order = scores.argsort(descending=True, stable=True)
    sorted_boxes = boxes.detach().float().cpu()[order.cpu()]
    sizes = (sorted_boxes[:, 2:] - sorted_boxes[:, :2] + offset).clamp(min=0)
    areas = sizes.prod(dim=1)
    alive = torch.ones(len(sorted_boxes), dtype=torch.bool)
    for i in range(len(sorted_boxes)):  # each box's fate hangs on those before it
        if not alive[i]:
            continue
        rest = sorted_boxes[i + 1 :]
        low = torch.maximum(sorted_boxes[i, :2], rest[:, :2])
        high = torch.minimum(sorted_boxes[i, 2:], rest[:, 2:])
        overlaps = (high - low + offset).clamp(min=0).prod(dim=1)
        unions = (areas[i] + areas[i + 1 :] - overlaps).clamp(min=1e-12)
        alive[i + 1 :] &= overlaps / unions <= iou_threshold
    return order[alive.to(order.device)]


def _stand_in_for_xtcocotools() -> str:
    reason = _import_failure("xtcocotools.mask")
    if not reason:
        return ""
    try:
        from pycocotools import coco, cocoeval, mask
    except ImportError as error:
        raise WorkerNotInstalled(
            f"pycocotools cannot be imported: {error}", hint="Run 'python install.py install' again."
        ) from error
    package = _empty_package("xtcocotools")
    for name, module in (("coco", coco), ("cocoeval", cocoeval), ("mask", mask)):
        setattr(package, name, module)
        sys.modules[f"xtcocotools.{name}"] = module
    return reason


def _stand_in_for_torchvision() -> str:
    if getattr(sys.modules.get("torchvision"), "is_stand_in", False):
        return "not installed"
    reason = _import_failure("torchvision")
    if not reason:
        return ""
    package = _empty_package("torchvision")
    package.is_stand_in = True  # type: ignore[attr-defined]
    package.__version__ = "0.0.0"  # type: ignore[attr-defined]
    transforms = types.ModuleType("torchvision.transforms")
    transforms.__spec__ = importlib.machinery.ModuleSpec("torchvision.transforms", loader=None)
    transforms.ToPILImage = _ToPILImage  # type: ignore[attr-defined]
    package.transforms = transforms  # type: ignore[attr-defined]
    sys.modules["torchvision.transforms"] = transforms
    return reason


class _ToPILImage:
    """Only there to be imported: mmpose uses it when it draws heat maps."""

    def __call__(self, _picture: object) -> None:
        raise NotImplementedError("drawing heat maps needs torchvision")


def _empty_package(name: str) -> types.ModuleType:
    package = types.ModuleType(name, "stand-in; see vp3d_core.detect.openmm_compat")
    package.__spec__ = importlib.machinery.ModuleSpec(name, loader=None, is_package=True)
    package.__path__ = []
    sys.modules[name] = package
    return package


def _import_failure(name: str) -> str:
    """Import a module; return why it cannot be, with its half-imported parts removed, or ""."""
    try:
        importlib.import_module(name)
    except (ImportError, ValueError, RuntimeError, OSError) as error:
        # ValueError: built for another NumPy; RuntimeError: built for another torch.
        package = name.split(".")[0]
        for loaded in [key for key in sys.modules if key == package or key.startswith(package + ".")]:
            del sys.modules[loaded]
        return f"{type(error).__name__}: {error}"
    return ""
