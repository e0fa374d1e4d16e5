# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from pathlib import Path

import pytest

import vp3d_core

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["pyproject.toml", "blender_manifest.toml"])
def test_every_file_states_the_same_version(name: str) -> None:
    found = re.findall(r'^version = "(.+)"$', (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert found == [vp3d_core.__version__]


def test_the_changelog_knows_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(vp3d_core.__version__)}\]", text, re.MULTILINE)


def test_every_source_file_names_its_licence() -> None:
    files = [ROOT / "install.py", *(ROOT / "vp3d_core").rglob("*.py")]
    without = [str(path) for path in files if "SPDX-License-Identifier: GPL-3.0-or-later" not in _head(path)]
    assert not without


def _head(path: Path) -> str:
    return "".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:2])
