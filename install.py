#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set VP3D up and run it: ``python install.py capture CLIP.mp4`` on a fresh machine.

Needs nothing but a Python: 3.9 or newer to start it, 3.10-3.12 for the worker, which is looked for. The code
is vp3d_core/installer; this file only refuses a Python too old to read that.
"""

import os
import sys

OLDEST = (3, 9)

if __name__ == "__main__":
    if sys.version_info < OLDEST:
        sys.exit("install.py needs Python 3.9 or newer to start, this is " + sys.version.split()[0])
    # Not there by itself under -I, -P or PYTHONSAFEPATH.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from vp3d_core.installer.cli import main

    sys.exit(main(sys.argv[1:]))
