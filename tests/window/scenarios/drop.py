# SPDX-License-Identifier: GPL-3.0-or-later
"""A video is dragged from a file manager into the viewport, and taken from the menu that opens."""

import os
import sys
from pathlib import Path
from threading import Thread

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bpy
from ui_driver import UI, Scenario, run, say
from x_drop import DropSource


def scenario(ui: UI) -> Scenario:
    video = Path(os.environ["VP3D_CLIP"])
    yield from ui.open_tab()
    viewport = ui.region("WINDOW")
    x, y = viewport.x + viewport.width // 3, viewport.y + viewport.height // 2
    # Blender waits for the file in its main loop, so somebody else must give it.
    file_manager = Thread(target=DropSource(video).drop, args=(x, ui.window.height - y), daemon=True)
    file_manager.start()
    yield from ui.wait_until(lambda: not file_manager.is_alive(), within_s=40, what="dropping")
    yield 1.0
    ui.shot("1-menu")
    assert not bpy.context.scene.vp3d.video_path, "nothing happens before it is chosen"
    ui.position = (x, y)
    ui.event("C", "PRESS")  # the letter that is underlined in "Capture Motion from Video"
    yield 0.1
    ui.event("C", "RELEASE")
    yield from ui.wait_until(
        lambda: bpy.context.scene.vp3d.video_path == str(video), within_s=20, what="taking the video"
    )
    session = bpy.context.window_manager.vp3d
    yield from ui.wait_until(lambda: session.preview_count > 1, within_s=60, what="preview")
    yield 0.5
    ui.shot("2-taken")
    say("a dropped video is taken")


run(scenario)
