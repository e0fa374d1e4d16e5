# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the worker environment, with the standard library alone.

``install.py`` runs this package on whatever Python the user has, from 3.9 on, and Blender runs it behind a
button: no third-party import, and nothing that Python 3.9 cannot run (annotations are never evaluated).
"""

__all__: list[str] = []
