# SPDX-License-Identifier: GPL-3.0-or-later
"""From a video to an armature with real events: preview, people, Capture, and what comes of it."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bpy
from ui_driver import UI, Scenario, run, say


def detected(events: Path) -> int:
    """Return how many frames were detected so far."""
    lines = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()[:-1]]
    return max([event["done"] for event in lines if event.get("stage") == "detect"], default=0)


def scenario(ui: UI) -> Scenario:
    for ob in list(bpy.data.objects):
        bpy.data.objects.remove(ob)
    session = bpy.context.window_manager.vp3d
    chosen = bpy.context.scene.vp3d
    yield from ui.open_tab()
    ui.shot("1-start")
    bpy.ops.vp3d.choose_video(filepath=os.environ["VP3D_CLIP"])  # as a dropped video does
    yield from ui.wait_until(lambda: session.preview_count > 1, within_s=60, what="preview")
    yield 0.5
    ui.shot("2-preview")
    yield from ui.press("vp3d.find_people", column=0.25)
    yield 3.0
    ui.shot("3-looking")
    yield from ui.wait_until(lambda: len(chosen.people) > 0, within_s=120, what="people")
    yield 0.5
    ui.shot("4-people")
    ui.pulse.reset()
    yield from ui.press("vp3d.capture_video")
    yield from ui.wait_until(lambda: len(session.jobs) == 1, within_s=20, what="capture")
    events = Path(session.jobs[0].folder) / "events.jsonl"
    yield from ui.wait_until(lambda: detected(events) >= 40, within_s=150, what="40 frames")
    yield 0.3
    ui.shot("5-progress")
    yield from ui.wait_until(lambda: session.jobs[0].status != "in_use", within_s=200, what="capture")
    assert session.jobs[0].status == "done", session.message
    say("longest gap during the capture:", ui.pulse.longest_ms)
    ui.pulse.reset()
    yield from ui.wait_until(lambda: chosen.retarget.source is not None, within_s=20, what="import")
    yield 1.0
    say("longest gap during the import:", ui.pulse.longest_ms)
    armature = chosen.retarget.source
    assert armature.animation_data.action is not None
    ui.area().spaces.active.region_3d.view_perspective = "CAMERA"
    bpy.context.scene.frame_set(30)
    with ui.override("WINDOW"):
        bpy.ops.view3d.view_center_camera()
    yield 1.5
    ui.shot("6-result")
    ui.area().spaces.active.region_3d.view_perspective = "PERSP"
    with ui.override("WINDOW"):
        bpy.ops.view3d.view_selected()
    yield 1.0
    ui.shot("7-around")


run(scenario, limit_s=600.0)
