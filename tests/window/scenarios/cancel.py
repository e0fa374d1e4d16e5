# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture that is cancelled in the middle, then resumed while another file is opened."""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bpy
from ui_driver import UI, Scenario, run, say


def session() -> bpy.types.PropertyGroup:
    """Return the session; loading a file may replace it."""
    return bpy.context.window_manager.vp3d


def status() -> str:
    """Return the status of the only capture."""
    bpy.ops.vp3d.refresh_jobs()
    return session().jobs[0].status if len(session().jobs) else ""


def scenario(ui: UI) -> Scenario:
    yield from ui.open_tab()
    bpy.ops.vp3d.choose_video(filepath=os.environ["VP3D_CLIP"])
    yield from ui.wait_until(lambda: session().preview_count > 1, within_s=60, what="preview")
    yield from ui.press("vp3d.capture_video")
    events = Path(session().jobs[0].folder) / "events.jsonl"
    yield from ui.wait_until(lambda: '"detect"' in events.read_text(), within_s=90, what="detection")
    ui.shot("1-running")
    yield from ui.press("vp3d.cancel_job", column=0.8)
    asked_s = time.monotonic()
    yield from ui.wait_until(lambda: status() == "cancelled", within_s=20, what="cancelling")
    say(f"cancelled after {time.monotonic() - asked_s:.1f} s")
    yield 0.5
    ui.shot("2-cancelled")
    assert not any(ob.type == "ARMATURE" for ob in bpy.data.objects)
    assert session().stopped_name == Path(os.environ["VP3D_CLIP"]).stem

    yield from ui.press("vp3d.resume_job", column=0.4)  # below Capture, not in the closed list of captures
    yield from ui.wait_until(lambda: status() == "in_use", within_s=20, what="resuming")
    assert not session().stopped_folder
    ui.shot("3-resumed")
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="Cube")
    yield from ui.key("Z", ctrl=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(bpy.app.tempdir) / "meanwhile.blend"))
    bpy.ops.wm.read_homefile(app_template="")
    yield 1.0
    assert status() == "in_use", "the capture goes on in the new file"
    yield from ui.wait_until(lambda: status() != "in_use", within_s=200, what="capture")
    assert status() == "done", session().message
    yield 2.0
    assert not any(ob.type == "ARMATURE" for ob in bpy.data.objects), "it must not come into another file"
    yield from ui.open_tab()
    bpy.ops.vp3d.import_job("EXEC_DEFAULT", True)
    assert any(ob.type == "ARMATURE" for ob in bpy.data.objects)
    yield 1.0
    ui.shot("4-imported-later")


run(scenario, limit_s=600.0)
