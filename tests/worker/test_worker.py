# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture worker under a WorkerJob, as the add-on and the batch run it."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.clips import write_clip
from tests.worker.fake_worker import IMAGE_SIZE, NUM_FRAMES
from tests.worker.lifters import save_random_lifter
from vp3d_core import motion_file
from vp3d_core.capture.interruption import Interruption
from vp3d_core.capture.job_file import CaptureJob
from vp3d_core.capture.outputs import OUTPUT_STAGES
from vp3d_core.capture.worker import error_event
from vp3d_core.errors import Cancelled, DeviceOutOfMemory, OutputError, WorkerCrashed, WorkerNotInstalled
from vp3d_core.job import EVENTS_NAME, LOG_NAME, WorkerJob
from vp3d_core.pipeline import CAPTURE_STAGES
from vp3d_core.protocol import (
    ErrorEvent,
    Event,
    HelloEvent,
    ProgressEvent,
    StageEvent,
    exception_from_event,
)
from vp3d_core.settings import CaptureSettings

pytestmark = pytest.mark.worker

TIMEOUT_S = 250.0


@pytest.fixture
def job_dir(tmp_path: Path) -> Path:
    """A job folder for a clip of the synthetic walker."""
    width, height = IMAGE_SIZE
    clip = write_clip(
        tmp_path / "clip.mp4", [np.full((height, width, 3), 90, np.uint8)] * NUM_FRAMES, rate_hz=30
    )
    lifter = save_random_lifter(tmp_path / "random.safetensors")
    job = CaptureJob(clip, tmp_path / "out", CaptureSettings(lifter=str(lifter), device="cpu"))
    job.save(tmp_path / "job")
    return tmp_path / "job"


def worker(job_dir: Path, monkeypatch: pytest.MonkeyPatch, **accidents: object) -> WorkerJob:
    monkeypatch.setenv("VP3D_FAKE", json.dumps(accidents))
    return WorkerJob(
        job_dir,
        [sys.executable, "-m", "tests.worker.fake_worker", "capture", "--job", str(job_dir)],
        grace_s=TIMEOUT_S,
    )


def test_a_noisy_capture_is_followed_to_its_end(job_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Event] = []
    job = worker(job_dir, monkeypatch, noisy=True)
    job.start()
    out = job.wait(events.append, timeout_s=TIMEOUT_S)
    assert isinstance(events[0], HelloEvent)
    assert events[0].device == "cpu"
    detected = [
        event.done for event in events if isinstance(event, ProgressEvent) and event.stage == "detect"
    ]
    assert detected == sorted(detected)
    assert detected[-1] == NUM_FRAMES
    assert len(motion_file.load(out / "motion.npz").root_positions) == NUM_FRAMES
    assert "C library" in (job_dir / LOG_NAME).read_text()
    assert "library" not in (job_dir / EVENTS_NAME).read_text()


def test_cancel_stops_and_the_next_job_goes_on(job_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = worker(job_dir, monkeypatch, frame_s=0.1)
    job.start()
    deadline = time.monotonic() + TIMEOUT_S
    while not any(isinstance(event, ProgressEvent) and event.done >= 8 for event in job.poll()):
        assert time.monotonic() < deadline
        assert job.error is None
        time.sleep(0.02)
    job.cancel()
    with pytest.raises(Cancelled):
        job.wait(timeout_s=TIMEOUT_S)
    assert not list((job_dir.parent / "out").glob("*"))
    again = worker(job_dir, monkeypatch, crash_at=0)
    again.start()
    with pytest.raises(WorkerCrashed):
        again.wait(timeout_s=TIMEOUT_S)  # it warms up on the first frames, and crashes as it was told
    last = worker(job_dir, monkeypatch)
    last.start()
    assert len(motion_file.load(last.wait(timeout_s=TIMEOUT_S) / "motion.npz").root_positions) == NUM_FRAMES


@pytest.mark.parametrize("stage", [*CAPTURE_STAGES, *OUTPUT_STAGES])
def test_cancel_is_seen_in_each_stage(stage: str, job_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stage never ends by itself, and no library is waited for when the last words are said."""
    job = worker(job_dir, monkeypatch, hold_stage=stage, hang_at_exit=True)
    events: list[Event] = []

    def see(event: Event) -> None:
        events.append(event)
        if isinstance(event, StageEvent) and event.name == stage:
            job.cancel()

    job.start()
    with pytest.raises(Cancelled):
        job.wait(see, timeout_s=TIMEOUT_S)
    assert job.returncode == 130, "it ended by itself"
    assert isinstance(events[-1], ErrorEvent)
    assert isinstance(events[-2], StageEvent), "nothing was done any more"


def test_cancel_is_seen_while_libraries_are_imported(job_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = worker(job_dir, monkeypatch, hang_at_exit=True)
    events: list[Event] = []
    job.start()
    job.cancel()
    with pytest.raises(Cancelled):
        job.wait(events.append, timeout_s=TIMEOUT_S)
    assert job.returncode == 130
    assert not any(isinstance(event, StageEvent) for event in events)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ImportError("No module named 'mediapipe'"), WorkerNotInstalled),
        (MemoryError(), DeviceOutOfMemory),
        (OSError(28, "No space left on device", "/out/x"), OutputError),
        (KeyboardInterrupt(), Cancelled),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_went_wrong_has_a_remedy(error: BaseException, expected: type[Exception]) -> None:
    event = error_event(error)
    assert type(exception_from_event(event)) is expected
    assert event.hint
    assert event.trace


def test_a_swallowed_interrupt_is_raised_again_by_the_next_event() -> None:
    interruption = Interruption()
    events: list[Event] = []
    emit = interruption.guard(events.append)
    emit(HelloEvent(1, "0", "cpu"))
    with pytest.raises(KeyboardInterrupt):
        interruption._on_sigint(2, None)
    with pytest.raises(KeyboardInterrupt):
        emit(HelloEvent(1, "0", "cpu"))
    assert len(events) == 1
