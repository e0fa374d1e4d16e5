# SPDX-License-Identifier: GPL-3.0-or-later
"""The Blender side of VP3D, thin over vp3d_core. Only this package imports bpy.

Each module of ``MODULES`` has register() and unregister(); unregistering goes in reverse.
"""

from __future__ import annotations

__all__ = ["register", "unregister"]


def register() -> None:
    """Register all classes, properties, handlers and timers."""
    from .registration import MODULES

    for module in MODULES:
        module.register()


def unregister() -> None:
    """Unregister everything that ``register`` registered, in reverse."""
    from .registration import MODULES

    for module in reversed(MODULES):
        module.unregister()
