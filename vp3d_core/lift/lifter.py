# SPDX-License-Identifier: GPL-3.0-or-later
"""Lift 2D keypoints to 3D joints: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from ..arrays import Array
from ..camera import Camera
from ..errors import DeviceOutOfMemory, InputError, SkeletonMismatch
from ..keypoints import Keypoints2D
from ..pose import Pose3D
from ..skeletons import JOINTS, SLOTS
from ..time_blocks import time_blocks
from .even_times import Sightings, at_times, even_times, longest_step_s

if TYPE_CHECKING:
    import torch

    from .model import LifterModel

__all__ = ["Lifter", "choose_device", "has_bfloat16"]

COLUMNS = (3 * len(JOINTS.points), len(JOINTS.points), 4, 3)  # joints, sigma, contacts, up: numbers a frame
BLOCK_STEPS = 480  # of one pass through the network; bounds the memory of long videos
# Joints that are lifted several frames a step are low-passed: it takes 93 % of what comes back every three
# frames (10 Hz), as the seams between steps do, 14 % of movement at 5 Hz and less than 1 % below 2.5 Hz.
LOW_PASS_HZ = 7.0
LOW_PASS_MARGIN = 30  # frames after which the filter has forgotten where it began
LOW_PASS_LEAST = 12  # frames that it needs


def choose_device(device: str) -> torch.device:
    """Return the torch device of "auto", "cpu", "cuda" or "mps".

    Raises:
        InputError: when the device is not there.
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there.get(device, False):
        raise InputError(
            f"Device {device!r} is not there",
            hint=f"Choose {' or '.join(n for n, ok in there.items() if ok)}.",
        )
    return torch.device(device)


def has_bfloat16(device: torch.device) -> bool:
    """Return whether a device multiplies bfloat16 itself, which takes half the time of float32."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # torch has no public name for it
    return device.type == "cpu" and supported is not None and supported()


class Lifter:
    """A trained lifter on a device. Make one with ``Lifter.load``.

    Attributes:
        model_id: Name and hash of the weights.
        device: Where it runs.
        mirror: Whether the mirrored keypoints are lifted too, and the mean taken.
    """

    def __init__(
        self, model: LifterModel, *, device: torch.device, model_id: str, mirror: bool = False
    ) -> None:
        self._model = _fuse_batchnorm(model).to(device).eval()
        self.device = device
        self.model_id = model_id
        self.mirror = mirror

    @classmethod
    def load(
        cls, name_or_path: str | Path | None = None, device: str = "auto", *, mirror: bool = False
    ) -> Lifter:
        """Load a lifter.

        Args:
            name_or_path: Name of a shipped lifter or path of a .safetensors file; None takes the default.
            device: "auto", "cpu", "cuda" or "mps".
            mirror: Whether to lift the mirrored keypoints too and take the mean: a little more accurate,
                twice the work.

        Raises:
            WeightsMissing, WeightsCorrupt: see ``weights.load_lifter_model``.
            InputError: when the device is not there.
        """
        from .weights import load_lifter_model

        torch_device = choose_device(device)
        model, header = load_lifter_model(name_or_path, torch_device)
        return cls(model, device=torch_device, model_id=str(header["id"]), mirror=mirror)

    def lift(self, keypoints: Keypoints2D, camera: Camera) -> Pose3D:
        """Lift 2D keypoints to root-relative 3D joints.

        The whole sequence goes through the network in one pass (in blocks when it is long), its ends
        repeated. What is lifted several frames a step is low-passed, against the seams between steps. Frame
        rates above the network's are split into interleaved sequences of about 30 Hz; others are resampled
        and the result brought back.

        Args:
            keypoints: (T, 28, 2) px in SLOTS order (see ``detect.select.as_slots``), any frame rate, gaps
                allowed.
            camera: Its intrinsics and distortion; its place is not used.

        Returns:
            (T, 25, 3) m of a body 1.70 m tall, camera axes, at the keypoints' times.

        Raises:
            SkeletonMismatch: when the keypoints are not in SLOTS order.
            InputError: when there is no keypoint at all.

        Source: Pavllo et al. 2019, sec. 3; the mirrored pass, where it is asked for: sec. 5.
        """
        if keypoints.skeleton.points != SLOTS.points:
            raise SkeletonMismatch(
                f"Keypoints are {keypoints.skeleton.name!r}, expected {SLOTS.name!r}",
                hint="Bring them into slots with vp3d_core.detect.select.as_slots.",
            )
        if not (keypoints.scores > 0).any():
            raise InputError("There is no keypoint to lift", hint="Check the detections.")
        times = np.asarray(keypoints.times_s, dtype=np.float64)
        grid, phases = even_times(times)
        # float32: as exact as the network, and half as large.
        lifted = [np.empty((len(grid), width), dtype=np.float32) for width in COLUMNS]
        gap_s = longest_step_s(times)
        for phase in range(phases):
            part = slice(phase, None, phases)
            seen = Sightings(keypoints, camera, grid[part], gap_s)
            self._lift_phase(seen, [columns[part] for columns in lifted])
        # Popped, so that what is resampled is freed.
        joints, sigma, contacts, up = (at_times(lifted.pop(0), grid, times) for _ in COLUMNS)
        return Pose3D(
            joints=joints.reshape(len(times), -1, 3),
            times_s=times,
            sigma=np.maximum(sigma, 1e-3, out=sigma),
            contacts=np.clip(contacts, 0.0, 1.0, out=contacts),
            up=up / np.linalg.norm(up, axis=1, keepdims=True),
        )

    def _lift_phase(self, seen: Sightings, lifted: Sequence[Array]) -> None:
        """Lift one sequence at 30 Hz into columns (T, N), N as in ``COLUMNS``."""
        import torch

        ends = np.cumsum(COLUMNS)[:-1]
        try:
            with torch.inference_mode():
                margin = LOW_PASS_MARGIN if self._model.stack > 1 else 0
                length = BLOCK_STEPS * self._model.stack
                for block in time_blocks(len(seen.grid), margin=margin, length=length):
                    near = self._lifted(*self._block(seen, block.read))
                    if margin and len(near) >= LOW_PASS_LEAST:
                        _low_pass(near)
                    for columns, part in zip(lifted, np.split(near[block.inside], ends, axis=1), strict=True):
                        columns[block.kept] = part
        except torch.OutOfMemoryError as error:
            raise DeviceOutOfMemory(
                f"Lifting needs more memory than {self.device} has", hint="Use --device cpu."
            ) from error

    def _block(self, seen: Sightings, read: slice) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what the network sees of some frames, ends repeated, and the frames' virtual cameras.

        The last step may reach beyond them.
        """
        import torch

        from .normalise import TAIL_SIGMA_FRAMES, normalise

        start, stop = read.start, read.stop
        before, after = self._model.frames_before, self._model.frames_after
        after += (start - stop) % self._model.stack  # so that the last step is whole
        reach = int(3 * TAIL_SIGMA_FRAMES)  # of the smoothing in the features
        first, end = max(start - reach, 0) - before, min(stop + reach, len(seen.grid)) + after
        there = slice(max(first, 0), min(end, len(seen.grid)))
        rays, scores = seen.at(there)
        index = np.clip(np.arange(first, end), there.start, there.stop - 1) - there.start
        features, rotation = normalise(
            torch.from_numpy(rays[index])[None], torch.from_numpy(scores[index])[None]
        )
        used, lifted = slice(start - before - first, stop + after - first), slice(start - first, stop - first)
        return features[:, used].to(self.device), rotation[0, lifted]

    def _lifted(self, features: torch.Tensor, virtual_from_camera: torch.Tensor) -> Array:
        """Return the columns (T, 107) of ``COLUMNS`` side by side, in camera axes."""
        import torch

        from .normalise import mirror_features

        both = torch.cat([features, mirror_features(features)]) if self.mirror else features
        half = has_bfloat16(self.device)  # moves joints by 0.7 mm on average
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half):
            output = self._model(both)
        output = {name: value[:, : len(virtual_from_camera)].float() for name, value in output.items()}
        order, sign = list(JOINTS.mirror), torch.tensor([-1.0, 1.0, 1.0], device=features.device)

        def mean(values: torch.Tensor, back: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
            return (values[0] + back(values[1])) / 2 if self.mirror else values[0]

        joints = mean(output["joints"], lambda other: other[:, order] * sign)
        sigma = mean(output["log_sigma"].clamp(-7, 2).exp(), lambda other: other[:, order])
        contacts = mean(output["contact_logits"].sigmoid(), lambda other: other[:, [2, 3, 0, 1]])
        up = torch.nn.functional.normalize(mean(output["up"], lambda other: other * sign), dim=-1)
        camera_from_virtual = virtual_from_camera.to(features.device).transpose(-1, -2)
        joints = torch.einsum("tij,tkj->tki", camera_from_virtual, joints - joints[:, :1])
        up = torch.einsum("tij,tj->ti", camera_from_virtual, up)
        return torch.cat([joints.flatten(1), sigma, contacts, up], dim=-1).cpu().numpy()


def _low_pass(columns: Array) -> None:
    """Smooth the joints, the first of columns (T, 107), at 30 Hz in place, without delay."""
    from scipy.signal import butter, sosfiltfilt

    from .normalise import LIFT_RATE_HZ

    filters = butter(2, LOW_PASS_HZ, fs=LIFT_RATE_HZ, output="sos")
    joints = slice(0, COLUMNS[0])
    columns[:, joints] = sosfiltfilt(filters, columns[:, joints], axis=0)


def _fuse_batchnorm(model: LifterModel) -> LifterModel:
    """Fold every BatchNorm into the convolution before it: the same numbers, fewer passes."""
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    model = model.eval()
    model.expand_conv = fuse_conv_bn_eval(model.expand_conv, cast(nn.BatchNorm1d, model.expand_bn))
    model.expand_bn = nn.Identity()
    for i in range(len(model.layers_conv)):
        convolution, norm = cast(nn.Conv1d, model.layers_conv[i]), cast(nn.BatchNorm1d, model.layers_bn[i])
        model.layers_conv[i] = fuse_conv_bn_eval(convolution, norm)
        model.layers_bn[i] = nn.Identity()
    return model
