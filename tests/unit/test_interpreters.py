# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from vp3d_core.errors import WorkerNotInstalled
from vp3d_core.installer import interpreters
from vp3d_core.installer.interpreters import Interpreter, Rejected, find_interpreter, probe, unsuitable

ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="makes shell scripts")
GOOD: dict[str, object] = {
    "version": [3, 11, 7],
    "implementation": "CPython",
    "bits": 64,
    "machine": "x86_64",
    "missing": [],
}


@pytest.mark.parametrize(
    ("change", "platform", "reason"),
    [
        ({}, "linux", ""),
        ({"version": [3, 10, 0]}, "linux", ""),
        ({"version": [3, 12, 9]}, "win32", ""),
        ({"version": [3, 13, 0]}, "linux", "is Python 3.13.0, not 3.10 to 3.12"),
        ({"version": [2, 7, 18]}, "linux", "is Python 2.7.18"),
        ({"implementation": "PyPy"}, "linux", "is PyPy 3.11.7, not CPython"),
        ({"bits": 32}, "win32", "32-bit"),
        ({"machine": "arm64"}, "darwin", ""),
        ({"machine": "x86_64"}, "darwin", "Intel build"),
        ({"machine": "aarch64"}, "linux", "aarch64"),
        ({"missing": ["ensurepip"]}, "linux", "python3.11-venv"),
    ],
)
def test_a_python_is_judged_by_what_it_says(change: dict[str, object], platform: str, reason: str) -> None:
    found = unsuitable({**GOOD, **change}, platform)
    assert reason in found
    assert bool(found) == bool(reason)


def test_this_python_is_probed_for_real() -> None:
    result = probe([sys.executable])
    if sys.version_info[:2] in ((3, 10), (3, 11), (3, 12)):
        assert isinstance(result, Interpreter)
        assert result.version == sys.version_info[:3]
    else:
        assert isinstance(result, Rejected)


@ON_POSIX
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("echo 'pyenv: python3.12: command not found' >&2; exit 127", "pyenv: python3.12: command not found"),
        ("exit 9", "exit code 9"),
        ("echo hello", "does not run Python programs"),
        ('echo "cannot open $*" >&2; exit 2', "does not run (cannot open -I -)"),
    ],
)
def test_a_program_that_is_no_python_is_rejected_with_what_it_said(
    tmp_path: Path, body: str, reason: str
) -> None:
    result = probe([str(make_program(tmp_path / "python3.12", body))])
    assert isinstance(result, Rejected)
    assert reason in result.reason


def test_the_python_that_was_told_is_not_replaced_by_another(tmp_path: Path) -> None:
    with pytest.raises(WorkerNotInstalled, match="there is no such program") as caught:
        find_interpreter(str(tmp_path / "nowhere"))
    assert str(tmp_path / "nowhere") in caught.value.message
    assert "--python" in caught.value.hint


def test_the_variable_names_the_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VP3D_PYTHON", str(tmp_path / "from variable"))
    with pytest.raises(WorkerNotInstalled, match="from variable"):
        find_interpreter()


@ON_POSIX
def test_without_any_python_the_message_lists_what_was_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = make_program(tmp_path / "bin" / "python3", f"echo '{json.dumps({**GOOD, 'version': [3, 9, 2]})}'")
    broken = make_program(tmp_path / "bin" / "python3.12", "echo 'command not found' >&2; exit 127")
    monkeypatch.delenv("VP3D_PYTHON", raising=False)
    monkeypatch.setattr(interpreters.sys, "executable", "")
    monkeypatch.setattr(interpreters, "_known_places", lambda minor: iter(()))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(WorkerNotInstalled, match=r"needs Python 3\.10, 3\.11 or 3\.12") as caught:
        find_interpreter()
    assert f"{old}: is Python 3.9.2" in caught.value.message
    assert f"{broken}: does not run (command not found)" in caught.value.message
    assert "3.11" in caught.value.hint


@ON_POSIX
def test_a_shim_that_fails_does_not_hide_the_next_python_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_program(tmp_path / "shims" / "python3.11", "echo 'pyenv: not set' >&2; exit 127")
    answer = json.dumps({**GOOD, "executable": "/opt/python3.11"})
    make_program(tmp_path / "bin" / "python3.11", f"echo '{answer}'")
    monkeypatch.delenv("VP3D_PYTHON", raising=False)
    monkeypatch.setattr(interpreters.sys, "executable", "")
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "shims"), str(tmp_path / "bin")]))
    if sys.platform == "linux":
        assert find_interpreter() == Interpreter(Path("/opt/python3.11"), (3, 11, 7))


def make_program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
