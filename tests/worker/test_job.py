# SPDX-License-Identifier: GPL-3.0-or-later
"""The parent's side of the process boundary, against real child processes."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from vp3d_core.capture.job_file import JOB_NAME, CaptureJob
from vp3d_core.errors import (
    Cancelled,
    InputError,
    NoPersonFound,
    OutputError,
    ProtocolError,
    WorkerCrashed,
    WorkerNotInstalled,
)
from vp3d_core.job import EVENTS_NAME, LOG_NAME, WorkerJob, log_tail, worker_command
from vp3d_core.protocol import ErrorEvent, Event, HelloEvent, ProgressEvent, ResultEvent, StageEvent
from vp3d_core.settings import CaptureSettings

PRELUDE = """
import os, sys, time
from vp3d_core.protocol import *
writer = EventWriter(take_stdout())
writer.write(HelloEvent(1, "0.1.0", "cpu"))
"""
TIMEOUT_S = 60.0


def child(tmp_path: Path, body: str, *, grace_s: float = 5.0) -> WorkerJob:
    """A job whose worker says hello and then runs the body."""
    return WorkerJob(tmp_path, [sys.executable, "-c", PRELUDE + body], grace_s=grace_s)


def poll_until(job: WorkerJob, kind: type[Event]) -> list[Event]:
    events: list[Event] = []
    deadline = time.monotonic() + TIMEOUT_S
    while not any(isinstance(event, kind) for event in events):
        assert time.monotonic() < deadline
        events += job.poll()
        time.sleep(0.01)
    return events


def test_events_arrive_in_order_and_the_result_is_returned(tmp_path: Path) -> None:
    job = child(tmp_path, "writer.write(StageEvent('a', 1, 2)); writer.write(ResultEvent('out folder/ü'))")
    events: list[Event] = []
    job.start()
    assert job.wait(events.append, timeout_s=TIMEOUT_S) == Path("out folder/ü")
    assert events == [HelloEvent(1, "0.1.0", "cpu"), StageEvent("a", 1, 2), ResultEvent("out folder/ü")]
    assert (job.returncode, job.error, job.finished) == (0, None, True)


def test_noise_on_stdout_does_not_reach_the_protocol(tmp_path: Path) -> None:
    body = """
print("a library's print")
os.write(1, b"a C library's printf, without a line end")
os.system("echo a child process")
writer.write(ResultEvent("out"))
"""
    job = child(tmp_path, body)
    job.start()
    assert job.wait(timeout_s=TIMEOUT_S) == Path("out")
    assert len((tmp_path / EVENTS_NAME).read_text().splitlines()) == 2
    log = (tmp_path / LOG_NAME).read_text()
    assert all(text in log for text in ("a library's print", "printf", "a child process"))


def test_an_error_event_becomes_its_exception(tmp_path: Path) -> None:
    job = child(tmp_path, "writer.write(ErrorEvent('no_person', 'Nobody', 'Look.', 'T')); sys.exit(1)")
    job.start()
    with pytest.raises(NoPersonFound, match="Nobody"):
        job.wait(timeout_s=TIMEOUT_S)
    assert job.returncode == 1


def test_a_worker_that_dies_silently_has_crashed(tmp_path: Path) -> None:
    body = "print('the last thing', file=sys.stderr); os.abort()"
    job = child(tmp_path, body)
    job.start()
    events: list[Event] = []
    with pytest.raises(WorkerCrashed, match="return code"):
        job.wait(events.append, timeout_s=TIMEOUT_S)
    last = events[-1]
    assert isinstance(last, ErrorEvent)
    assert "the last thing" in last.trace
    assert job.returncode != 0


def test_a_half_written_line_is_not_read(tmp_path: Path) -> None:
    body = """
writer._streams[0].write('{"event": "result", "pa')
writer._streams[0].flush()
os._exit(3)
"""
    job = child(tmp_path, body)
    job.start()
    with pytest.raises(WorkerCrashed, match="return code 3"):
        job.wait(timeout_s=TIMEOUT_S)


def test_a_line_that_is_not_in_the_protocol_ends_the_job(tmp_path: Path) -> None:
    body = "writer._streams[0].write('hello?\\n'); writer._streams[0].flush(); time.sleep(60)"
    job = child(tmp_path, body, grace_s=0.2)
    job.start()
    with pytest.raises(ProtocolError, match="hello"):
        job.wait(timeout_s=TIMEOUT_S)


def test_another_protocol_is_refused(tmp_path: Path) -> None:
    body = "writer.write(HelloEvent(99, '9.0', 'cpu')); time.sleep(60)"
    job = child(tmp_path, body, grace_s=0.2)
    job.start()
    with pytest.raises(ProtocolError, match="protocol 99, this program 1"):
        job.wait(timeout_s=TIMEOUT_S)


def test_cancel_closes_stdin(tmp_path: Path) -> None:
    body = """
sys.stdin.read()
writer.write(ErrorEvent("cancelled", "The capture was cancelled")); sys.exit(130)
"""
    job = child(tmp_path, body)
    job.start()
    poll_until(job, HelloEvent)
    job.cancel()
    job.cancel()
    with pytest.raises(Cancelled):
        job.wait(timeout_s=TIMEOUT_S)
    assert job.returncode == 130


def test_a_worker_that_ignores_cancel_is_terminated(tmp_path: Path) -> None:
    job = child(tmp_path, "time.sleep(60)", grace_s=0.2)
    job.start()
    poll_until(job, HelloEvent)
    job.cancel()
    with pytest.raises(Cancelled):
        job.wait(timeout_s=TIMEOUT_S)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_worker_that_ignores_termination_is_killed(tmp_path: Path) -> None:
    body = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
writer.write(StageEvent("deaf", 1, 1))
while True: time.sleep(1)
"""
    job = child(tmp_path, body, grace_s=0.2)
    job.start()
    poll_until(job, StageEvent)
    job.cancel()
    with pytest.raises(Cancelled):
        job.wait(timeout_s=TIMEOUT_S)
    assert job.returncode == -signal.SIGKILL


def test_a_worker_that_hangs_after_its_result_is_terminated(tmp_path: Path) -> None:
    job = child(tmp_path, "writer.write(ResultEvent('out')); time.sleep(60)", grace_s=0.2)
    job.start()
    assert job.wait(timeout_s=TIMEOUT_S) == Path("out")


def test_a_timeout_cancels(tmp_path: Path) -> None:
    job = child(tmp_path, "sys.stdin.read(); time.sleep(60)", grace_s=0.2)
    job.start()
    with pytest.raises(Cancelled):
        job.wait(timeout_s=0.5)


def test_poll_returns_each_event_once(tmp_path: Path) -> None:
    body = "for i in range(5): writer.write(ProgressEvent('a', i))\nwriter.write(ResultEvent('o'))"
    job = child(tmp_path, body)
    job.start()
    events = poll_until(job, ResultEvent)
    assert [event.done for event in events if isinstance(event, ProgressEvent)] == [0, 1, 2, 3, 4]
    assert job.poll() == []
    job.close()
    assert job.poll() == []


def test_a_missing_worker_is_not_installed(tmp_path: Path) -> None:
    job = WorkerJob(tmp_path, worker_command(tmp_path / "no python", tmp_path))
    with pytest.raises(WorkerNotInstalled, match="no python"):
        job.start()


def test_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        WorkerJob(tmp_path / "missing", [sys.executable, "-c", ""]).start()


def test_jobs_are_started_once_and_before_they_are_polled(tmp_path: Path) -> None:
    job = child(tmp_path, "writer.write(ResultEvent('o'))")
    with pytest.raises(ValueError, match="not started"):
        job.poll()
    job.start()
    with pytest.raises(ValueError, match="started before"):
        job.start()
    job.wait(timeout_s=TIMEOUT_S)


def test_the_worker_finds_this_very_package(tmp_path: Path) -> None:
    body = "import vp3d_core; writer.write(ResultEvent(vp3d_core.__file__))"
    job = child(tmp_path, body)
    job.start()
    import vp3d_core

    assert os.path.samefile(job.wait(timeout_s=TIMEOUT_S), vp3d_core.__file__ or "")


def test_the_log_tail_is_short(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 200_000 + b"\n\xff\xfe\n" + b"".join(b"line %d\n" % i for i in range(100)))
    assert log_tail(path, lines=2) == "line 98\nline 99"
    assert log_tail(tmp_path / "none") == ""


def test_a_job_file_survives_the_way(tmp_path: Path) -> None:
    job = CaptureJob(
        Path("/videos/ein Klip.mp4"), Path("/out"), CaptureSettings(person=("1", "2"), fov_deg=60.0)
    )
    job.save(tmp_path / "new" / "folder")
    assert CaptureJob.load(tmp_path / "new" / "folder") == job


def test_a_job_file_names_files_so_that_they_are_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("points.json", "own.safetensors"):
        (tmp_path / name).touch()
    settings = CaptureSettings(detector="points.json", lifter="own.safetensors")
    CaptureJob(Path("clip.mp4"), Path("out"), settings).save(tmp_path / "job")
    job = CaptureJob.load(tmp_path / "job")
    assert (job.video, job.out_dir) == (tmp_path / "clip.mp4", tmp_path / "out")
    assert job.settings.detector == str(tmp_path / "points.json")
    assert job.settings.lifter == str(tmp_path / "own.safetensors")
    CaptureJob(Path("clip.mp4"), Path("out"), CaptureSettings(lifter="a-name")).save(tmp_path / "job")
    assert CaptureJob.load(tmp_path / "job").settings == CaptureSettings(lifter="a-name")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"video": 1, "out": "o", "settings": {}}', '{"video": "v"}']
)
def test_a_job_file_that_is_none_is_an_input_error(tmp_path: Path, text: str) -> None:
    (tmp_path / JOB_NAME).write_text(text)
    with pytest.raises(InputError, match="is no job"):
        CaptureJob.load(tmp_path)


def test_a_job_file_with_bad_settings_names_them(tmp_path: Path) -> None:
    values = {"video": "v", "out": "o", "settings": {"fps": -1}}
    (tmp_path / JOB_NAME).write_text(json.dumps(values))
    with pytest.raises(InputError, match="fps is -1"):
        CaptureJob.load(tmp_path)


def test_a_missing_job_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        CaptureJob.load(tmp_path)


def test_the_worker_reports_a_missing_job_file_itself(tmp_path: Path) -> None:
    job = WorkerJob(tmp_path, worker_command(Path(sys.executable), tmp_path / "nowhere"))
    job.start()
    with pytest.raises(InputError, match=r"job\.json cannot be read"):
        job.wait(timeout_s=TIMEOUT_S)
    assert job.returncode == 1
