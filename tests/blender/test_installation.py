# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker environment and weights, behind the preferences' buttons."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest
from vp3d.vp3d_core.user_folders import worker_python

from tests.blender.extension import enabled_extension


@pytest.fixture
def addon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bpy.types.AddonPreferences]:
    monkeypatch.setenv("VP3D_HOME", str(tmp_path / "home"))
    with enabled_extension() as preferences:
        yield preferences


def session() -> bpy.types.PropertyGroup:
    return bpy.context.window_manager.vp3d


def test_preferences_show_that_the_worker_is_missing(addon: bpy.types.AddonPreferences, monkeypatch) -> None:
    monkeypatch.delenv("VP3D_WORKER_PYTHON", raising=False)
    addon.worker_python = ""
    assert session().worker_state == "MISSING"
    addon.worker_python = "/no/such/python"
    assert "/no/such/python" in session().worker_text
    assert session().weights_missing


def test_nothing_is_downloaded_without_the_user_s_leave(addon: bpy.types.AddonPreferences) -> None:
    allowed = bpy.context.preferences.system.use_online_access
    bpy.context.preferences.system.use_online_access = False
    try:
        for operator in (bpy.ops.vp3d.install_worker, bpy.ops.vp3d.fetch_weights):
            with pytest.raises(RuntimeError, match="Blender may not go online"):
                operator()
    finally:
        bpy.context.preferences.system.use_online_access = allowed


def test_an_installation_that_cannot_work_says_why(addon: bpy.types.AddonPreferences, tmp_path: Path) -> None:
    allowed = bpy.context.preferences.system.use_online_access
    bpy.context.preferences.system.use_online_access = True
    addon.installer_python = str(tmp_path / "no-python")
    try:
        with pytest.raises(RuntimeError, match=r"The Python that was named, .* cannot be used"):
            bpy.ops.vp3d.install_worker()
    finally:
        bpy.context.preferences.system.use_online_access = allowed
    assert session().message_kind == "install"
    assert "Traceback" in (tmp_path / "home" / "logs" / "install" / "worker.log").read_text(encoding="utf-8")


def test_a_file_that_holds_no_weights_is_refused(addon: bpy.types.AddonPreferences, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"nothing")
    with pytest.raises(RuntimeError, match="is none of the"):
        bpy.ops.vp3d.import_weights(filepath=str(path))
    assert session().message_kind == "weights"
    with pytest.raises(RuntimeError, match="No file was chosen"):
        bpy.ops.vp3d.import_weights()


def test_the_worker_can_be_examined(addon: bpy.types.AddonPreferences) -> None:
    addon.worker_python = str(Path(os.environ.get("VP3D_WORKER_PYTHON") or worker_python()))
    if not Path(addon.worker_python).is_file():
        addon.worker_python = "/no/such/python"
        with pytest.raises(RuntimeError, match="does not run"):
            bpy.ops.vp3d.examine_worker()
        return
    assert bpy.ops.vp3d.examine_worker() == {"FINISHED"}
    assert "torch" in (Path(os.environ["VP3D_HOME"]) / "logs" / "install" / "worker.log").read_text()
