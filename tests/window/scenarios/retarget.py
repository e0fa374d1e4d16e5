# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion onto a generated Rigify rig with real events; then undo, redo, save, reload, disable, enable."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import addon_utils
import bpy
from ui_driver import UI, Scenario, run, say

EXTENSION = "bl_ext.user_default.vp3d"


def hand_path(rig_name: str) -> list[tuple[float, ...]]:
    """Return where a rig's left hand is on some frames of the scene."""
    rig = bpy.data.objects[rig_name]
    path: list[tuple[float, ...]] = []
    for frame in (1, 15, 30):
        bpy.context.scene.frame_set(frame)
        place = rig.matrix_world @ rig.pose.bones["DEF-hand.L"].head
        path.append(tuple(round(value, 4) for value in place))
    return path


def make_rig(ui: UI) -> str:
    """Generate Rigify's human rig and return its name."""
    addon_utils.enable("rigify", default_set=True)
    with ui.override("WINDOW"):
        bpy.ops.object.armature_human_metarig_add()
        metarig = bpy.context.object
        bpy.ops.pose.rigify_generate()
        metarig.hide_set(True)
    return next(ob.name for ob in bpy.data.objects if ob.type == "ARMATURE" and ob != metarig)


def scenario(ui: UI) -> Scenario:
    for ob in list(bpy.data.objects):
        bpy.data.objects.remove(ob)
    bpy.ops.vp3d.import_motion(filepath=os.environ["VP3D_MOTION"])
    rig_name = make_rig(ui)
    yield 1.0
    chosen = bpy.context.scene.vp3d.retarget
    chosen.target = bpy.data.objects[rig_name]
    chosen.source.location.x -= 1.0
    bpy.ops.ed.undo_push(message="Start")
    rest = hand_path(rig_name)
    ui.raise_panel("VP3D_PT_retarget")
    yield from ui.open_tab()
    ui.shot("1-rig")
    yield from ui.press("vp3d.guess_map", column=0.3)
    assert len(bpy.context.scene.vp3d.retarget.bones) > 15
    place = yield from ui.find("vp3d.retarget_motion")
    ui.pulse.reset()
    yield from ui.click(*place)
    yield 2.0
    say("longest gap, retargeting:", ui.pulse.longest_ms)
    moved = hand_path(rig_name)
    assert len(set(moved)) == 3, moved
    actions = set(bpy.data.actions.keys())
    bpy.context.scene.frame_set(15)
    yield 0.5
    ui.shot("2-retargeted")

    yield from ui.key("Z", ctrl=True)
    yield 2.0
    assert bpy.data.objects[rig_name].animation_data is None or hand_path(rig_name) == rest
    yield from ui.key("Z", ctrl=True, shift=True)
    yield 2.0
    assert set(bpy.data.actions.keys()) == actions
    assert hand_path(rig_name) == moved
    say("undo and redo are right")

    path = str(Path(bpy.app.tempdir) / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    yield 0.5
    bpy.ops.wm.open_mainfile(filepath=path)
    yield 2.0
    assert hand_path(rig_name) == moved
    assert len(bpy.context.scene.vp3d.retarget.bones) > 15
    say("saved and loaded")

    before = set(dir(bpy.types))
    addon_utils.disable(EXTENSION)
    yield 1.0
    assert not hasattr(bpy.context.scene, "vp3d")
    assert not any(name.startswith("VP3D") for name in dir(bpy.types))
    addon_utils.enable(EXTENSION)
    yield 1.0
    assert set(dir(bpy.types)) == before
    assert bpy.context.scene.vp3d.retarget.target.name == rig_name
    ui.shot("3-enabled-again")


run(scenario)
