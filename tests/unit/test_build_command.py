# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import os
import re
import zipfile
from pathlib import Path

import pytest

from vp3d_core.errors import InputError
from vp3d_core.installer.build_command import NEEDED, build_zip, excluded, read_manifest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def zip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_zip(ROOT, tmp_path_factory.mktemp("dist"))


def test_the_zip_holds_what_a_worker_needs_to_install_itself(zip_path: Path) -> None:
    names = set(zipfile.ZipFile(zip_path).namelist())
    needed = {
        "__init__.py", "blender_manifest.toml", "LICENSE", "NOTICE", "install.py", "addon/__init__.py",
        "requirements/torch.txt", "requirements/worker.txt", "vp3d_core/__main__.py",
        "vp3d_core/installer/install_job.py",
    }  # fmt: skip
    assert needed <= names
    assert any(name.startswith("vp3d_core/weights/") and name.endswith(".safetensors") for name in names)
    assert not [name for name in names if re.match(r"(tests|docs|benchmarks|tools|examples|\.)", name)]
    assert not [name for name in names if "__pycache__" in name]


def test_the_same_files_give_the_same_bytes_whatever_their_times(tmp_path: Path) -> None:
    digests: set[bytes] = set()
    for order in (1, -1):
        checkout = tmp_path / str(order)
        (checkout / "vp3d_core" / "weights").mkdir(parents=True)
        (checkout / "requirements").mkdir()
        for name in [*NEEDED, "vp3d_core/weights/w.safetensors"][::order]:
            (checkout / name).write_text(name, encoding="utf-8")
            os.utime(checkout / name, (1e9 + order, 1e9 + order))
        (checkout / "blender_manifest.toml").write_text(
            'version = "1.2.3"\n[build]\npaths_exclude_pattern = [\n  "/dist/",\n]\n', encoding="utf-8"
        )
        digests.add(hashlib.sha256(build_zip(checkout, checkout / "dist").read_bytes()).digest())
    assert len(digests) == 1


def test_the_zip_is_named_for_the_version(zip_path: Path) -> None:
    version, _ = read_manifest(ROOT / "blender_manifest.toml")
    assert zip_path.name == f"vp3d-{version}.zip"


@pytest.mark.parametrize(
    ("name", "is_folder", "is_out"),
    [
        ("tests", True, True),
        ("addon/tests", True, False),  # "/tests/" is the top folder's only
        ("tests", False, False),  # and a folder's only
        ("a/b/__pycache__", True, True),
        (".gitignore", False, True),
        ("addon/.hidden", False, False),
        ("clip.mp4", False, True),
        ("vp3d.egg-info", True, True),
        ("vp3d_core/job.py", False, False),
    ],
)
def test_patterns_mean_what_they_mean_to_git(name: str, *, is_folder: bool, is_out: bool) -> None:
    patterns = ["/tests/", "__pycache__/", "/.*", "/*.mp4", "*.egg-info/"]
    assert excluded(name, patterns, is_folder=is_folder) is is_out


def test_a_pattern_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond what this build reads"):
        excluded("a", ["!a"], is_folder=False)


def test_an_incomplete_checkout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "blender_manifest.toml").write_text(
        'version = "1.2.3"\n[build]\npaths_exclude_pattern = [\n  "x",\n]\n', encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"lacks __init__.py, install.py"):
        build_zip(tmp_path, tmp_path / "dist")
    with pytest.raises(InputError, match="cannot be read"):
        read_manifest(tmp_path / "none.toml")
