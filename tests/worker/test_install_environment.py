# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer with a real interpreter, a real virtual environment and real pip, on wheels made here."""

from __future__ import annotations

import ensurepip
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vp3d_core.errors import WorkerNotInstalled
from vp3d_core.file_lock import exclusive
from vp3d_core.installer import environment, pip_process
from vp3d_core.installer.environment import Progress, ensure_worker
from vp3d_core.installer.installation import Installation, installation
from vp3d_core.installer.interpreters import Interpreter, probe
from vp3d_core.installer.link import site_packages

ROOT = Path(__file__).resolve().parents[2]
SUPPORTED = sys.version_info[:2] in ((3, 10), (3, 11), (3, 12))
pytestmark = [
    pytest.mark.worker,
    pytest.mark.skipif(not SUPPORTED, reason="the worker's Python is 3.10-3.12"),
]


class Site:
    """A checkout with pins of its own, a folder of wheels, and the steps that an installation reported."""

    def __init__(self, root: Path) -> None:
        self.checkout = root / "the çheckout 資料"
        self.wheels = root / "wheel house"
        self.wheels.mkdir(parents=True)
        self.started: list[str] = []
        requirements = self.checkout / "requirements"
        requirements.mkdir(parents=True)
        pins = {
            "pip": f"pip=={ensurepip.version()}",
            "torch": "tiny-torch==1.0",
            "worker": "tiny-worker==1.0",
            "openmm": "tiny-openmm==1.0",
            "indirect": "",
            "test": "tiny-tests==1.0",
        }
        for name, pin in pins.items():
            (requirements / f"{name}.txt").write_text(f"{pin}  # why\n", encoding="utf-8")
        package = self.checkout / "vp3d_core"
        shutil.copytree(ROOT / "vp3d_core" / "installer", package / "installer")
        for name in ("__init__.py", "errors.py", "user_folders.py"):
            shutil.copy(ROOT / "vp3d_core" / name, package / name)
        selfcheck = package / "installer" / "selfcheck.py"
        lines = selfcheck.read_text(encoding="utf-8").splitlines()
        at = next(number for number, line in enumerate(lines) if line.startswith("MODULES = "))
        lines[at] = 'MODULES = ("tiny_torch", "tiny_worker")'
        selfcheck.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def add_wheel(self, name: str, version: str, *, source: str = "") -> None:
        module = name.replace("-", "_")
        info = f"{module}-{version}.dist-info"
        with zipfile.ZipFile(self.wheels / f"{module}-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{module}.py", source or f"__version__ = {version!r}\n")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", f"{module}.py,,\n{info}/RECORD,,\n")

    def pin(self, file: str, pin: str) -> None:
        (self.checkout / "requirements" / f"{file}.txt").write_text(pin + "\n", encoding="utf-8")

    def install(
        self,
        *,
        with_tests: bool = False,
        rebuild: bool = False,
        may_search: bool = True,
        verify: bool = False,
    ) -> Installation:
        self.started.clear()
        wanted = installation(self.checkout, with_tests=with_tests)

        def find_python() -> Interpreter:
            assert may_search, "the environment is there: no Python has to be looked for"
            found = probe([sys.executable])
            assert isinstance(found, Interpreter)
            return found

        ensure_worker(wanted, find_python=find_python, rebuild=rebuild, on_progress=self._note, verify=verify)
        return wanted

    def _note(self, progress: Progress) -> None:
        if not progress.detail and progress.seconds is None:
            self.started.append(progress.title)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path)
    monkeypatch.setenv("VP3D_HOME", str(tmp_path / "hôme of data"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", made.wheels.as_uri())  # as an address: pip splits it at spaces
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(environment, "NEEDED_BYTES_CPU", 50_000_000)
    monkeypatch.setattr(environment, "has_nvidia_gpu", lambda: False)
    for name in ("tiny-torch", "tiny-worker", "tiny-tests"):
        made.add_wheel(name, "1.0")
    return made


def test_an_installation_fails_resumes_rests_and_updates(site: Site) -> None:
    with pytest.raises(WorkerNotInstalled, match="The step 'MMPose and MediaPipe' failed") as caught:
        site.install()
    message = caught.value.message
    assert "No matching distribution found for tiny-openmm==1.0" in message
    log = Path(message.splitlines()[-1].removeprefix("Log: "))
    assert "tiny-openmm" in log.read_text(encoding="utf-8")
    assert caught.value.hint
    assert not installation(site.checkout).is_ready()

    site.add_wheel("tiny-openmm", "1.0")
    wanted = site.install(may_search=False)
    assert site.started == ["MMPose and MediaPipe", "self-check"]
    assert wanted.is_ready()
    assert version_of(wanted, "tiny_torch") == "1.0"

    site.install(may_search=False)
    assert site.started == []

    site.add_wheel("tiny-worker", "1.1")
    site.pin("worker", "tiny-worker==1.1")
    assert not wanted.is_ready()
    site.install(may_search=False)
    assert "PyTorch" not in site.started
    assert version_of(wanted, "tiny_worker") == "1.1"

    site.install(with_tests=True, may_search=False)
    assert "test tools" in site.started
    site.install(may_search=False)
    assert site.started == [], "an environment with test tools serves a capture too"

    assert imports_checkout(wanted) == str(site.checkout / "vp3d_core" / "__init__.py")
    wanted.python.unlink()
    site.install()
    assert "PyTorch" in site.started, "without its interpreter the environment is made anew"
    shutil.rmtree(site_packages(wanted.environment))
    site.install(verify=True)
    assert "PyTorch" in site.started, "without any package, too"
    assert environment.remove_worker() == wanted.folder
    assert not wanted.folder.exists()


def test_packages_that_were_damaged_are_installed_again_and_no_others(site: Site) -> None:
    site.add_wheel("tiny-openmm", "1.0")
    wanted = site.install()
    site.install(verify=True, may_search=False)
    assert site.started == [], "a complete environment is left alone"

    packages = site_packages(wanted.environment)
    (packages / "tiny_torch.py").unlink()
    (packages / "tiny_openmm.py").unlink()
    shutil.rmtree(packages / "tiny_openmm-1.0.dist-info")
    untouched = packages / "tiny_worker-1.0.dist-info"
    before = untouched.stat().st_mtime_ns
    assert wanted.damaged_packages() == ["tiny-openmm", "tiny-torch"]
    site.install(may_search=False)
    assert site.started == [], "a capture does not take the time to look"
    site.install(verify=True, may_search=False)
    assert site.started[0] == "installing again: tiny-openmm, tiny-torch"
    assert version_of(wanted, "tiny_torch") == version_of(wanted, "tiny_openmm") == "1.0"
    assert untouched.stat().st_mtime_ns == before
    assert wanted.is_ready()
    assert wanted.damaged_packages() == []


def test_an_environment_that_works_outlives_a_rebuild_that_fails(site: Site) -> None:
    site.add_wheel("tiny-openmm", "1.0")
    wanted = site.install()
    made = (wanted.environment / "pyvenv.cfg").stat().st_mtime_ns
    (wheel,) = site.wheels.glob("tiny_openmm*")
    content = wheel.read_bytes()
    wheel.unlink()
    with pytest.raises(WorkerNotInstalled, match="The step 'MMPose and MediaPipe' failed") as caught:
        site.install(rebuild=True)
    assert "The environment from before is in its place again." in caught.value.hint
    assert wanted.is_ready()
    assert version_of(wanted, "tiny_openmm") == "1.0"
    assert (wanted.environment / "pyvenv.cfg").stat().st_mtime_ns == made

    wheel.write_bytes(content)
    site.install(rebuild=True)
    assert wanted.is_ready()
    assert (wanted.environment / "pyvenv.cfg").stat().st_mtime_ns != made
    assert {path.name for path in wanted.folder.iterdir()} == {"env", "lock", "ready.json", "state.json"}


def test_a_rebuild_that_was_killed_leaves_the_environment_from_before(site: Site) -> None:
    site.add_wheel("tiny-openmm", "1.0")
    wanted = site.install()
    aside = wanted.folder / environment.ASIDE
    aside.mkdir()
    for name in environment.ASIDE_NAMES:
        (wanted.folder / name).rename(aside / name)
    wanted.environment.mkdir()
    site.install(may_search=False)
    assert site.started == ["putting the environment from before back"]
    assert version_of(wanted, "tiny_torch") == "1.0"


def test_a_package_that_does_not_import_is_named(site: Site) -> None:
    site.add_wheel("tiny-openmm", "1.0")
    site.add_wheel(
        "tiny-torch", "1.0", source="raise OSError('libtiny.so: cannot open shared object file')\n"
    )
    with pytest.raises(WorkerNotInstalled, match=r"FAILED tiny_torch: OSError: libtiny\.so") as caught:
        site.install()
    assert "--rebuild" in caught.value.hint
    assert not installation(site.checkout).is_ready()


def test_too_little_room_is_said_before_anything_is_made(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "NEEDED_BYTES_CPU", 10**18)
    with pytest.raises(WorkerNotInstalled, match=r"GB free; the installation needs") as caught:
        site.install()
    assert "VP3D_HOME" in caught.value.hint


def test_a_broken_state_file_counts_as_none(site: Site) -> None:
    wanted = installation(site.checkout)
    wanted.folder.mkdir(parents=True)
    (wanted.folder / "ready.json").write_text('{"layout": ', encoding="utf-8")
    (wanted.folder / "state.json").write_text(json.dumps([1, 2]), encoding="utf-8")
    assert not wanted.is_ready()
    assert wanted.state() == {}


def test_an_interrupted_command_is_told_and_waited_for(tmp_path: Path) -> None:
    cleaned = tmp_path / "cleaned up"
    program = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job ignores it
        "try:\n"
        "    print('started', flush=True)\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        f"    open({str(cleaned)!r}, 'w').close()\n"
    )

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pip_process.run_logged([sys.executable, "-c", program], tmp_path / "logs" / "log", on_line=interrupt)
    assert "started" in (tmp_path / "logs" / "log").read_text(encoding="utf-8")
    if sys.platform != "win32":
        assert cleaned.exists()


def test_a_second_installation_waits_for_the_first(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from vp3d_core.file_lock import exclusive\n"
        f"with exclusive(Path({str(lock)!r}), on_wait=lambda: None):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waited: list[bool] = []

    def let_go() -> None:
        waited.append(True)
        holder.communicate()

    with exclusive(lock, on_wait=let_go):
        assert waited == [True]
    assert holder.returncode == 0


def version_of(wanted: Installation, module: str) -> str:
    return run_python(wanted, f"import {module}; print({module}.__version__)")


def imports_checkout(wanted: Installation) -> str:
    return run_python(wanted, "import vp3d_core; print(vp3d_core.__file__)")


def run_python(wanted: Installation, code: str) -> str:
    command = [str(wanted.python), "-I", "-X", "utf8", "-c", code]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.strip()
