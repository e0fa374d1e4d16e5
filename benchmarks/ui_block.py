# SPDX-License-Identifier: GPL-3.0-or-later
"""The longest stretch that Blender's interface is kept from running during a capture.

A real Blender with a window does nothing for a while, then captures a clip in the worker while the panel
shows its progress, then imports it. A timer with a period of 2 ms measures the gaps in the main loop, by the
clock and by the main thread's CPU time; the add-on's own functions are timed, too. On a machine that is busy
with other work the CPU times are the ones to look at. Drawing is in software unless the display has a GPU.
Run: python benchmarks/ui_block.py --blender PROGRAM --worker-python PYTHON CLIP
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "tests" / "window" / "scenarios" / "ui_block.py"


def main() -> None:
    """Install the extension for a new user and run the scenario."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", metavar="CLIP", type=Path)
    parser.add_argument("--blender", default="blender")
    parser.add_argument("--worker-python", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vp3d-") as folder:
        extensions = Path(folder) / "extensions" / "user_default"
        extensions.mkdir(parents=True)
        (extensions / "vp3d").symlink_to(ROOT, target_is_directory=True)
        environment = {
            **os.environ,
            "BLENDER_USER_RESOURCES": folder,
            "VP3D_WORKER_PYTHON": options.worker_python,
            "VP3D_CLIP": str(options.clip.resolve()),
        }
        command = [
            "xvfb-run", "-a", "-s", "-screen 0 1600x900x24", options.blender, "--factory-startup",
            "--enable-event-simulate", "--window-geometry", "0", "0", "1600", "900",
            "--python-exit-code", "1", "--python", str(SCENARIO),
        ]  # fmt: skip
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("[ui]")]
    print("\n".join(line.removeprefix("[ui] ") for line in lines))
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
