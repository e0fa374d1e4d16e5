# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m vp3d_core`` is ``vp3d``."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    try:
        from .cli import main

        sys.exit(main())
    except KeyboardInterrupt:  # before, or after, ``main`` took care of it
        os._exit(130)
