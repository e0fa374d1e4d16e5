# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo as ``install.py demo`` runs it: the clip that comes along, the real detector and lifter."""

from __future__ import annotations

import os
import re
import site
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from vp3d_core import motion_file
from vp3d_core.accuracy.comparison import compare_motion
from vp3d_core.accuracy.ground_truth import load_truth
from vp3d_core.installer import demo_command
from vp3d_core.installer.installation import Installation
from vp3d_core.installer.link import link_checkout
from vp3d_core.installer.steps import TorchChoice

pytestmark = [pytest.mark.worker, pytest.mark.video]

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from pathlib import Path
from vp3d_core.installer.demo_command import parse_demo_options, run_demo
from vp3d_core.installer.installation import Installation
from vp3d_core.installer.steps import TorchChoice
wanted = Installation(Path(sys.argv[1]), Path(sys.argv[2]), TorchChoice(), False)
sys.exit(run_demo(wanted, parse_demo_options(sys.argv[3:]), lambda text: print(text, flush=True)))
"""


@dataclass(frozen=True)
class Demo:
    """A demo that has run."""

    worker: Installation
    out: Path
    output: str


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A worker environment that borrows the packages of the one that runs the tests."""
    wanted = Installation(ROOT, tmp_path_factory.mktemp("wörker folder"), TorchChoice(), False)
    venv.create(wanted.environment, with_pip=False)
    link_checkout(wanted.environment, ROOT)
    folder = next((wanted.environment / "lib").glob("python3.*/site-packages"), None)
    folder = folder or wanted.environment / "Lib" / "site-packages"
    places = "".join(f"import sys; sys.path.append({place!a})\n" for place in site.getsitepackages())
    (folder / "borrowed.pth").write_text(places, encoding="ascii")
    return wanted


@pytest.fixture(scope="module")
def demo(worker: Installation, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    out = tmp_path_factory.mktemp("ein Ordner ü") / "демо out"
    return Demo(worker, out, run(worker, "-o", str(out), "--no-blend"))


def run(worker: Installation, *words: str) -> str:
    """Run the demo from another folder and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", SCRIPT, str(ROOT), str(worker.folder), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        cwd=worker.folder,
        capture_output=True,
        encoding="utf-8",
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_ends_with_the_errors_and_the_files(demo: Demo) -> None:
    table, files = demo.output.split("The capture is off by:")[1].split(f"Files in {demo.out}:")
    assert re.search(r"^  MPJPE +\d+ mm", table, re.MULTILINE)
    assert re.search(r"^  root path, aligned +\d+ cm", table, re.MULTILINE)
    named = [line.split()[0] for line in files.strip().splitlines()]
    assert named == ["motion.npz", "motion.bvh", "overlay.mp4", "report.html", "demo.png"]
    assert all((demo.out / name).stat().st_size > 1000 for name in named)


def test_the_capture_is_near_the_truth(demo: Demo) -> None:
    found = compare_motion(
        motion_file.load(demo.out / "motion.npz"), load_truth(ROOT / "examples" / "demo_truth.npz")
    )
    assert found.coverage > 0.95
    assert found.pose.mpjpe_m < 0.073  # 1.25 times what it is
    assert found.pose.p_mpjpe_m < 0.054
    assert found.pose.limb_spread < 1e-3, "bones have one length"
    assert found.world.up_deg < 6.0
    assert found.world.penetration_m < 0.02


def test_the_second_time_nothing_is_captured_again(demo: Demo) -> None:
    if not demo_command._is_newer([demo.out / "motion.npz"], demo_command._code(ROOT)):
        pytest.skip("somebody changed the code while the test ran")
    before = (demo.out / "motion.npz").stat().st_mtime_ns
    again = run(demo.worker, "-o", str(demo.out), "--no-blend")
    assert "was captured before" in again
    assert (demo.out / "motion.npz").stat().st_mtime_ns == before
    assert again.split("off by:")[1] == demo.output.split("off by:")[1]
