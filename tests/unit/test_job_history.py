# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from vp3d_core.capture.job_file import CaptureJob
from vp3d_core.errors import InputError
from vp3d_core.job_history import JobRecord, new_job_folder, past_jobs, read_job, remove_job_folder
from vp3d_core.job_state import JobState
from vp3d_core.protocol import (
    ErrorEvent,
    Event,
    ProgressEvent,
    ResultEvent,
    StageEvent,
    WarningEvent,
    encode_event,
)


def make_job(folder: Path, *events: Event, age_s: float = 0.0) -> Path:
    CaptureJob(Path("/videos/Tänzerin 1.mp4"), folder / "out").save(folder)
    path = folder / "events.jsonl"
    path.write_text("".join(encode_event(event) + "\n" for event in events), encoding="utf-8")
    then_s = time.time() - age_s
    os.utime(path, (then_s, then_s))
    os.utime(folder / "job.json", (then_s, then_s))
    return folder


def test_a_finished_job_lists_its_motions_in_the_order_of_the_people(tmp_path: Path) -> None:
    folder = make_job(tmp_path / "job", ResultEvent(str(tmp_path)))
    (folder / "out").mkdir()
    for number in (10, 2, 1):
        (folder / "out" / f"motion-{number}.npz").touch()
    (folder / "out" / "motion-1.bvh").touch()
    record = read_job(folder)
    assert record.status == "done"
    assert [path.name for path in record.motions] == ["motion-1.npz", "motion-2.npz", "motion-10.npz"]


@pytest.mark.parametrize(
    ("events", "age_s", "status"),
    [
        ((ErrorEvent("cancelled", "stopped"),), 0.0, "cancelled"),
        ((ErrorEvent("no_person_found", "nobody", "look"),), 0.0, "failed"),
        ((ProgressEvent("detect", 3, 9),), 0.0, "in_use"),
        ((ProgressEvent("detect", 3, 9),), 3600.0, "interrupted"),
        ((), 3600.0, "interrupted"),
    ],
)
def test_how_a_job_ended(tmp_path: Path, events: tuple[Event, ...], age_s: float, status: str) -> None:
    record = read_job(make_job(tmp_path / "job", *events, age_s=age_s))
    assert record.status == status
    assert record.motions == ()


def test_a_line_that_was_cut_off_does_not_hide_the_one_before(tmp_path: Path) -> None:
    folder = make_job(tmp_path / "job", ErrorEvent("cancelled", "stopped"))
    with (folder / "events.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"event": "prog')
    assert read_job(folder).status == "cancelled"


def test_past_jobs_are_listed_newest_first_and_other_folders_left_alone(tmp_path: Path) -> None:
    make_job(tmp_path / "old", age_s=500.0)
    make_job(tmp_path / "new", age_s=100.0)
    (tmp_path / "other").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "job.json").write_text("{}", encoding="utf-8")
    found: list[JobRecord] = past_jobs(tmp_path)
    assert [record.folder.name for record in found] == ["new", "old"]
    assert past_jobs(tmp_path / "none") == []


def test_job_folders_never_collide_and_have_harmless_names(tmp_path: Path) -> None:
    video = Path("/videos/a b: c?/Tänzerin <1>.mp4")
    folders = {new_job_folder(tmp_path, video) for _ in range(3)}
    assert len(folders) == 3
    assert all(folder.is_dir() and "Tänzerin_1" in folder.name for folder in folders)


def test_only_job_folders_are_removed(tmp_path: Path) -> None:
    folder = make_job(tmp_path / "job")
    remove_job_folder(folder)
    assert not folder.exists()
    (tmp_path / "precious").mkdir()
    with pytest.raises(InputError, match="is no job folder"):
        remove_job_folder(tmp_path / "precious")
    assert (tmp_path / "precious").is_dir()


def test_a_state_is_the_sum_of_its_events() -> None:
    state = JobState()
    assert (state.stage_line, state.count_line, state.eta_line, state.fraction) == ("Starting", "", "", None)
    state.see(StageEvent("detect", 2, 9))
    state.see(ProgressEvent("detect", 30, 120, eta_s=65.0))
    state.see(WarningEvent("focal_guessed", "The lens is not known"))
    assert state.stage_line == "2/9 Detecting people"
    assert state.count_line == "30 of 120 frames"
    assert state.eta_line == "1:05 min left"
    state.see(ProgressEvent("detect", 90, 120, eta_s=16.9))
    assert state.eta_line == "17 s left"
    state.see(ProgressEvent("detect", 30, 120, eta_s=0.2))
    assert state.eta_line == "1 s left"
    assert state.fraction == pytest.approx(0.25)
    assert state.warnings == ["The lens is not known"]
    state.see(StageEvent("track", 3, 9))
    assert state.fraction is None
    state.see(ErrorEvent("cancelled", "stopped"))
    assert state.error is not None
    assert state.error.code == "cancelled"
