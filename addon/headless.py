# SPDX-License-Identifier: GPL-3.0-or-later
"""Converts videos without a window, whether the extension is installed or not.

    blender -b [rig.blend] --python addon/headless.py -- CLIP... -o OUT [options]
    blender -b --python addon/headless.py -- --help

An installed extension has the same as ``blender --command vp3d``. With the bpy module instead of Blender:
``python addon/headless.py CLIP... -o OUT``.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE_NAME = "vp3d_headless"
EXIT_FAILED = 1


def package_name() -> str:
    """Return the name of the package that this file belongs to; it is made when Blender has not loaded it."""
    start = str(ROOT / "__init__.py")
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) == start:
            return name
    spec = importlib.util.spec_from_file_location(PACKAGE_NAME, start, submodule_search_locations=[str(ROOT)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{start} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE_NAME] = module
    spec.loader.exec_module(module)
    return PACKAGE_NAME


def main() -> int:
    """Run the command with the words after "--", or all of them where a plain Python runs this file."""
    if "--" in sys.argv:
        words = sys.argv[sys.argv.index("--") + 1 :]
    elif Path(sys.argv[0]).name == Path(__file__).name:
        words = sys.argv[1:]
    else:
        words = ["--help"]  # what is there is Blender's own
    prog = "blender -b [RIG.blend] --python headless.py --"
    return int(importlib.import_module(f"{package_name()}.addon.batch.command").run(words, prog=prog))


if __name__ == "__main__":
    try:
        code = main()
    except SystemExit as ended:  # --help, or wrong options
        code = ended.code if isinstance(ended.code, int) else EXIT_FAILED
    except BaseException:  # noqa: BLE001  a script that throws would end Blender with 0
        traceback.print_exc()
        code = EXIT_FAILED
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Blender's own end may crash or hang after add-ons were enabled
