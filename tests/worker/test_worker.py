# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture worker under a WorkerJob, as the add-on and the batch run it."""

import importlib
import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.clips import write_clip
from tests.worker.fake_worker import IMAGE_SIZE, NUM_FRAMES
from tests.worker.lifters import save_random_lifter
from vp3d_core import motion_file
from vp3d_core.batch import worker_capture
from vp3d_core.batch.clips import Clip
from vp3d_core.capture import worker as capture_worker
from vp3d_core.capture.interruption import Interruption
from vp3d_core.capture.job_file import CaptureJob
from vp3d_core.capture.output_folder import LOCK_NAME, only_capture_in
from vp3d_core.capture.outputs import OUTPUT_STAGES
from vp3d_core.capture.worker import error_event, run_work
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


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    """One that listens to SIGINT."""
    before = signal.getsignal(signal.SIGINT)
    one = Interruption()
    one.listen()
    yield one
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_during_an_import_waits_for_its_end(
    interruption: Interruption, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raised inside, compiled modules such as MediaPipe's make another error of it, or abort."""
    lines = "import signal\nsignal.raise_signal(signal.SIGINT)\nwhole = True\n"
    (tmp_path / "interrupted_module.py").write_text(lines)
    monkeypatch.syspath_prepend(tmp_path)
    assert importlib.import_module("interrupted_module").whole
    with pytest.raises(KeyboardInterrupt):
        interruption.guard(lambda event: None)(HelloEvent(1, "0", "cpu"))


def test_an_error_that_a_library_makes_of_an_interrupt_is_a_cancellation(
    interruption: Interruption, job_dir: Path
) -> None:
    def work(*_: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("initialization failed") from None

    events: list[Event] = []
    assert run_work(work, CaptureJob.load(job_dir), job_dir, events.append, interruption) == 130
    (last,) = events
    assert isinstance(last, ErrorEvent)
    assert last.code == "cancelled"


def test_a_folder_in_which_another_capture_runs_is_left_alone(
    job_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_worker, "ENDING_S", 0.0)
    monkeypatch.setattr(worker_capture, "ENDING_S", 0.0)
    job, clip = CaptureJob.load(job_dir), Clip("clip", job_dir / "clip.mp4")
    with only_capture_in(job.out_dir):
        with pytest.raises(OutputError, match="Another capture is running"):
            capture_worker.capture_alone(job, job_dir, lambda event: None)
        with pytest.raises(OutputError, match="Another capture is running"):
            worker_capture.capture_with_worker(Path(sys.executable))(clip, job.out_dir, lambda event: None)
        assert [path.name for path in job.out_dir.iterdir()] == [LOCK_NAME]


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
