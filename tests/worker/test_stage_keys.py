# SPDX-License-Identifier: GPL-3.0-or-later
"""What was kept of an earlier capture is used again only where nothing that it was made from has changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.clips import write_clip
from tests.worker.fake_worker import IMAGE_SIZE, NUM_FRAMES, FakeDetector
from tests.worker.lifters import save_random_lifter
from vp3d_core import pipeline
from vp3d_core.camera import Camera, intrinsics_from_focal
from vp3d_core.errors import InputError
from vp3d_core.lift.lifter import Lifter
from vp3d_core.motion import Motion
from vp3d_core.pose import Pose3D
from vp3d_core.settings import CaptureSettings

pytestmark = pytest.mark.worker


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = [np.full((IMAGE_SIZE[1], IMAGE_SIZE[0], 3), 90, np.uint8)] * NUM_FRAMES
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", pictures, rate_hz=30)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_lifter(tmp_path_factory.mktemp("weights") / "random.safetensors")


class Captures:
    """Captures of one clip, with and without what an earlier one with the defaults has left."""

    def __init__(self, clip: Path, weights: Path, job_dir: Path) -> None:
        self._clip, self._weights, self._job_dir = clip, weights, job_dir
        self.usual = self.again()

    def fresh(self, *, mirror: bool = False, camera: Camera | None = None, **choices: object) -> Motion:
        return self._capture(None, mirror, camera, **choices)

    def again(self, *, mirror: bool = False, camera: Camera | None = None, **choices: object) -> Motion:
        return self._capture(self._job_dir, mirror, camera, **choices)

    def _capture(
        self, job_dir: Path | None, mirror: bool, camera: Camera | None, **choices: object
    ) -> Motion:
        lifter = Lifter.load(self._weights, device="cpu", mirror=mirror)
        settings = CaptureSettings(**choices)  # type: ignore[arg-type]
        (motion,) = pipeline.capture(
            self._clip, settings, detector=FakeDetector(), lifter=lifter, job_dir=job_dir, camera=camera
        )
        return motion


@pytest.fixture(scope="module")
def captures(clip: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Captures:
    return Captures(clip, weights, tmp_path_factory.mktemp("job"))


def joints_differ(first: Motion, second: Motion) -> bool:
    return float(np.abs(first.joints_world() - second.joints_world()).max()) > 1e-3


@pytest.mark.parametrize(
    "change",
    [
        {"smooth": False},
        {"height_m": 1.9},
        {"fov_deg": 35.0},
        {"mirror": True},
        {"camera": Camera(intrinsics_from_focal(900.0, image_size=IMAGE_SIZE))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_choice_gives_what_a_fresh_capture_gives(
    captures: Captures, change: dict[str, object]
) -> None:
    fresh, again = captures.fresh(**change), captures.again(**change)  # type: ignore[arg-type]
    assert joints_differ(fresh, captures.usual)
    np.testing.assert_array_equal(again.joints_world(), fresh.joints_world())


def test_another_person_is_looked_for(captures: Captures) -> None:
    with pytest.raises(InputError):
        captures.again(person=("7",))


def test_a_changed_program_works_anew(captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[str] = []
    real = pipeline.follow_people

    def watched(*values: object, **choices: object) -> object:
        followed.append("")
        return real(*values, **choices)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "follow_people", watched)
    captures.again()
    assert not followed
    monkeypatch.setattr(pipeline, "code_key", lambda: "another")
    captures.again()
    assert followed


def test_poses_are_not_taken_from_another_device(captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
    lifted_on: list[str] = []
    real, load = pipeline.lift_people, Lifter.load

    def watched(lifter: Lifter, *values: object, **choices: object) -> list[Pose3D]:
        lifted_on.append(lifter.device.type)
        lifter.device = torch.device("cpu")
        return real(lifter, *values, **choices)  # type: ignore[arg-type]

    def elsewhere(*values: object, **choices: object) -> Lifter:
        lifter = load(*values, **choices)  # type: ignore[arg-type]
        lifter.device = torch.device("meta")
        return lifter

    monkeypatch.setattr(pipeline, "lift_people", watched)
    captures.again()
    assert not lifted_on
    monkeypatch.setattr(Lifter, "load", elsewhere)
    captures.again()
    assert lifted_on == ["meta"]
