# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest

from vp3d_core import user_folders
from vp3d_core.user_folders import platform_data_folder

HOME = Path(os.path.abspath("/home/someone"))


def home() -> Path:
    return HOME


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, HOME / ".local" / "share" / "vp3d"),
        ("linux", {"XDG_DATA_HOME": os.path.abspath("/data")}, Path(os.path.abspath("/data")) / "vp3d"),
        ("linux", {"XDG_DATA_HOME": "relative"}, HOME / ".local" / "share" / "vp3d"),
        ("linux", {"XDG_DATA_HOME": ""}, HOME / ".local" / "share" / "vp3d"),
        ("darwin", {}, HOME / "Library" / "Application Support" / "vp3d"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, HOME / "Library" / "Application Support" / "vp3d"),
        ("win32", {}, HOME / "AppData" / "Local" / "vp3d"),
        ("win32", {"LOCALAPPDATA": "D:/Local"}, Path("D:/Local") / "vp3d"),
    ],
)
def test_each_platform_has_its_convention(platform: str, variables: dict[str, str], expected: Path) -> None:
    assert platform_data_folder(platform, variables, home) == expected


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_override_wins_and_needs_no_home(platform: str) -> None:
    wanted = os.path.abspath("/mnt/große Platte/資料")
    variables = {"VP3D_HOME": wanted, "XDG_DATA_HOME": "/data", "LOCALAPPDATA": "D:/Local"}
    assert platform_data_folder(platform, variables, no_home) == Path(wanted)


def test_a_relative_override_becomes_absolute() -> None:
    found = platform_data_folder("linux", {"VP3D_HOME": "sub/folder"}, no_home)
    assert found == Path.cwd() / "sub" / "folder"


def test_folders_lie_in_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VP3D_HOME", str(tmp_path))
    assert user_folders.data_folder() == tmp_path
    for folder in (user_folders.worker_folder(), user_folders.weights_folder(), user_folders.logs_folder()):
        assert folder.parent == tmp_path
        assert not folder.exists(), "asking where a folder is must not make it"
    assert user_folders.worker_folder() in user_folders.worker_python().parents
