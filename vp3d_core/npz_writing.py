# SPDX-License-Identifier: GPL-3.0-or-later
"""NumPy's ``.npz`` files, written some rows at a time.

``np.savez_compressed`` makes a copy of 16 MB of an array, and one of what that compresses to.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from .time_blocks import BLOCK_FRAMES

__all__ = ["write_npz"]


def write_npz(stream: IO[bytes], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write what ``np.savez_compressed`` writes.

    Args:
        stream: Open for writing.
        arrays: By name.

    Raises:
        TypeError: An array holds objects, which only a pickle could.
    """
    with zipfile.ZipFile(stream, "w", compression=zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for name, array in arrays.items():
            if array.dtype.hasobject:
                raise TypeError(f"{name} holds objects, expected numbers or text")
            header = {
                "descr": np.lib.format.dtype_to_descr(array.dtype),
                "fortran_order": False,
                "shape": array.shape,
            }
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array_header_1_0(member, header)
                rows = array.reshape(1) if array.ndim == 0 else array
                for first in range(0, len(rows), BLOCK_FRAMES):
                    member.write(rows[first : first + BLOCK_FRAMES].tobytes())
