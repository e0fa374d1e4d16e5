# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``python -m tools.render_person``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

EPILOG = """\
A scene, as JSON; every field but name and people.motion has a default, see tools/render_person/scene.py:

  {"name": "walk", "frame_rate_hz": 30, "duration_s": 4.0, "image_size": [640, 360],
   "people": [{"motion": [{"file": "cmu_asfamc/07/07_05.amc", "start_s": 0.5}], "wardrobe": "woman"}],
   "camera": {"focal_mm": 30, "azimuth_deg": 45, "height_m": 1.5, "roll_deg": 2, "handheld": 1},
   "place": "room", "furniture": "table", "motion_blur": 0.5, "engine": "workbench"}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Render the scenes of a file."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.render_person",
        description="Render moving people with exact ground truth: NAME.mp4, NAME_truth.npz and NAME.json "
        "for each scene. Needs a Python with Blender's module (pip install bpy).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenes", type=Path, help="JSON file with one scene or a list of scenes")
    parser.add_argument("--assets", type=Path, required=True, help="folder with the MakeHuman body's files")
    parser.add_argument("--mocap", type=Path, required=True, help="folder that the motions' names start from")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--only", metavar="NAME", action="append", help="render this scene only; repeatable")
    parser.add_argument("--save-blend", action="store_true", help="also write NAME.blend of each scene")
    options = parser.parse_args(arguments)
    _render_all(options)
    return 0


def _render_all(options: argparse.Namespace) -> None:
    from .render import render_clip
    from .scene import load_scenes

    for scene in load_scenes(options.scenes):
        if options.only and scene.name not in options.only:
            continue
        started = time.monotonic()
        files = render_clip(scene, options.out.absolute(), assets=options.assets, mocap=options.mocap)
        if options.save_blend:
            import bpy

            bpy.ops.wm.save_as_mainfile(filepath=str(files.video.with_suffix(".blend")), compress=True)
        print(f"{files.video} ({time.monotonic() - started:.0f} s)", flush=True)


def run_and_leave() -> None:
    """Run the command and end the process at once: Blender's module can hang or crash on leaving."""
    try:
        code = main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except Exception:  # noqa: BLE001 - the outermost layer: the reason is shown, the exit status tells
        import traceback

        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
