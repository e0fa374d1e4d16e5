# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pytest inside Blender, or with the bpy wheel; ``install.py test`` calls it.

    blender -b --factory-startup --python-exit-code 1 --python tests/run_in_blender.py -- [pytest options]
    python tests/run_in_blender.py [pytest options]

The folder that VP3D_TEST_PACKAGES names is looked in for pytest where Blender's Python has none.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES_VARIABLE = "VP3D_TEST_PACKAGES"
LONGEST_RUN_S = 1500.0


def main() -> int:
    """Run the tests that the command line names, or all of tests/blender."""
    packages = os.environ.get(PACKAGES_VARIABLE)
    if packages:
        sys.path.append(packages)
    import pytest

    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    if not any(Path(word.split("::")[0]).exists() for word in words if not word.startswith("-")):
        words = [*words, str(ROOT / "tests" / "blender")]
    config = ("-c", str(ROOT / "tests" / "run_in_blender.ini"), "--rootdir", str(ROOT))
    return int(pytest.main([*config, *words]))


if __name__ == "__main__":
    faulthandler.dump_traceback_later(LONGEST_RUN_S, exit=True)
    code = 1
    try:
        code = main()
    finally:
        # Blender 4.2 crashes and 4.5 hangs at exit once an extension was enabled.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
