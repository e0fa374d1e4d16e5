# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios in a real Blender with a window: the extension's zip installed, real mouse and key events.

They need a Blender (VP3D_BLENDER names one or several, else that on PATH) and Xvfb, and are skipped without.
Screenshots go into the folder that VP3D_SHOTS names, if it does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import synthetic
from vp3d_core import motion_file
from vp3d_core.installer.build_command import build_zip

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = Path(__file__).parent / "scenarios"
SCREEN = "1600x900x24"
SECONDS = 700
CLIPS = sorted((ROOT / "examples").glob("*.mp4"))


def blenders() -> list[str]:
    """Return the Blenders to test with."""
    told = os.environ.get("VP3D_BLENDER", "")
    found = told.split(os.pathsep) if told else [shutil.which("blender")]
    return [program for program in found if program and shutil.which("xvfb-run")]


pytestmark = [
    pytest.mark.blender,
    pytest.mark.timeout(SECONDS + 60),
    pytest.mark.skipif(not blenders(), reason="needs a Blender (VP3D_BLENDER or PATH) and xvfb-run"),
]


@pytest.fixture(scope="session")
def zip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_zip(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(params=blenders() or [""], ids=lambda program: Path(program).name)
def user(request: pytest.FixtureRequest, zip_path: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A user of a Blender who has just installed the zip: the environment to start it with."""
    environment = {
        **os.environ,
        "BLENDER": request.param,
        "BLENDER_USER_RESOURCES": str(tmp_path / "blender"),
        "VP3D_HOME": str(tmp_path / "home"),
        "VP3D_WORKER_PYTHON": sys.executable,
    }
    install = ("--command", "extension", "install-file", "-r", "user_default", "--enable", str(zip_path))
    done = blender(environment, *install)
    assert done.returncode == 0, done.stdout
    yield environment
    shutil.rmtree(tmp_path, ignore_errors=True)


def blender(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run a Blender without a window."""
    return subprocess.run(
        [environment["BLENDER"], *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def play(name: str, environment: dict[str, str]) -> str:
    """Run a scenario in a Blender with a window and return what it said."""
    done = subprocess.run(
        [
            "xvfb-run", "-a", "-s", f"-screen 0 {SCREEN}", environment["BLENDER"],
            "--enable-event-simulate", "--window-geometry", "0", "0", "1600", "900",
            "--python-exit-code", "1", "--python", str(SCENARIOS / f"{name}.py"),
        ],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.mark.worker
@pytest.mark.skipif(not CLIPS and "VP3D_CLIP" not in os.environ, reason="needs the clip in examples/")
@pytest.mark.parametrize("name", ["capture", "cancel", "drop"])
def test_capturing(name: str, user: dict[str, str]) -> None:
    user.setdefault("VP3D_CLIP", str(CLIPS[0]) if CLIPS else "")
    assert "[ui] done" in play(name, user)


def test_retargeting_onto_rigify_undo_save_and_reload(user: dict[str, str], tmp_path: Path) -> None:
    motion = tmp_path / "walk.npz"
    motion_file.save(motion, synthetic.walking_motion(1))
    assert "[ui] done" in play("retarget", {**user, "VP3D_MOTION": str(motion)})


def test_the_panel_says_what_to_do_without_a_worker(user: dict[str, str]) -> None:
    user.pop("VP3D_WORKER_PYTHON")
    assert "[ui] done" in play("no_worker", user)
