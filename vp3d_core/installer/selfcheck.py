# SPDX-License-Identifier: GPL-3.0-or-later
"""Import, in the worker's Python, everything a capture imports, and say what fails.

Runs as ``python -m vp3d_core.installer.selfcheck`` at the end of an installation. One line a package, then
exit code 1 if any failed: "ok NAME VERSION" or "FAILED NAME: ErrorType: message".
"""

from __future__ import annotations

import importlib
import sys
import traceback
import warnings
from collections.abc import Callable

__all__ = ["check_imports", "main"]

# In this order: what fails first is the cause of what fails after it.
MODULES = ("numpy", "torch", "scipy", "cv2", "matplotlib", "av", "safetensors", "mediapipe", "mmpose")


def check_imports(names: tuple[str, ...], write: Callable[[str], object]) -> bool:
    """Import each module, write a line on each, and return whether all could be imported."""
    passed = True
    for name in names:
        try:
            version = _import_detectors() if name == "mmpose" else _import(name)
        except Exception as error:  # noqa: BLE001 - a foreign package's import may raise anything; it is reported
            write(f"FAILED {name}: {type(error).__name__}: {error}\n{traceback.format_exc()}")
            passed = False
        else:
            write(f"ok {name} {version}\n")
    return passed


def _import(name: str) -> str:
    module = importlib.import_module(name)
    return str(getattr(module, "__version__", ""))


def _import_detectors() -> str:
    from ..detect import openmm_compat

    openmm_compat.activate()
    importlib.import_module("mmpose.apis")
    return _import("mmpose")


def main() -> int:
    """Check every module and return the exit code."""
    warnings.simplefilter("ignore")  # mmdet's invalid escapes and pkg_resources' farewell are harmless
    return 0 if check_imports(MODULES, sys.stdout.write) else 1


if __name__ == "__main__":
    raise SystemExit(main())
