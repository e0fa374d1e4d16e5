# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer's decisions; tests/worker/test_install_environment.py makes real environments."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vp3d_core.installer import link, package_faults, pip_process, steps
from vp3d_core.installer.installation import Installation
from vp3d_core.installer.steps import WORKER_FILES, TorchChoice, worker_steps
from vp3d_core.user_folders import environment_python

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="makes shell scripts")


@pytest.mark.parametrize("build", ["auto", "cpu", "default"])
def test_every_step_takes_wheels_only_and_keeps_to_the_pins(build: str) -> None:
    for step in worker_steps(REQUIREMENTS, TorchChoice(build)):
        for attempt in step.attempts:
            assert "--only-binary=:all:" in attempt
            assert any(f"{step.name}" == "pip" or word in attempt for word in ("-c", "--no-deps"))


def test_a_machine_without_gpu_gets_the_cpu_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps.sys, "platform", "linux")
    monkeypatch.setattr(steps, "has_nvidia_gpu", lambda: False)
    wanted = [attempt[-1] for attempt in steps.torch_attempts(REQUIREMENTS, TorchChoice())]
    assert wanted == ["torch==2.13.0+cpu", "torch==2.13.0"]
    only = [attempt[-1] for attempt in steps.torch_attempts(REQUIREMENTS, TorchChoice("cpu"))]
    assert only == ["torch==2.13.0+cpu"], "who asked for the CPU build must not get the CUDA libraries"


def test_a_machine_with_gpu_gets_the_platforms_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "has_nvidia_gpu", lambda: True)
    wanted = [attempt[-1] for attempt in steps.torch_attempts(REQUIREMENTS, TorchChoice())]
    assert wanted == ["torch==2.13.0"]


def test_another_index_is_passed_on() -> None:
    (attempt,) = steps.torch_attempts(REQUIREMENTS, TorchChoice("auto", "https://index.example/whl"))
    assert attempt[attempt.index("--extra-index-url") + 1] == "https://index.example/whl"


def test_a_changed_pin_changes_its_step_and_those_after_it(tmp_path: Path) -> None:
    for path in REQUIREMENTS.glob("*.txt"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = [step.key for step in worker_steps(tmp_path, TorchChoice())]
    pins = tmp_path / "worker.txt"
    text = pins.read_text(encoding="utf-8")
    pins.write_text("# another comment\n" + text, encoding="utf-8")
    assert [step.key for step in worker_steps(tmp_path, TorchChoice())] == before
    pins.write_text(text.replace("numpy==1.26.4", "numpy==1.26.3"), encoding="utf-8")
    after = [step.key for step in worker_steps(tmp_path, TorchChoice())]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, True, False, False]


def test_every_requirement_is_pinned() -> None:
    for path in sorted(REQUIREMENTS.glob("*.txt")):
        lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
        for line in filter(None, lines):
            assert re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+(; python_version .*)?", line), (
                f"{path.name}: {line}"
            )


def test_pins_for_other_pythons_are_not_missed() -> None:
    names = {
        minor: package_faults.pinned_names(REQUIREMENTS, WORKER_FILES, minor=minor) for minor in (10, 12)
    }
    assert "xtcocotools" in names[10]
    assert "xtcocotools" not in names[12]
    assert names[10].count("scipy") == names[12].count("scipy") == 1
    assert {"mmcv-lite", "typing-extensions", "json-tricks"} <= {*names[12]}


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ("OSError: [Errno 28] No space left on device", "disk space"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "VP3D_HOME"),
        ("Max retries exceeded: Temporary failure in name resolution", "network"),
        ("SSLError(SSLCertVerificationError(... CERTIFICATE_VERIFY_FAILED", "PIP_CERT"),
        ("ERROR: No matching distribution found for torch==9.9", "check the pin"),
        ("ERROR: Could not find pip==25.3 (from versions: none)", "HTTPS_PROXY"),
        ("something nobody has seen before", "Read the log"),
    ],
)
def test_each_failure_has_its_remedy(output: str, remedy: str) -> None:
    assert remedy in pip_process.remedy_for(output)


def test_the_tail_shows_pips_errors_and_not_a_hundred_versions() -> None:
    versions = ", ".join(f"1.{number}.0" for number in range(500))
    output = (
        f"Collecting x\nERROR: Could not find x==2 (from versions: {versions})\nERROR: No matching\nnotice"
    )
    shown = pip_process.tail(output)
    assert [line.strip()[:5] for line in shown.splitlines()] == ["ERROR", "ERROR"]
    assert all(len(line) < 250 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("Progress 52428800 of 209715200", "52 of 210 MB"),
        ("Collecting numpy==1.26.4 (from -r worker.txt)", "collecting numpy==1.26.4"),
        (
            "  Downloading https://index.example/a/numpy-1.26.4-cp311.whl (18 MB)",
            "downloading numpy-1.26.4-cp311.whl",
        ),
        ("Installing collected packages: a, b, c", "installing 3 packages"),
        ("Looking in indexes: https://index.example", ""),
    ],
)
def test_pips_lines_become_progress(line: str, detail: str) -> None:
    assert pip_process.describe_pip_line(line) == detail


def test_the_users_python_settings_do_not_reach_the_worker() -> None:
    kept = pip_process.child_environment(
        {"PYTHONPATH": "/ros", "PYTHONHOME": "/blender", "PATH": "/bin", "PIP_USER": "1"}
    )
    assert "PYTHONPATH" not in kept
    assert "PYTHONHOME" not in kept
    assert kept["PATH"] == "/bin"
    assert kept["PIP_USER"] == "0"


@pytest.mark.parametrize("name", ["plain", "with space", "Ünï 資料", "quo'te", 'dou"ble', "back\\slash"])
def test_the_checkout_is_importable_from_any_path(tmp_path: Path, name: str) -> None:
    checkout = tmp_path / name
    if sys.platform == "win32" and set(name) & set('"\\'):
        pytest.skip("no such file name on Windows")
    (checkout / "probe_package").mkdir(parents=True)
    (checkout / "probe_package" / "__init__.py").write_text("found = True\n", encoding="utf-8")
    line = link.pth_line(checkout)
    assert line.isascii()
    assert line.startswith("import "), "site.py runs only lines that begin so"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"{line}import probe_package; print(probe_package.found)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"


def test_linking_twice_writes_nothing(tmp_path: Path) -> None:
    environment = make_environment_folder(tmp_path)
    link.link_checkout(environment, ROOT)
    files = [path for path in environment.rglob("*") if path.is_file()]
    before = {path: path.stat().st_mtime_ns for path in files}
    link.link_checkout(environment, ROOT)
    assert {path: path.stat().st_mtime_ns for path in files} == before
    assert os.access(link.launcher_path(environment), os.X_OK)


def test_a_checkout_that_was_moved_is_told_and_found_again_by_doctor(tmp_path: Path) -> None:
    wanted = installation_of(tmp_path)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(wanted.environment)], check=True)
    before = tmp_path / "the Ünï 資料 before"
    (before / "vp3d_core").mkdir(parents=True)
    (before / "vp3d_core" / "__init__.py").touch()
    (before / "vp3d_core" / "__main__.py").write_text("print('works')\n", encoding="utf-8")
    link.link_checkout(wanted.environment, before)
    assert run_vp3d(wanted).stdout == "works\n"

    before.rename(tmp_path / "after")
    gone = run_vp3d(wanted)
    assert gone.returncode == 1
    assert f"VP3D was installed from {before}, which is not there any more" in gone.stderr
    assert "python install.py install" in gone.stderr
    assert "No module named" not in gone.stderr

    doctor = run_install(["doctor"], tmp_path)
    assert f"from {ROOT}" in doctor.stdout
    assert "not there any more" not in doctor.stderr


def test_half_installed_packages_are_forgotten(tmp_path: Path) -> None:
    site = link.site_packages(make_environment_folder(tmp_path))
    for name, files in {
        "whole-1.dist-info": ("METADATA", "RECORD", "INSTALLER"),
        "cut_off-1.dist-info": ("METADATA",),
        "~orch": ("leftover",),
    }.items():
        (site / name).mkdir()
        for file in files:
            (site / name / file).touch()
    assert link.remove_half_installed(tmp_path) == ["cut_off-1.dist-info", "~orch"]
    assert (site / "whole-1.dist-info").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ([], 2, "commands:"),
        (["--help"], 0, "commands:"),
        (["dance"], 2, "there is no command 'dance'"),
        (["uninstall"], 2, "--yes"),
        (["capture", "--help"], 0, "usage: vp3d capture"),
        (["--python", "no such python", "capture", "CLIP.mp4", "-h"], 0, "usage: vp3d capture"),
    ],
)
def test_the_command_line_answers_without_installing(
    tmp_path: Path, arguments: list[str], code: int, text: str
) -> None:
    done = run_install(arguments, tmp_path)
    assert done.returncode == code, done.stderr
    assert text in done.stdout + done.stderr
    assert not list(tmp_path.iterdir())


def test_doctor_says_what_is_missing_on_a_fresh_machine(tmp_path: Path) -> None:
    done = run_install(["doctor"], tmp_path)
    assert done.returncode == 1
    assert "MISSING" in done.stdout
    assert "install.py install" in done.stdout
    assert not list(tmp_path.iterdir())


def test_doctor_on_an_installation_that_was_cut_off_says_what_is_missing_and_no_more(tmp_path: Path) -> None:
    environment = tmp_path / "worker" / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    done = run_install(["doctor"], tmp_path)
    assert done.returncode == 1
    assert "not done: pip; PyTorch" in done.stdout
    assert "install.py install" in done.stdout
    assert done.stderr == ""


def test_python_prints_where_the_worker_is(tmp_path: Path) -> None:
    python = environment_python(tmp_path / "worker" / "env")
    python.parent.mkdir(parents=True)
    python.touch()
    done = run_install(["python"], tmp_path)
    assert done.returncode == 0
    assert done.stdout == f"{python}\n"


def test_python_on_a_fresh_machine_says_how_to_get_one(tmp_path: Path) -> None:
    done = run_install(["python"], tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "There is no worker environment" in done.stderr
    assert "python install.py install" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_wrong_python_is_an_error_before_anything_is_made(tmp_path: Path) -> None:
    done = run_install(["install", "--python", str(tmp_path / "none")], tmp_path / "home")
    assert done.returncode == 1
    assert "there is no such program" in done.stderr
    assert "What to do:" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unwritable_data_folder_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    done = run_install(["install"], blocked / "home")
    assert done.returncode == 1
    assert "VP3D_HOME" in done.stderr
    assert "Traceback" not in done.stderr


def installation_of(home: Path) -> Installation:
    return Installation(ROOT, home / "worker", TorchChoice(), with_tests=False)


def run_vp3d(wanted: Installation) -> subprocess.CompletedProcess[str]:
    launcher = str(link.launcher_path(wanted.environment))
    return subprocess.run([launcher], capture_output=True, encoding="utf-8", check=False)


def run_install(arguments: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "VP3D_HOME": str(home), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, str(ROOT / "install.py"), *arguments],
        capture_output=True,
        encoding="utf-8",
        env=variables,
        check=False,
    )


def make_environment_folder(root: Path) -> Path:
    if sys.platform == "win32":
        (root / "Scripts").mkdir(parents=True)
        (root / "Lib" / "site-packages").mkdir(parents=True)
    else:
        (root / "bin").mkdir(parents=True)
        (root / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    return root


def test_a_checkpoint_that_is_not_there_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    done = run_install(["weights", "--from-file", str(tmp_path / "none.pth")], tmp_path / "home")
    assert done.returncode == 1
    assert "There is no file" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_in_place_of_a_checkpoint_is_told(tmp_path: Path) -> None:
    done = run_install(["weights", "--from-file", str(tmp_path)], tmp_path / "home")
    assert done.returncode == 1
    assert f"{tmp_path} is a folder, not a file" in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_is_no_fault_of_the_folder(tmp_path: Path, unbuffered: str) -> None:
    """What is written meets the closed pipe at once, or when the command is over."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, str(ROOT / "install.py"), "uninstall"],
        stdout=writing,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "VP3D_HOME": str(tmp_path), "PYTHONUNBUFFERED": unbuffered},
        check=False,
    )
    os.close(writing)
    assert done.returncode == (130 if unbuffered else 2)
    assert done.stderr == ""


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "some file.pth"
    wrong.write_bytes(b"not a checkpoint")
    done = run_install(["weights", "--from-file", str(wrong)], tmp_path / "home")
    assert done.returncode == 1
    assert "none of the" in done.stderr
    assert not list((tmp_path / "home").rglob("*.safetensors"))


def test_the_installer_needs_the_standard_library_only() -> None:
    """-S leaves site-packages out: neither numpy nor anything else can be imported."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import vp3d_core.installer.cli, vp3d_core.installer.weights_command, vp3d_core.user_folders\n"
        "print(sorted({'numpy', 'torch', 'bpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
