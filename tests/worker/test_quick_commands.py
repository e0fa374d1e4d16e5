# SPDX-License-Identifier: GPL-3.0-or-later
"""The quick workers behind the panel: the preview, and who is in a video."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.clips import write_clip
from vp3d_core.capture.job_file import CaptureJob
from vp3d_core.errors import NoPersonFound, VideoReadError
from vp3d_core.job import WorkerJob
from vp3d_core.settings import CaptureSettings
from vp3d_core.video import read_frames, read_sparse, sparse

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.mp4"
NUM_FRAMES = 60
RATE_HZ = 30

pytestmark = pytest.mark.worker


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each frame is brighter than the one before."""
    path = tmp_path_factory.mktemp("clip") / "grey é.mp4"
    pictures = [np.full((90, 160, 3), 20 + 3 * t, np.uint8) for t in range(NUM_FRAMES)]
    write_clip(path, pictures, rate_hz=RATE_HZ)
    return path


def run(name: str, video: Path, folder: Path, settings: CaptureSettings | None = None) -> Path:
    CaptureJob(video, folder / "out", settings or CaptureSettings(device="cpu")).save(folder)
    job = WorkerJob(folder, [sys.executable, "-m", "vp3d_core", name, "--job", str(folder)])
    job.start()
    return job.wait(timeout_s=240)


def test_a_preview_tells_what_the_video_is_and_shows_all_of_it(clip: Path, tmp_path: Path) -> None:
    out = run("preview", clip, tmp_path)
    about = json.loads((out / "preview.json").read_text(encoding="utf-8"))
    assert (about["width"], about["height"], about["frame_count"]) == (160, 90, NUM_FRAMES)
    assert about["frame_rate_hz"] == pytest.approx(RATE_HZ)
    assert about["duration_s"] == pytest.approx(NUM_FRAMES / RATE_HZ, abs=0.05)
    times_s = [frame["time_s"] for frame in about["frames"]]
    assert len(times_s) == 20  # every third
    assert times_s == sorted(times_s)
    assert all((out / frame["file"]).is_file() for frame in about["frames"])


def test_a_video_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_text("This is no video.", encoding="utf-8")
    with pytest.raises(VideoReadError, match="is not a video"):
        run("preview", broken, tmp_path / "job")


def test_nobody_in_the_video_says_so(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(NoPersonFound, match="Nobody was seen in 30 frames of grey é.mp4"):
        run("people", clip, tmp_path, CaptureSettings(detector="mediapipe"))


@pytest.mark.video
@pytest.mark.skipif(not DEMO.is_file(), reason="needs examples/demo.mp4")
def test_the_people_of_a_clip_are_found_with_places_to_find_them_again(tmp_path: Path) -> None:
    out = run("people", DEMO, tmp_path, CaptureSettings(detector="mediapipe", device="cpu"))
    people = json.loads((out / "people.json").read_text(encoding="utf-8"))["people"]
    assert len(people) == 1
    (person,) = people
    assert person["confidence"] > 0.5
    assert (out / person["picture"]).is_file()
    places = tuple(f"at:{time_s}:{x}:{y}" for time_s, x, y in person["places"])
    assert len(places) >= 8
    assert CaptureSettings(person=places).person == places


@pytest.mark.parametrize("sequential", [True, False])
def test_sparse_frames_carry_their_own_times(
    clip: Path, monkeypatch: pytest.MonkeyPatch, *, sequential: bool
) -> None:
    monkeypatch.setattr(sparse, "SEQUENTIAL_FRAMES", 1000 if sequential else 10)
    shown = {frame.index: frame for frame in read_frames(clip)}
    found = list(read_sparse(clip, 10))
    assert len(found) == 10
    for frame in found:
        assert frame.time_s == pytest.approx(shown[frame.index].time_s, abs=1e-6)
        np.testing.assert_allclose(frame.rgb, shown[frame.index].rgb, atol=2)
    assert [frame.time_s for frame in found] == sorted({frame.time_s for frame in found})


def test_sparse_frames_of_a_part(clip: Path) -> None:
    times_s = [frame.time_s for frame in read_sparse(clip, 5, start_s=1.0, end_s=1.5)]
    assert len(times_s) == 5
    assert 1.0 - 1e-6 <= times_s[0] <= times_s[-1] < 1.5
