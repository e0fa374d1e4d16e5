# SPDX-License-Identifier: GPL-3.0-or-later
"""A new user: no worker environment, no online access; panel and preferences say what to do."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bpy
from ui_driver import UI, Scenario, run


def scenario(ui: UI) -> Scenario:
    session = bpy.context.window_manager.vp3d
    assert session.worker_state == "MISSING"
    bpy.context.scene.vp3d.video_path = "/no/such/video.mp4"
    yield from ui.open_tab()
    ui.shot("1-panel")
    assert not bpy.ops.vp3d.capture_video.poll()
    yield from ui.find("vp3d.install_worker")
    ui.area().type = "PREFERENCES"
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "VP3D"
    bpy.ops.preferences.addon_expand(module="bl_ext.user_default.vp3d")
    yield 1.0
    ui.shot("2-preferences")


run(scenario)
