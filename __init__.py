# SPDX-License-Identifier: GPL-3.0-or-later
"""VP3D as a Blender extension. Importing it imports no bpy: that happens in ``register``."""

__all__ = ["register", "unregister"]


def register() -> None:
    """Register the add-on; called by Blender."""
    from . import addon

    addon.register()


def unregister() -> None:
    """Unregister the add-on; called by Blender."""
    from . import addon

    addon.unregister()
