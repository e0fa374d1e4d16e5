# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's clips and tables; the clips themselves are rendered by the benchmark only."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks.end_to_end_clips import CLIPS
from benchmarks.end_to_end_results import (
    MEDIAPIPE,
    PLAIN,
    TOLD,
    ClipResult,
    MethodResult,
    markdown_table,
    mean_of,
    save_json,
    summary_table,
    text_table,
)
from vp3d_core.accuracy.pose_errors import PoseErrors
from vp3d_core.accuracy.world_errors import WorldErrors
from vp3d_core.train.splits import is_held_out

pytestmark = pytest.mark.worker

WORLD = WorldErrors(0.5, 0.2, 3.0, 0.03, 0.01, 0.01, 0.002, 0.01, 2.0)


def method(mpjpe_m: float, world: WorldErrors | None) -> MethodResult:
    return MethodResult(90, 0.9, PoseErrors(mpjpe_m, 0.06, 0.3, 1.5, 0.0, 0.01), world)


RESULTS = [
    ClipResult(
        "walk",
        {PLAIN: method(0.08, WORLD), TOLD: method(0.07, WORLD), MEDIAPIPE: method(0.12, None)},
        {"true": [(0.0, 3.0), (0.1, 3.0)]},
    ),
    ClipResult("jump", {PLAIN: method(0.10, WORLD), TOLD: None, MEDIAPIPE: None}, {"true": [(0.0, 3.0)]}),
]


def test_no_clip_shows_a_trial_that_the_lifter_was_trained_on() -> None:
    for clip in CLIPS:
        for person in clip.people:
            assert all(is_held_out(part.file) for part in person.motion), clip.name


def test_the_set_is_as_wide_as_it_says() -> None:
    assert len(CLIPS) >= 12
    assert len({clip.name for clip in CLIPS}) == len(CLIPS)
    assert {clip.frame_rate_hz for clip in CLIPS} == {24, 30, 60}
    for word in ("walk", "run", "turn", "crouch", "dance", "jump", "punch", "front", "side", "back", "far"):
        assert any(word in clip.name for clip in CLIPS), word
    heights_m = [clip.camera.height_m for clip in CLIPS]
    assert min(heights_m) <= 0.6
    assert max(heights_m) >= 2.5
    assert all(clip.people[0].height_m for clip in CLIPS), "the height that is told must be known"


def test_means_are_over_the_clips_that_have_a_value() -> None:
    assert mean_of(RESULTS, PLAIN, lambda one: one.pose.mpjpe_m) == pytest.approx(0.09)
    assert mean_of(RESULTS, TOLD, lambda one: one.pose.mpjpe_m) == pytest.approx(0.07)
    assert math.isnan(mean_of(RESULTS[1:], TOLD, lambda one: one.pose.mpjpe_m))


def test_tables_leave_out_what_a_method_does_not_have() -> None:
    head, _, walk, jump, mean = markdown_table(RESULTS, MEDIAPIPE).splitlines()
    assert "path m" not in head
    assert walk.startswith("| walk | 90 | 120 | 60 |")
    assert "nobody found" in jump
    assert mean.startswith("| mean | 90 | 120 |")
    lines = text_table(RESULTS, PLAIN).splitlines()
    assert "path, aligned m" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["walk", "jump", "mean"]
    assert "| MPJPE mm | 90 | 70 | 120 |" in summary_table(RESULTS)
    assert "| path m | 0.50 | 0.50 | - |" in summary_table(RESULTS)


def test_the_json_holds_everything_and_no_nan(tmp_path: Path) -> None:
    save_json(tmp_path / "results.json", RESULTS, about={"lifter": "x", "nothing": math.nan})
    data = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert data["about"] == {"lifter": "x", "nothing": None}
    assert [one["clip"] for one in data["clips"]] == ["walk", "jump"]
    assert data["clips"][0]["methods"][PLAIN]["world"]["up_deg"] == 2.0
