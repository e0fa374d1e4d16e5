# SPDX-License-Identifier: GPL-3.0-or-later
"""Array types and the checks that the data types make once, on construction."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "BoolArray", "IntArray", "check_finite", "check_shape", "check_times"]

Array: TypeAlias = npt.NDArray[np.floating[Any]]
IntArray: TypeAlias = npt.NDArray[np.integer[Any]]
BoolArray: TypeAlias = npt.NDArray[np.bool_]


def check_shape(name: str, array: npt.NDArray[np.generic], shape: tuple[int | str, ...]) -> None:
    """Raise ValueError unless the array has the shape; strings stand for any length.

    Args:
        name: The field's name, for the message.
        array: The array to check.
        shape: Expected lengths; a string such as "T" accepts any.
    """
    matches = array.ndim == len(shape) and all(
        isinstance(want, str) or have == want for have, want in zip(array.shape, shape, strict=True)
    )
    if not matches:
        raise ValueError(f"{name} has shape {array.shape}, expected {shape}")


def check_finite(name: str, array: Array) -> None:
    """Raise ValueError when the array holds NaN or infinity."""
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds {int((~np.isfinite(array)).sum())} values that are not finite")


def check_times(name: str, times_s: Array) -> None:
    """Raise ValueError unless the times are finite and strictly increasing."""
    check_finite(name, times_s)
    if times_s.size > 1 and not (np.diff(times_s) > 0).all():
        raise ValueError(f"{name} must increase strictly")
