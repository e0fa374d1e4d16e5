# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads NumPy files that hold pickled object arrays, such as VideoPose3D's, without running what is in them.

``numpy.load`` needs ``allow_pickle=True`` for them, which runs any program that a stranger put into the file.
The unpickler here knows arrays, dtypes and scalars of NumPy by name and answers them with stand-ins that take
numbers, text, lists, tuples and dicts and nothing else; any other name is refused before anything is called.
NumPy's own ``_reconstruct`` and ``dtype`` are not used either: they trust what a pickle tells them.
"""

from __future__ import annotations

import io
import pickle
import re
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import KeypointFileError

__all__ = ["read_npz"]

MAX_BYTES = 2**31  # of one array; two hours of 17 keypoints have 60 MB
_NUMBERS = re.compile(r"^[fiub][1248]$")


def read_npz(path: Path) -> dict[str, object]:
    """Read every array of an ``.npz`` file; object arrays come as lists, a single value as itself.

    Raises:
        KeypointFileError: The file is no npz file, or holds more than arrays, numbers, text, lists and dicts.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            if any(archive.getinfo(name).file_size > MAX_BYTES for name in names):
                raise ValueError(f"an array has more than {MAX_BYTES} bytes")
            return {name[:-4]: _read_array(archive.read(name)) for name in names}
    except (OSError, zipfile.BadZipFile, zlib.error, pickle.UnpicklingError, ValueError, TypeError, KeyError,
            IndexError, AttributeError, EOFError, RuntimeError, MemoryError) as error:  # fmt: skip
        raise KeypointFileError(
            f"{path} cannot be read as a file of keypoint arrays: {error}",
            hint="Give an .npz file as VideoPose3D writes it.",
        ) from error


def _read_array(content: bytes) -> object:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"array format {version} is not known")
    _shape, _order, dtype = readers[version](file)
    if not dtype.hasobject:
        return np.load(io.BytesIO(content), allow_pickle=False)
    return _plain(_ArrayUnpickler(file).load())


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Answer NumPy's names with stand-ins; refuse all others."""
        module_name = module_name.replace("numpy._core", "numpy.core")
        if (module_name, global_name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it holds {module_name}.{global_name}, which is refused")
        return _KNOWN[module_name, global_name]

    def persistent_load(self, pid: Any, /) -> Any:
        """Refuse references to things outside the file."""
        raise pickle.UnpicklingError("it refers to something outside the file")


class _NumberType:
    """Stands for ``numpy.dtype``; only plain numbers and "O" are taken."""

    __slots__ = ("code", "order")

    def __init__(self, code: object, *_flags: object) -> None:
        text = code.decode() if isinstance(code, bytes) else code
        if not isinstance(text, str) or not (text in ("O", "O8") or _NUMBERS.match(text)):
            raise pickle.UnpicklingError(f"it holds numbers of type {code!r}, which is refused")
        self.code, self.order = text, "="

    def __setstate__(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        order = order.decode() if isinstance(order, bytes) else order
        if order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"it holds numbers in byte order {order!r}")
        self.order = str(order)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.code).newbyteorder(self.order)  # type: ignore[arg-type]


class _StoredArray:
    """Stands for an array that is being unpickled."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: object = None

    def __setstate__(self, state: object) -> None:
        _version, shape, number_type, by_columns, data = state  # type: ignore[misc]
        if not isinstance(number_type, _NumberType) or not isinstance(shape, tuple):
            raise pickle.UnpicklingError("it holds an array without a shape or a type")
        if not all(type(length) is int and length >= 0 for length in shape):
            raise pickle.UnpicklingError(f"it holds an array of shape {shape!r}")
        if isinstance(data, list):
            if prod(shape) != len(data):
                raise pickle.UnpicklingError(f"it holds an array of shape {shape!r} with {len(data)} values")
            self.value = _nested(data, shape)
        elif isinstance(data, bytes) and number_type.code[0] != "O":
            numbers = np.frombuffer(data, number_type.dtype)
            self.value = numbers.reshape(shape, order="F" if by_columns else "C")
        else:
            raise pickle.UnpicklingError("it holds an array whose content is not numbers")


def _nested(values: list[Any], shape: tuple[int, ...]) -> Any:
    """Nest the values of an object array, which a pickle holds row by row in any case, by its shape."""
    if len(shape) <= 1 or not values:
        return values if shape else values[0]
    step = len(values) // shape[0]
    return [_nested(values[start : start + step], shape[1:]) for start in range(0, len(values), step)]


class _Reconstruct:
    __slots__ = ()

    def __call__(self, *_args: object) -> _StoredArray:
        return _StoredArray()


class _Scalar:
    __slots__ = ()

    def __call__(self, number_type: object, data: object) -> object:
        if (
            not isinstance(number_type, _NumberType)
            or not isinstance(data, bytes)
            or number_type.code[0] == "O"
        ):
            raise pickle.UnpicklingError("it holds a number without a type")
        return np.frombuffer(data, number_type.dtype)[0].item()


class _Name:
    """Stands for a class that is only ever an argument."""

    __slots__ = ()


_KNOWN: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _Reconstruct(),
    ("numpy.core.multiarray", "scalar"): _Scalar(),
    ("numpy", "ndarray"): _Name(),
    ("numpy", "dtype"): _NumberType,
}


def _plain(value: object) -> object:
    """Replace stored arrays by what they hold, at every level."""
    if isinstance(value, _StoredArray):
        return _plain(value.value)
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str, bytes, np.ndarray)):
        return value
    raise pickle.UnpicklingError(f"it holds a {type(value).__name__}, which is refused")
