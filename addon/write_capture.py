# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a .blend of a capture, without a window: armature, matched camera, the video behind it.

    blender -b --factory-startup --python-exit-code 1 --python addon/write_capture.py -- \
        MOTION.npz... --video CLIP -o OUT.blend

With the bpy module: ``python addon/write_capture.py MOTION.npz... --video CLIP -o OUT.blend``. ``install.py
demo`` runs it.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from headless import package_name

EXIT_FAILED = 1


def main() -> int:
    """Read the options, import, save."""
    parser = argparse.ArgumentParser(prog="write_capture.py")
    parser.add_argument("motions", nargs="+", type=Path)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    options = parser.parse_args(words)
    write_blend(options.motions, options.video.absolute(), options.out.absolute())
    return 0


def write_blend(motions: list[Path], video: Path, out: Path) -> None:
    """Save a new file with what was captured from a video, at the motion's rate, seen through its camera."""
    import bpy

    root = package_name()
    capture_import = importlib.import_module(f"{root}.addon.capture_import")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    rate_hz = capture_import.load_motion(motions[0]).frame_rate_hz
    render = bpy.context.scene.render
    render.fps = max(1, round(rate_hz))
    render.fps_base = render.fps / rate_hz
    found = capture_import.import_motions(motions, context=bpy.context, video=video, suit=True)
    bpy.context.scene.frame_set(found.frames[0])
    look_through_camera()
    bpy.ops.wm.save_as_mainfile(filepath=str(out), compress=True)


def look_through_camera() -> None:
    """Make every 3D view show what the camera sees."""
    import bpy

    for screen in bpy.data.screens:
        for area in screen.areas:
            for space in area.spaces:
                if space.type == "VIEW_3D":
                    space.region_3d.view_perspective = "CAMERA"


if __name__ == "__main__":
    try:
        code = main()
    except SystemExit as ended:  # wrong options
        code = ended.code if isinstance(ended.code, int) else EXIT_FAILED
    except BaseException:  # noqa: BLE001  a script that throws would end Blender with 0
        traceback.print_exc()
        code = EXIT_FAILED
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # bpy's own end may hang or crash
