# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bpy
import pytest

from tests.blender.extension import EXTENSION, enabled_extension

ROOT = Path(__file__).resolve().parents[2]


def what_is_registered() -> set[str]:
    names = set(dir(bpy.types)) | {f"ops.{name}" for name in dir(bpy.ops.vp3d)}
    names |= {f"load_post.{handler.__name__}" for handler in bpy.app.handlers.load_post}
    drawn = getattr(bpy.types.STATUSBAR_HT_header.draw, "_draw_funcs", [])
    names |= {f"status bar.{function.__module__}.{function.__name__}" for function in drawn}
    names |= {name for name in ("Scene.vp3d", "WindowManager.vp3d") if has_property(name)}
    return names


def has_property(name: str) -> bool:
    kind, _, attribute = name.partition(".")
    return hasattr(getattr(bpy.types, kind), attribute)


def test_enabling_and_disabling_leaves_blender_as_it_was() -> None:
    with enabled_extension():
        pass  # Blender's own draw list of the status bar appears with the first addition
    before = what_is_registered()
    for _ in range(2):
        with enabled_extension():
            added = what_is_registered() - before
            assert {"Scene.vp3d", "WindowManager.vp3d", "ops.capture_video", "VP3D_PT_capture"} <= added
            assert bpy.context.scene.vp3d.video_path == ""
        assert what_is_registered() == before


def test_what_a_file_says_of_the_add_on_survives_disabling_it() -> None:
    with enabled_extension():
        bpy.context.scene.vp3d.height_m = 1.85
    with enabled_extension():
        assert bpy.context.scene.vp3d.height_m == pytest.approx(1.85)


def test_every_operator_has_a_label_a_tooltip_and_a_short_execute() -> None:
    with enabled_extension():
        classes = [getattr(bpy.types, name) for name in dir(bpy.types) if name.startswith("VP3D_OT_")]
        assert len(classes) >= 20
        for one in classes:
            assert one.bl_label
            assert one.__doc__
            assert not one.__doc__.endswith(".")  # Blender adds it
            execute = getattr(one.execute, "__wrapped__", one.execute)
            lines = execute.__code__.co_lines()
            assert len({line for *_, line in lines if line}) < 25


def test_the_add_on_works_without_preferences() -> None:
    """``--addons`` under ``--factory-startup`` registers it without any."""
    with enabled_extension():
        module = sys.modules[EXTENSION + ".addon.preferences"]
        bpy.context.preferences.addons.remove(bpy.context.preferences.addons[EXTENSION])
        chosen = module.choices()
        assert chosen.device == "auto"
        assert chosen.jobs_folder.is_absolute()
        bpy.context.preferences.addons.new().module = EXTENSION


def test_importing_the_extension_imports_no_blender() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); import importlib; "
    code += "importlib.import_module(sys.argv[2]); print('bpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(ROOT.parent), ROOT.name],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == "False"
