# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the weights, and nothing else, out of a PyTorch checkpoint; writes them as safetensors.

Standard library only, no torch. A checkpoint is a zip archive with a pickle in it, and a pickle is a
program: it names functions and has them called. OpenMMLab's checkpoints name ``getattr``, NumPy's scalars and
mmengine's HistoryBuffer, so torch's own ``weights_only`` loader either refuses them or must be told to allow
``getattr``. The unpickler here runs no foreign code at all, whatever the file says:

- ``find_class`` never imports. Four names are known (OrderedDict, ``torch._utils._rebuild_tensor_v2``,
  ``torch._utils._rebuild_parameter``, ``torch.Size``) and are answered with objects of this file; the
  storage classes of torch are answered with the name of their number type; every other name,
  ``builtins.eval`` and ``os.system`` included, becomes ``_Inert``, which can be
  called, filled and updated, and does nothing.
- Storages are not loaded by the pickle: it leaves their keys, and their bytes are read from the archive after
  their size has been checked against the shape.

What is left is the ``state_dict``: names and tensors. Anything inert among its values is an error.
"""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from ..errors import WeightsCorrupt
from ..output_file import replaced_when_done

__all__ = [
    "MAX_PICKLE_BYTES",
    "NumberType",
    "StoredTensor",
    "TensorView",
    "WeightsUnpickler",
    "read_archive",
    "read_state_dict",
    "read_tensor",
    "write_safetensors",
]

# Storage class of torch to (safetensors' name, bytes per number).
NUMBER_TYPES = {
    "FloatStorage": ("F32", 4),
    "HalfStorage": ("F16", 2),
    "BFloat16Storage": ("BF16", 2),
    "DoubleStorage": ("F64", 8),
    "LongStorage": ("I64", 8),
    "IntStorage": ("I32", 4),
    "ShortStorage": ("I16", 2),
    "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1),
    "BoolStorage": ("BOOL", 1),
}
MAX_PICKLE_BYTES = (
    64 * 2**20
)  # the largest official one has 1 MB; a larger one is no checkpoint of a pose model


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor as bytes, in C order, little-endian.

    Attributes:
        number_type: Safetensors' name, such as "F32".
        shape: Lengths; () for a scalar.
        data: The numbers.
    """

    number_type: str
    shape: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class NumberType:
    """Safetensors' name of a number type, and bytes per number."""

    name: str
    width: int


@dataclass(frozen=True, slots=True)
class _Storage:
    number_type: NumberType
    key: str


@dataclass(frozen=True, slots=True)
class TensorView:
    """A tensor that the pickle describes: a window on a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Inert:
    """Stands for everything in a checkpoint that is not a weight. Accepts what pickle does and ignores it."""

    def __init__(self, *_args: object, **_kwargs: object) -> None: ...

    def __call__(self, *_args: object, **_kwargs: object) -> _Inert:
        return _Inert()

    def __setstate__(self, _state: object) -> None: ...

    def __setitem__(self, _key: object, _value: object) -> None: ...

    def append(self, _item: object) -> None:
        """Ignore an item of a list."""

    def extend(self, _items: object) -> None:
        """Ignore items of a list."""

    def add(self, _item: object) -> None:
        """Ignore an item of a set."""


class WeightsUnpickler(pickle.Unpickler):
    """Reads numbers, text, containers and descriptions of tensors; everything else becomes inert."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Answer a name without importing anything."""
        if module_name == "torch" and global_name in NUMBER_TYPES:
            return NumberType(*NUMBER_TYPES[global_name])
        return _KNOWN.get((module_name, global_name), _Inert)

    def persistent_load(self, pid: Any, /) -> object:
        """Answer torch's reference to a storage: ("storage", type, key, location, count)."""
        if (
            isinstance(pid, tuple)
            and len(pid) >= 3
            and pid[0] == "storage"
            and isinstance(pid[1], NumberType)
        ):
            return _Storage(pid[1], str(pid[2]))
        return _Inert()


class _RebuildTensor:
    """Torch's ``_rebuild_tensor_v2(storage, offset, shape, strides, ...)``, kept as a description.

    An instance without attributes, not a function: pickle can set attributes of what find_class returns.
    """

    __slots__ = ()

    def __call__(
        self, storage: object, offset: object, shape: object, strides: object, *_rest: object
    ) -> object:
        if not isinstance(storage, _Storage):
            return _Inert()
        lengths, steps, start = _naturals(shape), _naturals(strides), _naturals((offset,))
        if lengths is None or steps is None or start is None or len(lengths) != len(steps):
            raise pickle.UnpicklingError(f"tensor with shape {shape!r} and strides {strides!r}")
        return TensorView(storage, start[0], lengths, steps)


class _RebuildParameter:
    __slots__ = ()

    def __call__(self, data: object, *_rest: object) -> object:
        return data


def _naturals(values: object) -> tuple[int, ...] | None:
    if not isinstance(values, tuple) or not all(type(value) is int and value >= 0 for value in values):
        return None
    return values


_KNOWN: dict[tuple[str, str], object] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
    ("torch._utils", "_rebuild_parameter"): _RebuildParameter(),
    ("torch", "Size"): tuple,
}


def read_state_dict(path: Path) -> dict[str, StoredTensor]:
    """Read the weights of a checkpoint: its "state_dict", or the whole file where it is one.

    Raises:
        WeightsCorrupt: The file is no checkpoint in torch's zip format, or its weights are not plain tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_state_dict(archive)
    except (OSError, zipfile.BadZipFile, zlib.error, pickle.UnpicklingError, KeyError, ValueError, TypeError,
            AttributeError, IndexError, EOFError, RuntimeError, MemoryError) as error:  # fmt: skip
        # A pickle that was tampered with fails in many ways; all mean the same to the user.
        raise WeightsCorrupt(
            f"{path} is not a PyTorch checkpoint that can be read: {type(error).__name__}: {error}",
            hint="Fetch it again, or give the .pth file from the model's page.",
        ) from error


def read_archive(archive: zipfile.ZipFile) -> tuple[object, Callable[[TensorView], bytes]]:
    """Return what the pickle in an archive describes, and a function that reads a tensor's storage."""
    pickles = [name for name in archive.namelist() if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ValueError(f"{len(pickles)} entries named data.pkl, expected 1")
    folder = pickles[0][: -len("data.pkl")]
    if archive.getinfo(pickles[0]).file_size > MAX_PICKLE_BYTES:
        raise ValueError(f"data.pkl has more than {MAX_PICKLE_BYTES} bytes")
    if folder + "byteorder" in archive.namelist() and archive.read(folder + "byteorder") != b"little":
        raise ValueError("the numbers are not little-endian")
    with archive.open(pickles[0]) as file:
        content: object = WeightsUnpickler(file).load()

    def stored(view: TensorView) -> bytes:
        entry = archive.getinfo(f"{folder}data/{view.storage.key}")
        if entry.compress_type != zipfile.ZIP_STORED:  # torch never compresses; a small file could grow huge
            raise ValueError(f"{entry.filename} is compressed")
        return archive.read(entry)

    return content, stored


def _read_state_dict(archive: zipfile.ZipFile) -> dict[str, StoredTensor]:
    content, stored = read_archive(archive)
    weights = content.get("state_dict", content) if isinstance(content, dict) else content
    if not isinstance(weights, dict) or not weights:
        raise ValueError("no state_dict inside")
    tensors: dict[str, StoredTensor] = {}
    for name, view in weights.items():
        if not isinstance(name, str) or not isinstance(view, TensorView):
            raise ValueError(f"entry {name!r} of the state_dict is not a tensor")
        tensors[name] = read_tensor(stored(view), view)
    return tensors


def read_tensor(stored: bytes, view: TensorView) -> StoredTensor:
    """Cut a tensor out of its storage.

    Raises:
        ValueError: It reaches beyond the storage's end.
    """
    width = view.storage.number_type.width
    count = prod(view.shape)
    last = sum((length - 1) * step for length, step in zip(view.shape, view.strides, strict=True))
    if count and max(view.offset + last + 1, count) * width > len(stored):
        raise ValueError(f"a tensor of shape {view.shape} needs more than the {len(stored)} bytes stored")
    if _is_c_ordered(view):
        data = stored[view.offset * width : (view.offset + count) * width]
    else:
        starts = _element_starts(view)
        data = b"".join(stored[start * width : (start + 1) * width] for start in starts)
    return StoredTensor(view.storage.number_type.name, view.shape, data)


def _is_c_ordered(view: TensorView) -> bool:
    expected = (prod(view.shape[axis + 1 :]) for axis in range(len(view.shape)))
    return prod(view.shape) <= 1 or all(
        step == want or length == 1
        for length, step, want in zip(view.shape, view.strides, expected, strict=True)
    )


def _element_starts(view: TensorView) -> list[int]:
    """Return where each number of a tensor lies in its storage, in C order: channels-last weights."""
    starts = [view.offset]
    for length, step in zip(view.shape, view.strides, strict=True):
        starts = [start + index * step for start in starts for index in range(length)]
    return starts


def write_safetensors(path: Path, tensors: dict[str, StoredTensor], *, metadata: dict[str, str]) -> None:
    """Write tensors as a safetensors file, whole or not at all.

    Source: https://huggingface.co/docs/safetensors, "Format": 8 bytes of header length, JSON, data.

    Raises:
        OutputError: The file cannot be written.
    """
    header: dict[str, object] = {"__metadata__": metadata}
    end = 0
    for name, tensor in sorted(tensors.items()):
        start, end = end, end + len(tensor.data)
        header[name] = {
            "dtype": tensor.number_type,
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with replaced_when_done(path) as temporary, temporary.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _name, tensor in sorted(tensors.items()):
            file.write(tensor.data)
