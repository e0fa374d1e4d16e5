# SPDX-License-Identifier: GPL-3.0-or-later
"""A detector's name as it is given: in settings, jobs and commands, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vp3d_core import cli, doctor
from vp3d_core.capture.job_file import CaptureJob
from vp3d_core.capture.people_command import find_people
from vp3d_core.detect import mmpose_weights
from vp3d_core.detect.detector import make_detector
from vp3d_core.detect.mmpose_catalogue import CATALOGUE, POSE_MODELS
from vp3d_core.errors import InputError, WeightsMissing
from vp3d_core.installer import weights_command
from vp3d_core.settings import DETECTORS, CaptureSettings, is_detector, named_model


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own, without weights."""
    monkeypatch.setenv("VP3D_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def put(*names: str) -> None:
    """Stand-ins for converted weights: only whether they are there is looked at."""
    for name in names:
        mmpose_weights.path_of(name).parent.mkdir(parents=True, exist_ok=True)
        mmpose_weights.path_of(name).write_bytes(b"")


@pytest.mark.parametrize("model", POSE_MODELS)
def test_every_pose_model_can_be_named(model: str) -> None:
    settings = CaptureSettings(detector=f"mmpose:{model}")
    assert CaptureSettings.from_json(settings.to_json()) == settings
    assert is_detector(settings.detector)
    assert named_model(settings.detector) == model


@pytest.mark.parametrize("detector", [*DETECTORS, "keypoints.json", "C:\\rtmo-t.json", "mmpose.npz"])
def test_other_detectors_name_no_model(detector: str) -> None:
    assert named_model(CaptureSettings(detector=detector).detector) is None
    assert is_detector(detector) == (detector in DETECTORS)


@pytest.mark.parametrize("name", ["mmpose:rtmo", "mmpose:", "mmpose:rtmdet-nano", "mmpose:RTMO-T"])
def test_an_unknown_model_is_an_error_that_names_the_known_ones(name: str) -> None:
    for make in (lambda: CaptureSettings(detector=name), lambda: make_detector(name)):
        with pytest.raises(InputError, match=f"no pose model .* for {name!r}") as caught:
            make()
        for entry in CATALOGUE:
            assert (entry.name in caught.value.hint) == (entry.role != "person")


def test_weights_of_a_named_model_that_are_missing_are_told() -> None:
    pytest.importorskip("torch")
    put("rtmdet-nano", "rtmpose-m-halpe26")
    with pytest.raises(WeightsMissing, match="weights of rtmo-s are not") as caught:
        make_detector("mmpose:rtmo-s", device="cpu")
    assert "install.py weights --model rtmo-s" in caught.value.hint


def test_looking_for_people_takes_the_named_model(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    job = CaptureJob(tmp_path / "clip.mp4", tmp_path / "out", CaptureSettings(detector="mmpose:rtmo-s"))
    with pytest.raises(WeightsMissing, match="weights of rtmo-s are not"):
        find_people(job, tmp_path, lambda event: None)


def test_a_job_keeps_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mmpose").mkdir()  # is not taken for the detector
    for detector in ("mmpose", "mmpose:rtmo-t"):
        CaptureJob(Path("clip.mp4"), Path("out"), CaptureSettings(detector=detector)).save(tmp_path)
        assert CaptureJob.load(tmp_path).settings.detector == detector


def test_the_command_refuses_an_unknown_model_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").write_bytes(b"")
    with pytest.raises(SystemExit) as caught:
        cli.main(["capture", "clip.mp4", "--detector", "mmpose:yolo"])
    assert caught.value.code == 2
    assert "rtmpose-l-halpe26" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def mmpose_finding() -> doctor.Finding:
    return next(finding for finding in doctor.examine() if finding.name == "mmpose weights")


@pytest.mark.parametrize(
    ("here", "text", "remedy"),
    [
        ([], "not here; 'auto' uses MediaPipe", "install.py weights"),
        (
            ["rtmpose-l-halpe26"],
            "rtmpose-l-halpe26 without rtmdet-nano; 'auto' uses MediaPipe",
            "install.py weights --model rtmdet-nano",
        ),
        (["rtmo-t"], "'auto' uses MMPose with rtmo-t", ""),
        (
            ["rtmdet-nano", "rtmpose-s-halpe26", "rtmpose-m-halpe26", "rtmo-t"],
            "'auto' uses MMPose with rtmdet-nano and rtmpose-m-halpe26; "
            "there is also mmpose:rtmpose-s-halpe26, mmpose:rtmo-t",
            "",
        ),
    ],
)
def test_doctor_says_what_is_used(here: list[str], text: str, remedy: str) -> None:
    put(*here)
    finding = mmpose_finding()
    assert (finding.state, finding.text) == ("note" if remedy else "ok", text)
    assert finding.remedy.endswith(remedy)


@pytest.mark.parametrize(
    ("here", "told"),
    [
        (
            ["rtmpose-l-halpe26"],
            [
                "Before --detector auto takes MMPose, it also needs rtmdet-nano:",
                "python install.py weights --model rtmdet-nano",
            ],
        ),
        (["rtmo-t"], ["--detector auto now takes MMPose with rtmo-t."]),
        (
            ["rtmo-t", "rtmpose-l-halpe26"],
            [
                "--detector auto now takes MMPose with rtmo-t.",
                "Before mmpose:rtmpose-l-halpe26: python install.py weights --model rtmdet-nano",
            ],
        ),
        (
            ["rtmdet-nano", "rtmpose-m-halpe26", "rtmo-s"],
            [
                "--detector auto now takes MMPose with rtmdet-nano and rtmpose-m-halpe26.",
                "--detector can also be mmpose:rtmo-s.",
            ],
        ),
    ],
)
def test_weights_says_what_is_used(here: list[str], told: list[str]) -> None:
    put(*here)
    lines: list[str] = []
    assert weights_command.fetch_weights(lines.append, names=here) == 0  # all are here: nothing is fetched
    assert lines[len(here) :] == told
