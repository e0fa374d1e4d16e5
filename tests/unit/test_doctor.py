# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from vp3d_core import doctor
from vp3d_core.doctor import Finding, exit_code, format_findings

ROOT = Path(__file__).resolve().parents[2]


def test_only_what_is_missing_makes_the_exit_code_one() -> None:
    good = [Finding("torch", "ok", "2.13.0"), Finding("weights", "note", "not here", "Fetch them.")]
    assert exit_code(good) == 0
    assert exit_code([*good, Finding("av", "missing", "not installed", "Install it.")]) == 1


def test_every_finding_is_shown_with_its_remedy() -> None:
    text = format_findings(
        [Finding("torch", "ok", "2.13.0"), Finding("av", "missing", "gone", "Install it.")]
    )
    lines = text.splitlines()
    assert lines[0].split() == ["ok", "torch", "2.13.0"]
    assert lines[1].split() == ["MISSING", "av", "gone"]
    assert lines[2].strip() == "Install it."


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    return doctor.examine()


def test_every_missing_thing_says_what_to_do(findings: list[Finding]) -> None:
    for finding in findings:
        assert finding.text
        assert finding.state == "ok" or finding.remedy, finding


def test_the_data_folder_need_not_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VP3D_HOME", str(tmp_path / "not" / "made"))
    finding = doctor.examine_data_folder()
    assert str(tmp_path / "not" / "made") in finding.text
    assert not (tmp_path / "not").exists()


def test_json_is_a_list_of_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", {"surely-not-installed-anywhere": "a test"})
    written: list[str] = []
    assert doctor.run_doctor(written.append, as_json=True) == 1
    findings = {finding["name"]: finding for finding in json.loads("".join(written))}
    assert {"python", "device", "lifter weights", "mmpose weights", "data folder"} <= set(findings)
    assert findings["surely-not-installed-anywhere"]["state"] == "missing"
    assert "install.py install" in findings["surely-not-installed-anywhere"]["remedy"]


def test_packages_without_all_their_files_are_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    records = {
        "tiny_numpy-1.0.dist-info": "tiny_numpy/__init__.py,,\ntiny_numpy/core.py,,\n",
        "tiny_yaml-1.0.dist-info": "tiny_yaml.py,,\n",
        "tiny_whole-1.0.dist-info": '"tiny_whole,1.py",,\n__pycache__/tiny_whole.pyc,,\n',
    }
    for folder, record in records.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "INSTALLER").touch()
        (tmp_path / folder / "RECORD").write_text(record, encoding="utf-8")
    (tmp_path / "tiny_whole,1.py").touch()
    monkeypatch.setattr(doctor, "PACKAGES", {"tiny-numpy": "arrays"})
    monkeypatch.setattr(doctor.sysconfig, "get_path", lambda name: str(tmp_path))
    found = {finding.name: finding for finding in doctor.examine()}
    assert found["tiny-numpy"].state == found["tiny-yaml"].state == "missing"
    assert "tiny_numpy/__init__.py and 1 more of its files gone" in found["tiny-numpy"].text
    assert "install.py install" in found["tiny-numpy"].remedy
    assert "tiny-whole" not in found


def test_what_is_left_of_torch_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without its __init__.py can be imported, and is empty."""
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    found = {finding.name: finding for finding in doctor.examine()}
    assert found["device"].state == found["lifter weights"].state == "missing"


def test_a_closed_pipe_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-W", "ignore", "-m", "vp3d_core", "doctor"]
    variables = {**os.environ, "PYTHONUNBUFFERED": ""}
    done = subprocess.run(
        command, cwd=ROOT, env=variables, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode in (0, 1), "as without the pipe: what is missing here is another matter"
