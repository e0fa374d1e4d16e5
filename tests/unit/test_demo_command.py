# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's decisions and its table; tests/worker/test_demo.py runs it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from vp3d_core.accuracy.comparison import Accuracy
from vp3d_core.accuracy.demo_report import table_lines
from vp3d_core.accuracy.pose_errors import PoseErrors
from vp3d_core.accuracy.world_errors import WorldErrors
from vp3d_core.installer import blender, demo_command
from vp3d_core.installer.blender import (
    BLENDER_VARIABLE,
    Blender,
    UnfitBlender,
    candidates,
    find_blender,
    parse_version,
    probe_blender,
    script_command,
)
from vp3d_core.installer.demo_command import parse_demo_options

ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="makes shell scripts")


def program(folder: Path, output: str, name: str = "blender", code: int = 0) -> Path:
    """Write a program that prints a text, in a folder with a blank and a letter beyond ASCII."""
    folder = folder / "my prögrams"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' '{output}'\nexit {code}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_without_options_the_demo_goes_into_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = parse_demo_options([])
    assert options.out == tmp_path / "demo-vp3d"
    assert options.blend
    assert not options.overwrite


def test_the_output_folder_is_the_users_own_words_made_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", os.sep + "home")
    monkeypatch.setenv("USERPROFILE", os.sep + "home")
    options = parse_demo_options(["-o", "~/mein Ordner ü", "--no-blend", "--overwrite"])
    assert options.out.name == "mein Ordner ü"
    assert options.out.is_absolute()
    assert options.overwrite
    assert not options.blend


def test_other_words_are_refused() -> None:
    with pytest.raises(SystemExit) as ended:
        parse_demo_options(["clip.mp4"])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Blender 4.5.3 LTS\n\tbuild date: 2025-09-09", (4, 5, 3)),
        ("Warning: no display\nBlender 5.2.2 LTS", (5, 2, 2)),
        ("Blender 4.2", (4, 2)),
        ("GIMP 3.0", ()),
        ("", ()),
    ],
)
def test_blenders_version_is_read(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


@ON_POSIX
def test_a_blender_is_run_before_it_is_believed(tmp_path: Path) -> None:
    good = probe_blender(str(program(tmp_path, "Blender 4.5.3 LTS")))
    assert isinstance(good, Blender)
    assert good.version_text == "4.5.3"
    for path, reason in (
        (program(tmp_path, "Blender 3.6.5", "old"), "it is Blender 3.6.5, at least 4.2"),
        (program(tmp_path, "hello", "other"), "does not say"),
        (tmp_path / "missing", "does not start"),
    ):
        found = probe_blender(str(path))
        assert isinstance(found, UnfitBlender)
        assert reason in found.reason


@ON_POSIX
def test_the_blender_that_was_named_counts_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = program(tmp_path, "Blender 5.2.2 LTS")
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.delenv(BLENDER_VARIABLE, raising=False)
    found = find_blender()
    assert isinstance(found, Blender)
    assert found.program == str(on_path)
    monkeypatch.setenv(BLENDER_VARIABLE, str(program(tmp_path, "Blender 4.3.2", "blender43")))
    assert find_blender() == Blender(str(on_path.parent / "blender43"), (4, 3, 2))
    monkeypatch.setenv(BLENDER_VARIABLE, str(tmp_path / "gone"))
    assert isinstance(find_blender(), UnfitBlender)


def test_a_machine_without_blender_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BLENDER_VARIABLE, raising=False)
    monkeypatch.setattr(blender, "candidates", lambda *_: iter(()))
    assert find_blender() is None


def test_on_windows_the_newest_installation_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blender.shutil, "which", lambda _: None)
    pattern = os.path.join("Blender Foundation", "Blender *", "blender.exe")
    monkeypatch.setattr(blender, "WINDOWS_PLACES", pattern)
    for version in ("4.2", "5.2"):
        place = tmp_path / "Program Files [x]" / "Blender Foundation" / f"Blender {version}" / "blender.exe"
        place.parent.mkdir(parents=True)
        place.touch()
    folder = str(tmp_path / "Program Files [x]")
    found = list(candidates("win32", {"ProgramFiles": folder, "ProgramW6432": folder}))
    assert [Path(place).parent.name for place in found] == ["Blender 5.2", "Blender 4.2"]


def test_a_script_that_throws_ends_blender_with_an_error() -> None:
    command = script_command(Blender("/b", (4, 5, 0)), Path("script.py"), "a b", "-o", "c")
    assert command.index("--python-exit-code") < command.index("--python"), "the other way it has no effect"
    assert command[-4:] == ["--", "a b", "-o", "c"]


def test_a_capture_is_made_again_only_when_something_changed(tmp_path: Path) -> None:
    made, source = tmp_path / "made", tmp_path / "source"
    assert not demo_command._is_newer([made], [source])
    for number, path in enumerate((source, made)):
        path.touch()
        os.utime(path, (1000.0 + number, 1000.0 + number))
    assert demo_command._is_newer([made], [source])
    os.utime(source, (2000.0, 2000.0))
    assert not demo_command._is_newer([made], [source])


def test_a_folder_with_the_capture_of_another_clip_is_not_taken_for_the_demos(tmp_path: Path) -> None:
    clip = tmp_path / "demo.mp4"
    assert not demo_command._is_of(clip, tmp_path)
    (tmp_path / "job.json").write_text("no JSON", encoding="utf-8")
    assert not demo_command._is_of(clip, tmp_path)
    (tmp_path / "job.json").write_text(json.dumps({"video": "other.mp4"}), encoding="utf-8")
    assert not demo_command._is_of(clip, tmp_path)
    (tmp_path / "job.json").write_text(json.dumps({"video": str(clip)}), encoding="utf-8")
    assert demo_command._is_of(clip, tmp_path)


def test_the_table_says_each_figure_with_its_unit() -> None:
    pose = PoseErrors(0.0804, 0.0551, 0.3, 1.2, 0.0, 0.02)
    world = WorldErrors(0.41, 0.22, 5.3, 0.034, 0.011, 0.01, 0.004, 0.02, 1.84)
    lines = table_lines(Accuracy(240, 0.987, pose, world))
    text = "\n".join(lines)
    for word in ("99 %", "80 mm", "55 mm", "41 cm", "5.3 m", "22 cm", "3.4 cm/s", "1.1 cm/s", "1.8 degrees"):
        assert word in text
    assert max(map(len, lines)) < 100
