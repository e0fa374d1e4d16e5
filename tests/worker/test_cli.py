# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as a user meets it: a process, its output, its exit code, its files."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.clips import write_clip, write_tone
from tests.worker.fake_worker import IMAGE_SIZE, NUM_FRAMES
from tests.worker.lifters import save_random_lifter
from vp3d_core import bvh, motion_file
from vp3d_core.capture.outputs import OUTPUT_STAGES
from vp3d_core.pipeline import CAPTURE_STAGES
from vp3d_core.protocol import (
    ErrorEvent,
    Event,
    ProgressEvent,
    ResultEvent,
    StageEvent,
    WarningEvent,
    decode_event,
)

pytestmark = pytest.mark.worker

ROOT = Path(__file__).resolve().parent.parent.parent
TIMEOUT_S = 250.0
OUTPUT_NAMES = ["motion.bvh", "motion.npz", "overlay.mp4", "report.html"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 plain frames at 30 fps, in a folder and file with blanks and non-ASCII letters."""
    folder = tmp_path_factory.mktemp("ein Ordner ü")
    pictures = [
        np.full((IMAGE_SIZE[1], IMAGE_SIZE[0], 3), 90 + index, np.uint8) for index in range(NUM_FRAMES)
    ]
    return write_clip(folder / "my clip ж.mp4", pictures, rate_hz=30)


@pytest.fixture(scope="module")
def lifter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_lifter(tmp_path_factory.mktemp("weights") / "random.safetensors")


@pytest.fixture(scope="module")
def captured(clip: Path, lifter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a capture that nobody interrupted."""
    out = tmp_path_factory.mktemp("captured") / "out"
    done = vp3d("capture", clip, "-o", out, "--lifter", lifter, fake={})
    assert done.returncode == 0, done.stderr
    return out


def command(words: Sequence[object], fake: dict[str, object] | None) -> tuple[list[str], dict[str, str]]:
    module = "vp3d_core" if fake is None else "tests.worker.fake_worker"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    if fake is not None:
        environment["VP3D_FAKE"] = json.dumps(fake)
    return [sys.executable, "-m", module, *(str(word) for word in words)], environment


def vp3d(
    *words: object,
    fake: dict[str, object] | None = None,
    cwd: Path | None = None,
    file_limit: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``vp3d``; ``fake`` puts in the fake detector; a file may hold at most ``file_limit`` bytes."""
    line, environment = command(words, fake)

    def limit() -> None:
        if file_limit is not None:
            import resource  # POSIX only

            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    return subprocess.run(
        line,
        env=environment,
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        preexec_fn=limit if file_limit else None,
        check=False,
    )


def events_in(out: Path) -> list[Event]:
    return [decode_event(line) for line in (out / "events.jsonl").read_text(encoding="utf-8").splitlines()]


def outputs_in(out: Path) -> list[str]:
    hidden_or_job = {"events.jsonl", "job.json", "worker.log", "stages"}
    return sorted(path.name for path in out.iterdir() if path.name not in hidden_or_job)


def assert_failed(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert done.returncode == 1, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_version() -> None:
    from vp3d_core import __version__

    assert vp3d("--version").stdout == f"vp3d {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dance"],
        ["capture"],
        ["capture", "clip.mp4", "--height", "180"],
        ["capture", "clip.mp4", "--fov", "60", "--focal-mm", "28"],
        ["capture", "clip.mp4", "--person", "me"],
        ["capture", "clip.mp4", "--start", "5", "--end", "4"],
        ["capture", "clip.mp4", "--end", "0"],
        ["capture", "clip.mp4", "--end", "-3"],
        ["capture", "clip.mp4", "--resume", "--overwrite"],
    ],
    ids=lambda words: " ".join(words[-2:]),
)
def test_wrong_options_exit_with_2(words: list[str], tmp_path: Path) -> None:
    done = vp3d(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert "usage: vp3d" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_video_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("not a video\n" * 100)
    write_tone(tmp_path / "sound.m4a")
    before = sorted(tmp_path.iterdir())
    for name, message in (
        ("missing.mp4", "no file"),
        ("empty.mp4", "empty"),
        ("text.mp4", "not a video"),
        ("sound.m4a", "no video"),
    ):
        assert_failed(vp3d("capture", name, cwd=tmp_path), message)
    assert sorted(tmp_path.iterdir()) == before


def test_a_capture_leaves_its_files(captured: Path) -> None:
    assert outputs_in(captured) == OUTPUT_NAMES
    motion = motion_file.load(captured / "motion.npz")
    assert len(motion.root_positions) == NUM_FRAMES
    assert motion.frame_rate_hz == pytest.approx(30.0)
    assert motion.image_size == IMAGE_SIZE
    assert motion.camera is not None
    assert motion.meta["source"] == "my clip ж.mp4"
    assert len(str(motion.meta["source_sha256"])) == 64
    assert len(bvh.load(captured / "motion.bvh").root_positions) == NUM_FRAMES
    assert "<html" in (captured / "report.html").read_text(encoding="utf-8").lower()


def test_events_tell_the_whole_story(captured: Path) -> None:
    events = events_in(captured)
    stages = [event for event in events if isinstance(event, StageEvent)]
    assert [stage.name for stage in stages] == [*CAPTURE_STAGES, *OUTPUT_STAGES]
    assert [stage.index for stage in stages] == list(range(1, len(stages) + 1))
    assert {stage.count for stage in stages} == {len(stages)}
    detected = [event for event in events if isinstance(event, ProgressEvent) and event.stage == "detect"]
    assert (detected[-1].done, detected[-1].total, detected[-1].unit) == (NUM_FRAMES, NUM_FRAMES, "frames")
    warned = [event.code for event in events if isinstance(event, WarningEvent)]
    assert warned == ["focal_guessed", "poor_fit"]  # the lifter's weights are random
    assert events[-1] == ResultEvent(str(captured))


def test_json_prints_the_protocol_and_nothing_else(clip: Path, lifter: Path, tmp_path: Path) -> None:
    done = vp3d("capture", clip, "-o", tmp_path / "out", "--json", "--lifter", lifter, fake={"noisy": True})
    assert done.returncode == 0
    assert done.stderr == ""
    assert [decode_event(line) for line in done.stdout.splitlines()] == events_in(tmp_path / "out")
    assert "C library" in (tmp_path / "out" / "worker.log").read_text()


def test_the_default_folder_is_named_for_the_clip(clip: Path, lifter: Path, tmp_path: Path) -> None:
    done = vp3d("capture", clip, "--lifter", lifter, "--fov", 60, fake={"noisy": True}, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "focal length" not in done.stdout
    assert "library" not in done.stdout
    assert "Person 1 (track 1): 0.0 to 2.0 s, 60 frames at 30 Hz" in done.stdout
    assert outputs_in(tmp_path / "my clip ж-vp3d") == OUTPUT_NAMES


def test_an_older_capture_is_not_overwritten_silently(
    captured: Path, clip: Path, lifter: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in captured.iterdir() if path.is_file()}
    done = vp3d("capture", clip, "-o", captured, "--lifter", lifter, fake={})
    assert_failed(done, "already holds a capture (motion.bvh, motion.npz, overlay.mp4, report.html)")
    assert "--resume" in done.stderr
    other = write_clip(tmp_path / "other.mp4", [np.zeros((64, 64, 3), np.uint8)] * 3)
    assert_failed(
        vp3d("capture", other, "-o", captured, "--resume", fake={}), "of another video than other.mp4"
    )
    assert {path: path.read_bytes() for path in captured.iterdir() if path.is_file()} == before


def test_resume_with_another_setting_does_not_detect_again(clip: Path, lifter: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["capture", clip, "-o", out, "--lifter", lifter]
    assert vp3d(*words, fake={}).returncode == 0
    first = motion_file.load(out / "motion.npz")
    (out / "motion-7.npz").write_bytes(b"of an earlier capture with more people")
    done = vp3d(*words, "--resume", "--no-smooth", "--height", 1.87, fake={"crash_at": 0})
    assert done.returncode == 0, done.stderr
    second = motion_file.load(out / "motion.npz")
    assert second.meta["height_m"] == 1.87
    assert not np.array_equal(first.root_positions, second.root_positions)
    assert outputs_in(out) == OUTPUT_NAMES


def test_a_second_capture_into_the_same_folder_is_refused(clip: Path, lifter: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["capture", clip, "-o", out, "--lifter", lifter]
    line, environment = command([*words, "--json"], {"frame_s": 0.1})
    first = subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    assert first.stdout is not None
    while not isinstance(decode_event(first.stdout.readline()), ProgressEvent):
        pass
    for choice in ("--overwrite", "--resume"):
        assert_failed(vp3d(*words, choice, fake={}), f"Another capture is running in {out}")
    rest = [decode_event(text) for text in first.stdout]
    first.stdout.close()
    assert first.wait(TIMEOUT_S) == 0
    assert rest[-1] == events_in(out)[-1] == ResultEvent(str(out))
    assert outputs_in(out) == OUTPUT_NAMES


def test_a_capture_that_was_killed_keeps_nobody_out(clip: Path, lifter: Path, tmp_path: Path) -> None:
    words = ["capture", clip, "-o", tmp_path / "out", "--lifter", lifter]
    assert vp3d(*words, fake={"crash_at": 5}).returncode not in (0, 1)
    assert vp3d(*words, fake={}).returncode == 0
    assert outputs_in(tmp_path / "out") == OUTPUT_NAMES


def test_a_video_among_the_outputs_is_not_replaced(clip: Path, tmp_path: Path) -> None:
    video = tmp_path / "overlay.mp4"
    video.write_bytes(clip.read_bytes())
    done = vp3d("capture", video, "-o", tmp_path, "--overwrite", fake={})
    assert_failed(done, "has the name of an output")
    assert os.listdir(tmp_path) == ["overlay.mp4"]
    assert video.read_bytes() == clip.read_bytes()


def test_overwrite_detects_again(clip: Path, lifter: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["capture", clip, "-o", out, "--lifter", lifter]
    assert vp3d(*words, fake={}).returncode == 0
    assert vp3d(*words, "--overwrite", fake={"nobody": True}).returncode == 1
    assert outputs_in(out) == OUTPUT_NAMES, "a failed capture leaves the older one alone"


def test_a_video_that_fails_to_replace_another_loses_nothing(
    clip: Path, lifter: Path, tmp_path: Path
) -> None:
    out, other = tmp_path / "out", tmp_path / "other.mp4"
    pictures = [np.zeros((IMAGE_SIZE[1], IMAGE_SIZE[0], 3), np.uint8)] * NUM_FRAMES
    write_clip(other, pictures, rate_hz=30)
    words = ["-o", out, "--lifter", lifter]
    assert vp3d("capture", clip, *words, fake={}).returncode == 0
    for _ in range(2):
        assert_failed(vp3d("capture", other, *words, "--overwrite", fake={"nobody": True}), "No person")
    resumed = vp3d("capture", clip, *words, "--resume", fake={"crash_at": 0})
    assert resumed.returncode == 0, "it was detected again"
    assert vp3d("capture", other, *words, "--overwrite", fake={}).returncode == 0
    assert motion_file.load(out / "motion.npz").meta["source"] == other.name
    assert len(list((out / "stages").iterdir())) == 2, "the replaced video's stages went with its motion"
    assert_failed(vp3d("capture", clip, *words, "--resume", fake={}), "of another video")


@pytest.mark.parametrize(
    "words",
    [
        ["--start", 50],
        ["--detector", "openpose"],
        ["--lifter", "nope"],
        ["--lifter", "nope", "--json"],
    ],
)
def test_a_value_that_turns_out_wrong_leaves_no_new_folder(
    words: list[object], clip: Path, lifter: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    choices = words if "--lifter" in words else [*words, "--lifter", lifter]
    assert vp3d("capture", clip, "-o", out, *choices, fake={}).returncode == 1
    assert not out.exists()
    out.mkdir()
    assert vp3d("capture", clip, "-o", out, *choices, fake={}).returncode == 1
    assert "job.json" in os.listdir(out), "a folder that was there stays"


def test_nobody_in_noise_is_an_error_that_leaves_no_output(lifter: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (120, 160, 3), dtype=np.uint8) for _ in range(6)]
    clip, out = write_clip(tmp_path / "noise.mp4", noise), tmp_path / "out"
    done = vp3d("capture", clip, "-o", out, "--detector", "mediapipe", "--threads", 1, "--lifter", lifter)
    assert_failed(done, "Error: ")
    last = events_in(out)[-1]
    assert isinstance(last, ErrorEvent)
    assert last.code == "no_person"
    assert outputs_in(out) == []
    assert "NoPersonFound" in (out / "worker.log").read_text()


def test_a_truncated_video_gives_what_it_has_and_a_warning(lifter: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = [
        rng.integers(0, 255, (IMAGE_SIZE[1], IMAGE_SIZE[0], 3), dtype=np.uint8) for _ in range(NUM_FRAMES)
    ]
    whole = write_clip(
        tmp_path / "whole.mp4", pictures, rate_hz=30, container_options={"movflags": "faststart"}
    )
    cut, out = tmp_path / "cut.mp4", tmp_path / "out"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 7 // 10])
    done = vp3d("capture", cut, "-o", out, "--lifter", lifter, fake={})
    assert done.returncode == 0, done.stderr
    assert "truncated" in [event.code for event in events_in(out) if isinstance(event, WarningEvent)]
    assert NUM_FRAMES // 3 < len(motion_file.load(out / "motion.npz").root_positions) < NUM_FRAMES


def test_an_output_that_is_in_the_way_is_an_error(clip: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("mine")
    assert_failed(vp3d("capture", clip, "-o", blocked, fake={}), "cannot be made: a file is in its place")
    assert_failed(
        vp3d("capture", clip, "-o", blocked / "deeper", fake={}), "cannot be made: a file is in its place"
    )
    assert blocked.read_text() == "mine"


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_that_may_not_be_written_is_an_error(clip: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert_failed(vp3d("capture", clip, "-o", tmp_path / "out", fake={}), "may not be written")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
@pytest.mark.parametrize("limit_bytes", [2_000, 20_000, 40_000])
def test_a_full_disk_is_an_error_that_leaves_no_output(
    clip: Path, lifter: Path, tmp_path: Path, limit_bytes: int
) -> None:
    out = tmp_path / "out"
    words = ["capture", clip, "-o", out, "--lifter", lifter]
    assert_failed(vp3d(*words, fake={}, file_limit=limit_bytes), "The disk is full")
    assert outputs_in(out) == []
    assert list(out.glob("**/*.part*")) + list(out.glob("**/.*")) == []
    assert vp3d(*words, "--resume", fake={}).returncode == 0


def test_an_unexpected_error_points_to_the_log(clip: Path, lifter: Path, tmp_path: Path) -> None:
    done = vp3d("capture", clip, "-o", tmp_path / "out", "--lifter", lifter, fake={"fail_with": "KeyError"})
    assert_failed(done, "Something unexpected happened")
    assert "worker.log" in done.stderr
    assert "the detector's own words" in (tmp_path / "out" / "worker.log").read_text()


@pytest.mark.timeout(1200)  # a dozen captures one after the other
def test_ctrl_c_in_every_stage_resumes_to_the_same_result(
    captured: Path, clip: Path, lifter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    words = ["capture", clip, "-o", out, "--lifter", lifter]
    accidents: list[dict[str, object]] = [{"interrupt_at": 30}]
    for stage in (*CAPTURE_STAGES, *OUTPUT_STAGES):
        accidents.append({"interrupt_stage": stage})
    for number, accident in enumerate(accidents):
        typed = ("vp3d", "python install.py")[number % 2]
        monkeypatch.setenv("VP3D_COMMAND", typed)  # as install.py does
        done = vp3d(*words, "--resume", fake=accident)
        assert done.returncode == 130, (accident, done.stderr)
        assert "Cancelled" in done.stderr
        assert f"{typed} capture " in done.stderr
        assert "--resume" in done.stderr
        assert outputs_in(out) == []
    assert vp3d(*words, "--resume", fake={"crash_at": 5}).returncode == 0, "the first frames were kept"
    with np.load(captured / "motion.npz") as want, np.load(out / "motion.npz") as got:
        assert want.files == got.files
        for name in want.files:
            if name != "meta":
                np.testing.assert_array_equal(got[name], want[name])


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_from_outside_cancels_within_seconds(clip: Path, lifter: Path, tmp_path: Path) -> None:
    line, environment = command(
        ["capture", clip, "-o", tmp_path / "out", "--lifter", lifter, "--json"], {"frame_s": 0.2}
    )
    process = subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for text in process.stdout:
        event = decode_event(text)
        if isinstance(event, ProgressEvent) and event.done > 0:
            process.send_signal(signal.SIGINT)
            break
    started_s = time.monotonic()
    events = [decode_event(text) for text in process.stdout]
    process.stdout.close()
    assert process.wait(TIMEOUT_S) == 130
    assert time.monotonic() - started_s < TIMEOUT_S
    assert isinstance(events[-1], ErrorEvent)
    assert events[-1].code == "cancelled"


def test_a_closed_pipe_does_not_end_in_a_traceback(clip: Path, lifter: Path, tmp_path: Path) -> None:
    line, environment = command(["capture", clip, "-o", tmp_path / "out", "--lifter", lifter, "--json"], {})
    process = subprocess.Popen(
        line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(TIMEOUT_S) == 130
    assert errors == ""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_matter(closed: str, clip: Path, lifter: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    line, environment = command(["capture", clip, "-o", out, "--lifter", lifter], {"noisy": True})
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *line]
    done = subprocess.run(shell, env=environment, stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert outputs_in(out) == OUTPUT_NAMES
    assert events_in(out)[-1] == ResultEvent(str(out))


INTERRUPTED_IMPORT = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with it ignored
class Interrupts:
    @staticmethod
    def find_spec(name, path, target=None):
        if name == "vp3d_core.cli":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupts)
runpy.run_module("vp3d_core", run_name="__main__")
"""


def test_ctrl_c_before_anything_is_loaded_exits_with_130() -> None:
    """Python itself would end the process by SIGINT."""
    line, environment = command([], None)
    line = [line[0], "-c", INTERRUPTED_IMPORT]
    done = subprocess.run(
        line, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr


def test_after_ctrl_c_nothing_is_taken_down(clip: Path, lifter: Path, tmp_path: Path) -> None:
    """Meanwhile a second Ctrl-C would end the process by SIGINT, and libraries may abort."""
    words = ["capture", clip, "-o", tmp_path / "out", "--lifter", lifter]
    done = vp3d(*words, fake={"interrupt_at": 30, "hang_at_exit": True})
    assert done.returncode == 130
    assert "--resume" in done.stderr
    assert os.listdir(tmp_path / "out").count(".vp3d-lock") == 0
