# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch goes on after a bad clip, does nothing twice, and can be stopped. The captures are stand-ins."""

from __future__ import annotations

import dataclasses
import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vp3d_core import motion_file
from vp3d_core.batch import BatchConsole, ClipState, JsonLines, RunPolicy, run_batch, write_summary
from vp3d_core.batch.batch_file import BatchPlan
from vp3d_core.batch.claims import CLAIM_NAME, Claim, claim_clip
from vp3d_core.batch.clips import Clip
from vp3d_core.batch.records import RECORD_NAME
from vp3d_core.batch.summary import BatchSummary
from vp3d_core.errors import InputError, VideoReadError, WorkerNotInstalled
from vp3d_core.motion import Motion
from vp3d_core.protocol import Event, HelloEvent, ProgressEvent, ResultEvent, StageEvent, WarningEvent
from vp3d_core.settings import CaptureSettings


class StandInCapture:
    """Leaves a motion for a clip, unless its video says "bad"; remembers what it was asked for."""

    def __init__(self, motion: Motion) -> None:
        self.motion = motion
        self.done: list[str] = []
        self.before: Callable[[Clip], None] = lambda clip: None

    def __call__(self, clip: Clip, folder: Path, on_event: Callable[[Event], None]) -> None:
        self.before(clip)
        on_event(HelloEvent(1, "0", "cpu"))
        on_event(StageEvent("detect", 1, 1))
        on_event(ProgressEvent("detect", 60, 60))
        if b"bad" in clip.video.read_bytes():
            raise VideoReadError(f"{clip.video.name} is no video", hint="Give a video.")
        on_event(WarningEvent("blur", "It is blurred"))
        motion_file.save(folder / "motion.npz", self.motion)
        on_event(ResultEvent(str(folder)))
        self.done.append(clip.name)


class StandInScenes:
    """Leaves a file for a clip, unless its name is in ``bad``."""

    def __init__(self, key: str = "one") -> None:
        self.key = key
        self.bad: set[str] = set()
        self.done: list[str] = []

    def make(
        self, clip: Clip, folder: Path, motions: list[Path], progress: Callable[[str], None]
    ) -> list[Path]:
        assert [path.name for path in motions] == ["motion.npz"]
        if clip.name in self.bad:
            raise InputError("The rig has no bones", hint="Give another rig.")
        path = folder / f"{clip.stem}-{self.key}.blend"
        progress(f"Writing {path.name}")
        path.write_text(self.key, encoding="utf-8")
        self.done.append(clip.name)
        return [path]


@pytest.fixture
def capture(walking_motion: Motion) -> StandInCapture:
    return StandInCapture(walking_motion)


@pytest.fixture
def plan(tmp_path: Path) -> BatchPlan:
    """Three clips, the second one bad."""
    for name, content in (("a", "good a"), ("b", "bad b"), ("c", "good c")):
        (tmp_path / f"{name}.mp4").write_text(content, encoding="utf-8")
    clips = tuple(Clip(name, tmp_path / f"{name}.mp4") for name in "abc")
    return BatchPlan(clips, tmp_path / "out")


def run(
    plan: BatchPlan,
    capture: StandInCapture,
    scenes: StandInScenes | None = None,
    *,
    policy: RunPolicy | None = None,
    stream: io.StringIO | None = None,
) -> BatchSummary:
    """Run a batch, quietly."""
    view = BatchConsole(stream or io.StringIO())
    return run_batch(plan, capture=capture, scenes=scenes, view=view, policy=policy)


def states(summary: BatchSummary) -> list[str]:
    """How the clips stand."""
    return [clip.state.value for clip in summary.clips]


def test_a_batch_goes_on_after_a_bad_clip_and_says_so(plan: BatchPlan, capture: StandInCapture) -> None:
    stream = io.StringIO()
    view = BatchConsole(stream)
    view.begin_batch(plan)
    summary = run_batch(plan, capture=capture, scenes=StandInScenes(), view=view)
    view.end_batch(summary, write_summary(summary, plan.out_dir))
    assert states(summary) == ["done", "failed", "done"]
    assert summary.exit_code == 1
    assert (plan.out_dir / "c" / "c-one.blend").exists()
    text = stream.getvalue()
    assert "Clip 2 of 3: b" in text
    assert "FAILED: b: b.mp4 is no video\nGive a video." in text
    assert "3 clips: 2 done, 1 failed" in text
    written = json.loads((plan.out_dir / "summary.json").read_text(encoding="utf-8"))
    assert written["exit_code"] == 1
    assert [clip["files"] for clip in written["clips"]] == [["a-one.blend"], [], ["c-one.blend"]]
    assert written["clips"][0]["warnings"] == ["It is blurred"]
    assert written["clips"][1]["code"] == "video_read"


def test_a_second_run_does_nothing_twice_and_tries_the_bad_clip_again(
    plan: BatchPlan, capture: StandInCapture
) -> None:
    scenes = StandInScenes()
    run(plan, capture, scenes)
    stamps = {path: path.stat().st_mtime_ns for path in plan.out_dir.glob("[ac]/*")}
    assert states(run(plan, capture, scenes)) == ["kept", "failed", "kept"]
    assert capture.done == scenes.done == ["a", "c"]
    assert {path: path.stat().st_mtime_ns for path in plan.out_dir.glob("[ac]/*")} == stamps
    plan.clips[1].video.write_text("good now", encoding="utf-8")
    summary = run(plan, capture, scenes)
    assert states(summary) == ["kept", "done", "kept"]
    assert summary.exit_code == 0


def test_failed_clips_can_be_left_alone(plan: BatchPlan, capture: StandInCapture) -> None:
    run(plan, capture)
    plan.clips[1].video.write_text("good now", encoding="utf-8")
    assert states(run(plan, capture, policy=RunPolicy(skip_failed=True))) == ["kept", "failed", "kept"]


def test_what_changed_is_done_again_and_nothing_else(plan: BatchPlan, capture: StandInCapture) -> None:
    plan = dataclasses.replace(plan, clips=(plan.clips[0], plan.clips[2]))
    run(plan, capture, StandInScenes("one"))
    assert states(run(plan, capture, StandInScenes("two"))) == ["done", "done"]
    assert capture.done == ["a", "c"]  # only the scenes were new
    assert not (plan.out_dir / "a" / "a-one.blend").exists()
    plan.clips[0].video.write_text("good, another", encoding="utf-8")
    assert states(run(plan, capture, StandInScenes("two"))) == ["done", "kept"]
    (plan.out_dir / "c" / "c-two.blend").unlink()
    assert states(run(plan, capture, StandInScenes("two"))) == ["kept", "done"]
    assert capture.done == ["a", "c", "a"]
    taller = dataclasses.replace(plan.clips[0], settings=CaptureSettings(height_m=1.9))
    elsewhere = dataclasses.replace(plan.clips[1], settings=CaptureSettings(threads=1))
    plan = dataclasses.replace(plan, clips=(taller, elsewhere))
    assert states(run(plan, capture, StandInScenes("two"))) == ["done", "kept"]


def test_a_copied_or_touched_video_is_recognised_by_its_content(
    plan: BatchPlan, capture: StandInCapture
) -> None:
    plan = dataclasses.replace(plan, clips=plan.clips[:1])
    run(plan, capture)
    plan.clips[0].video.write_text("good a", encoding="utf-8")
    run(plan, capture)
    assert capture.done == ["a"]


def test_overwriting_does_all_again(plan: BatchPlan, capture: StandInCapture) -> None:
    plan = dataclasses.replace(plan, clips=plan.clips[:1])
    run(plan, capture)
    assert states(run(plan, capture, policy=RunPolicy(overwrite=True))) == ["done"]
    assert capture.done == ["a", "a"]


def test_a_scene_that_fails_keeps_the_capture(plan: BatchPlan, capture: StandInCapture) -> None:
    scenes = StandInScenes()
    scenes.bad = {"a"}
    assert states(run(plan, capture, scenes)) == ["failed", "failed", "done"]
    scenes.bad = set()
    assert states(run(plan, capture, scenes)) == ["done", "failed", "kept"]
    assert capture.done == ["a", "c"]


def test_stopping_keeps_what_is_done_and_releases_the_clip(plan: BatchPlan, capture: StandInCapture) -> None:
    def stop_at_c(clip: Clip) -> None:
        if clip.name == "c":
            raise KeyboardInterrupt

    capture.before = stop_at_c
    summary = run(plan, capture)
    assert states(summary) == ["done", "failed", "pending"]
    assert summary.exit_code == 130
    assert not list(plan.out_dir.rglob(CLAIM_NAME))
    capture.before = lambda clip: None
    assert states(run(plan, capture)) == ["kept", "failed", "done"]


def test_an_installation_that_is_broken_stops_the_batch(plan: BatchPlan, capture: StandInCapture) -> None:
    def fail(clip: Clip) -> None:
        raise WorkerNotInstalled("There is no worker", hint="Install it.")

    capture.before = fail
    summary = run(plan, capture)
    assert states(summary) == ["pending"] * 3
    assert summary.exit_code == 1
    assert summary.fatal is not None
    assert not list(plan.out_dir.rglob(RECORD_NAME))


def test_a_clip_that_another_process_works_on_is_left_to_it(plan: BatchPlan, capture: StandInCapture) -> None:
    (plan.out_dir / "a").mkdir(parents=True)
    other = claim_clip(plan.out_dir / "a")
    assert isinstance(other, Claim)
    summary = run(plan, capture)
    assert states(summary) == ["elsewhere", "failed", "done"]
    assert summary.exit_code == 1
    other.release()


def test_waiting_sees_what_other_processes_finish(plan: BatchPlan, capture: StandInCapture) -> None:
    """The other process finishes clip a and fails at b while this one does c."""
    (plan.out_dir / "a").mkdir(parents=True)
    other = claim_clip(plan.out_dir / "a")
    assert isinstance(other, Claim)
    elsewhere = StandInCapture(capture.motion)

    def meanwhile(clip: Clip) -> None:
        if clip.name == "c":
            other.release()
            run(dataclasses.replace(plan, clips=plan.clips[:1]), elsewhere)

    capture.before = meanwhile
    summary = run(plan, capture, policy=RunPolicy(wait=True, wait_s=0.01))
    assert states(summary) == ["kept", "failed", "done"]
    assert (elsewhere.done, capture.done) == (["a"], ["c"])


def test_a_failure_of_another_process_is_not_tried_again_by_this_one(
    plan: BatchPlan, capture: StandInCapture
) -> None:
    tried: list[str] = []

    def meanwhile(clip: Clip) -> None:
        tried.append(clip.name)
        if clip.name == "a":
            run(dataclasses.replace(plan, clips=plan.clips[1:2]), StandInCapture(capture.motion))

    capture.before = meanwhile
    assert states(run(plan, capture)) == ["done", "failed", "done"]
    assert tried == ["a", "c"]


def test_a_clip_over_which_programs_die_fails_in_the_end(plan: BatchPlan, capture: StandInCapture) -> None:
    folder = plan.out_dir / "a"
    folder.mkdir(parents=True)
    holder = {"machine": "another", "host": "node7", "pid": 1, "token": "x", "attempt": 3}
    (folder / CLAIM_NAME).write_text(json.dumps(holder), encoding="utf-8")
    time.sleep(0.02)
    summary = run(plan, capture, policy=RunPolicy(expiry_s=0.001))
    assert states(summary) == ["failed", "failed", "done"]
    assert "3 times" in summary.clips[0].text


def test_a_missing_video_and_an_unwritable_place_are_failures(
    plan: BatchPlan, capture: StandInCapture
) -> None:
    plan.clips[0].video.unlink()
    plan.out_dir.mkdir()
    (plan.out_dir / "c").write_text("a file", encoding="utf-8")
    summary = run(plan, capture)
    assert states(summary) == ["failed"] * 3
    assert "cannot be read" in summary.clips[0].text
    assert "a file is in its place" in summary.clips[2].text


def test_json_lines_are_whole_and_end_with_the_summary(plan: BatchPlan, capture: StandInCapture) -> None:
    stream = io.StringIO()
    view = JsonLines(stream)
    view.begin_batch(plan)
    summary = run_batch(plan, capture=capture, scenes=StandInScenes(), view=view)
    view.end_batch(summary, None)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    kinds = [line["event"] for line in lines if line.get("clip") in (None, "a")]
    assert kinds == [
        "batch", "clip", "hello", "stage", "progress", "warning", "result", "step", "clip", "summary",
    ]  # fmt: skip
    assert lines[-1]["counts"] == {"pending": 0, "done": 2, "kept": 0, "failed": 1, "elsewhere": 0}
    ended = [line for line in lines if line["event"] == "clip" and line["state"] != "started"]
    assert [(line["clip"], line["state"]) for line in ended] == [
        ("a", "done"),
        ("b", "failed"),
        ("c", "done"),
    ]
    assert ClipState(ended[0]["state"]) is ClipState.DONE
