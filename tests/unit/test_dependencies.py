# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender imports must need the standard library and numpy only."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY = (
    "torch",
    "cv2",
    "scipy",
    "av",
    "mediapipe",
    "mmpose",
    "mmdet",
    "mmcv",
    "mmengine",
    "matplotlib",
    "safetensors",
)
# Needs the standard library alone: it runs before, or without, any environment.
PLAIN = (
    "errors",
    "settings",
    "protocol",
    "job",
    "capture.job_file",
    "skeletons",
    "cli",
    "capture.console",
    "user_folders",
)
# Needs numpy in addition: the data types and what turns them into Blender's.
NUMPY = (
    "arrays", "keypoints", "pose", "motion", "rotations", "camera", "kinematics", "filters", "ground",
    "motion_file", "bvh", "pose_bvh", "batch", "batch.options",
)  # fmt: skip
WORKER = ("pipeline", "capture.outputs", "video", "detect.detector")


def modules_after_importing(names: tuple[str, ...]) -> set[str]:
    """Return the top-level modules that a fresh Python has after importing modules of the core."""
    code = "import importlib, sys\n" + "".join(
        f"importlib.import_module('vp3d_core.{name}')\n" for name in names
    )
    code += "print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("names", [PLAIN, NUMPY, WORKER], ids=["plain", "numpy", "worker"])
def test_importing_the_core_imports_nothing_heavy(names: tuple[str, ...]) -> None:
    assert modules_after_importing(names).isdisjoint({*HEAVY, "bpy", "addon"})


def test_the_process_boundary_needs_the_standard_library_only() -> None:
    found = modules_after_importing(PLAIN) - set(sys.stdlib_module_names)
    assert "numpy" not in found
    assert found <= {"vp3d_core", "__main__"} | {name for name in found if name.startswith("_")}


def test_no_file_of_the_core_imports_blender_or_the_addon() -> None:
    for path in sorted((ROOT / "vp3d_core").rglob("*.py")):
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        for name in ("bpy", "addon", "mathutils"):
            assert not any(line.startswith((f"import {name}", f"from {name}")) for line in lines), path
