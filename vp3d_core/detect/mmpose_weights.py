# SPDX-License-Identifier: GPL-3.0-or-later
"""The official MMPose checkpoints: which there are, whether they are here. Standard library only."""

from __future__ import annotations

from ..user_folders import weights_folder

__all__ = ["missing"]

DEFAULT_NAMES = ("rtmdet-nano", "rtmpose-m-halpe26")


def missing() -> list[str]:
    """Return the names of the default models whose weights are not on this machine."""
    folder = weights_folder() / "mmpose"
    return [name for name in DEFAULT_NAMES if not (folder / f"{name}.safetensors").is_file()]
