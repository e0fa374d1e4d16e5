# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of trained lifters: safetensors with the architecture in the header, and the one we ship."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import WeightsCorrupt, WeightsMissing
from ..output_file import replaced_when_done
from ..skeletons import JOINTS

if TYPE_CHECKING:
    import torch

    from .model import LifterModel

__all__ = ["DEFAULT_LIFTER", "load_lifter_model", "save_lifter_model", "weights_path"]

FORMAT = "vp3d.lifter"
VERSION = 1
DEFAULT_LIFTER = "lifter-243f"
_FOLDER = Path(__file__).resolve().parent.parent / "weights"
# sha256 of the weights in this package; a test compares them with the files.
SHIPPED_SHA256: dict[str, str] = {
    "lifter-243f": "87cd1ccebd7d57087b52224c50da5497081b3d5fc1def33912b6fe4c6ca6e625"
}


def weights_path(name_or_path: str | Path | None) -> Path:
    """Return the file of a shipped lifter's name, or of a path.

    Raises:
        WeightsMissing: when there is no such file.
    """
    name = DEFAULT_LIFTER if name_or_path is None else name_or_path
    for path in (_FOLDER / f"{name}.safetensors", Path(name)):
        if path.is_file():
            return path
    shipped = ", ".join(sorted(path.stem for path in _FOLDER.glob("*.safetensors"))) or "none"
    raise WeightsMissing(
        f"No lifter weights {str(name)!r}: neither a file nor one of the shipped ones ({shipped})",
        hint="Give the path of a .safetensors file made by 'vp3d train', or leave it out.",
    )


def load_lifter_model(
    name_or_path: str | Path | None, device: torch.device
) -> tuple[LifterModel, dict[str, object]]:
    """Load a lifter in evaluation mode.

    Returns:
        The model on the device, and the file's header (architecture, training, ``id``).

    Raises:
        WeightsMissing: no such file.
        WeightsCorrupt: another format or version, other features or joints, a wrong hash of shipped weights,
            or missing tensors.
    """
    import safetensors
    import safetensors.torch

    path = weights_path(name_or_path)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    expected = SHIPPED_SHA256.get(path.stem) if path.parent == _FOLDER else None
    if expected is not None and digest != expected:
        raise WeightsCorrupt(
            f"{path.name} has sha256 {digest[:12]}…, expected {expected[:12]}…", hint="Install VP3D again."
        )
    try:
        tensors = safetensors.torch.load(content)
        header = _read_header(path)
        model = _empty_model(header["architecture"])
        full = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
        model.load_state_dict(full, assign=True)
    except (safetensors.SafetensorError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise WeightsCorrupt(
            f"{path.name} is no VP3D lifter: {error}", hint="Use a file made by 'vp3d train'."
        ) from error
    header["id"] = f"{path.stem}@{digest[:12]}"
    return model.to(device).eval(), header


def _read_header(path: Path) -> dict[str, Any]:
    """Return the header of a file.

    Raises:
        WeightsCorrupt: another format or version.
        ValueError: something else than a header.
    """
    import safetensors

    with safetensors.safe_open(str(path), framework="pt") as file:
        header = json.loads((file.metadata() or {}).get("vp3d", "{}"))
    if not isinstance(header, dict):
        raise ValueError(f"the header is a {type(header).__name__}, expected an object")
    if (header.get("format"), header.get("version")) != (FORMAT, VERSION):
        raise WeightsCorrupt(
            f"{path.name} is {header.get('format')!r} version {header.get('version')!r}, "
            f"expected {FORMAT!r} version {VERSION}",
            hint="Use weights made by this version of VP3D.",
        )
    return header


def _empty_model(architecture: dict[str, Any]) -> LifterModel:
    """Return the network of a header, without memory and random values for what comes from the file.

    Raises:
        KeyError, RuntimeError, TypeError, ValueError: no architecture, or not one that lifts our features to
            our joints.
    """
    import torch

    from .model import LifterModel
    from .normalise import FEATURES

    sizes = architecture["in_channels"], architecture["num_joints_out"]
    if sizes != (FEATURES, len(JOINTS.points)):
        raise ValueError(
            f"it lifts {sizes[0]} features to {sizes[1]} joints, expected {FEATURES} and {len(JOINTS.points)}"
        )
    if not isinstance(architecture["causal"], bool):
        raise TypeError(f"causal is {architecture['causal']!r}, expected true or false")
    with torch.device("meta"):
        return LifterModel(
            *sizes,
            architecture["filter_widths"],
            causal=architecture["causal"],
            channels=architecture["channels"],
            stack=architecture.get("stack", 1),
        )


def save_lifter_model(path: Path, model: LifterModel, *, training: Mapping[str, object]) -> str:
    """Write a lifter as safetensors and return the file's sha256.

    Convolutions are kept as float16, which halves the file and moves joints by less than a millimetre.

    Args:
        path: Ends in .safetensors; replaced only when the new file is complete.
        model: The network.
        training: Plain JSON values for the header: data, steps, seed, metrics.
    """
    import safetensors.torch

    header = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": {
            "in_channels": model.in_channels,
            "num_joints_out": model.num_joints_out,
            "filter_widths": list(model.filter_widths),
            "causal": model.causal,
            "channels": model.channels,
            "stack": model.stack,
        },
        "training": training,
    }
    tensors = {
        name: (tensor.half() if tensor.ndim > 1 else tensor).detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
    }
    content = safetensors.torch.save(tensors, metadata={"vp3d": json.dumps(header)})
    with replaced_when_done(path) as temporary:
        temporary.write_bytes(content)
    return hashlib.sha256(content).hexdigest()
