# SPDX-License-Identifier: GPL-3.0-or-later
"""Fewer labels: a part of each sequence, and a lower frame rate."""

from __future__ import annotations

import hashlib

__all__ = ["subset_slice"]


def subset_slice(num_frames: int, *, fraction: float, step: int = 1) -> slice:
    """Return which frames of a sequence are used.

    One run of neighbouring frames; its place depends on the length only, through a hash, so that it is the
    same in every run and for 2D and 3D.

    Args:
        num_frames: Of the sequence.
        fraction: Of it that is kept, (0, 1].
        step: Every step-th frame is kept.
    """
    if not 0.0 < fraction <= 1.0 or step < 1:
        raise ValueError(f"fraction {fraction} and step {step} make no subset")
    if fraction == 1.0:
        return slice(0, num_frames, step)
    length = round(num_frames // step * fraction) * step
    digest = hashlib.sha256(str(num_frames).encode()).digest()
    uniform = int.from_bytes(digest[:4], "little") / (2**32 - 1)
    start = int(uniform * (num_frames - length + 1))
    start = min(start, num_frames - length)
    return slice(start, start + length, step)
