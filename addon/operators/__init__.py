# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators: each thin over a module of the add-on, each with an execute that blocks, for -b."""

from __future__ import annotations

from . import choose_video, installation, jobs, motions, rig_maps, workers

__all__ = ["register", "unregister"]

MODULES = (choose_video, workers, jobs, motions, rig_maps, installation)


def register() -> None:
    """Register all operators."""
    for module in MODULES:
        module.register()


def unregister() -> None:
    """Unregister them in reverse."""
    for module in reversed(MODULES):
        module.unregister()
