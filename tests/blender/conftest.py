# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests inside Blender: with the bpy wheel, or in a real Blender through ``tests/run_in_blender.py``.

The checkout is linked as a development install of the extension into a folder of this run's own, which
Blender takes for the user's, and the tests import it from there as the package ``vp3d``, so that relative
imports from addon/ to vp3d_core/ work as in Blender.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HAS_BPY = importlib.util.find_spec("bpy") is not None

collect_ignore_glob = [] if HAS_BPY else ["test_*.py"]

if HAS_BPY:
    USER = Path(tempfile.mkdtemp(prefix="vp3d-blender-"))
    atexit.register(shutil.rmtree, USER, ignore_errors=True)
    os.environ["BLENDER_USER_RESOURCES"] = str(USER)  # read when bpy is imported
    EXTENSIONS = USER / "extensions" / "user_default"
    EXTENSIONS.mkdir(parents=True)
    (EXTENSIONS / "vp3d").symlink_to(ROOT, target_is_directory=True)
    sys.path.insert(0, str(EXTENSIONS))

    import bpy

    @pytest.fixture(autouse=True)
    def _empty_file() -> None:
        """Each test starts in a new file with one empty scene."""
        bpy.ops.wm.read_factory_settings(use_empty=True)
