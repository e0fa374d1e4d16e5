# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way from a video to motions, in this process."""

import dataclasses
import json
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import synthetic
from tests.clips import write_clip
from tests.worker.fake_worker import IMAGE_SIZE, NUM_FRAMES, FakeDetector
from tests.worker.lifters import save_random_lifter
from vp3d_core import bvh, motion_file
from vp3d_core.camera import Camera, focal_px_from_fov, focal_px_from_mm, intrinsics_from_focal
from vp3d_core.capture import detection_stage
from vp3d_core.capture.outputs import OUTPUT_STAGES, describe_motions, write_outputs
from vp3d_core.capture.people_stages import joint_confidence, lift_people, prominence
from vp3d_core.capture.progress import Progress
from vp3d_core.detect.detector import no_detections
from vp3d_core.errors import InputError, KeypointFileError, NoPersonFound, VideoReadError, WeightsMissing
from vp3d_core.keypoints import Detections2D, Frame
from vp3d_core.lift.lifter import Lifter
from vp3d_core.motion import Motion
from vp3d_core.pipeline import CAPTURE_STAGES, _load_lifter, capture, capture_people
from vp3d_core.pose import Pose3D
from vp3d_core.protocol import Event, ProgressEvent, StageEvent, WarningEvent
from vp3d_core.settings import CaptureSettings
from vp3d_core.video import read_frames

pytestmark = pytest.mark.worker


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = [
        np.full((IMAGE_SIZE[1], IMAGE_SIZE[0], 3), 90 + index, np.uint8) for index in range(NUM_FRAMES)
    ]
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", pictures, rate_hz=30)


@pytest.fixture(scope="module")
def lifter(tmp_path_factory: pytest.TempPathFactory) -> Lifter:
    return Lifter.load(
        save_random_lifter(tmp_path_factory.mktemp("weights") / "random.safetensors"), device="cpu"
    )


@pytest.fixture(scope="module")
def walked(clip: Path, lifter: Lifter) -> Motion:
    (motion,) = capture(clip, detector=FakeDetector(), lifter=lifter)
    return motion


def run(clip: Path, lifter: Lifter, **choices: object) -> Motion:
    (motion,) = capture(clip, CaptureSettings(**choices), detector=FakeDetector(), lifter=lifter)  # type: ignore[arg-type]
    return motion


def test_a_motion_is_whole_and_says_where_it_comes_from(walked: Motion, lifter: Lifter) -> None:
    assert (len(walked.root_positions), walked.frame_rate_hz) == (NUM_FRAMES, pytest.approx(30.0))
    assert np.isfinite(walked.joints_world()).all()
    assert walked.image_size == IMAGE_SIZE
    assert walked.meta["models"] == {"detector": "fake-1", "lifter": lifter.model_id}
    assert (walked.meta["track_id"], walked.meta["height_m"], walked.meta["camera_from"]) == (
        1,
        1.7,
        "guessed",
    )
    assert CaptureSettings.from_json(walked.meta["settings"]) == CaptureSettings()  # type: ignore[arg-type]
    assert walked.camera is not None
    assert walked.camera.intrinsics[0, 0] == pytest.approx(focal_px_from_mm(30.0, image_size=IMAGE_SIZE))


def test_the_same_capture_gives_the_same_motion(clip: Path, lifter: Lifter, walked: Motion) -> None:
    again = run(clip, lifter)
    np.testing.assert_array_equal(again.rotations, walked.rotations)
    np.testing.assert_array_equal(again.root_positions, walked.root_positions)


@pytest.mark.parametrize("fps", [24.0, 60.0])
def test_another_rate_keeps_the_duration(clip: Path, lifter: Lifter, walked: Motion, fps: float) -> None:
    motion = run(clip, lifter, fps=fps)
    assert motion.frame_rate_hz == fps
    assert motion.times_s[-1] == pytest.approx(walked.times_s[-1], abs=1.0 / fps)


def test_slow_frames_are_those_of_a_faster_motion(clip: Path, lifter: Lifter) -> None:
    """Feet that have stepped between two frames are not locked to where they stood."""
    slow, fast = run(clip, lifter, fps=1), run(clip, lifter, fps=10)
    assert (slow.frame_rate_hz, len(slow.root_positions)) == (1.0, 2)
    np.testing.assert_allclose(slow.joints_world(), fast.joints_world()[[0, 10]], atol=1e-5)


def test_a_part_of_the_video_keeps_its_times(clip: Path, lifter: Lifter) -> None:
    motion = run(clip, lifter, start_s=0.5, end_s=1.5)
    assert motion.start_time_s == pytest.approx(0.5)
    assert len(motion.root_positions) == 30


def test_height_scales_the_body_and_its_uncertainty(lifter: Lifter) -> None:
    progress = Progress(None, CAPTURE_STAGES)
    progress.stage("lift")
    motion = synthetic.walking_motion(3, image_size=IMAGE_SIZE)
    people = [(1, synthetic.seen_keypoints(motion, 3))]
    assert motion.camera is not None
    usual, tall = (
        lift_people(lifter, people, motion.camera, height_m=height_m, progress=progress)[0]
        for height_m in (1.70, 2.04)
    )
    np.testing.assert_allclose(tall.joints, 1.2 * usual.joints, rtol=1e-5)
    np.testing.assert_allclose(tall.sigma, 1.2 * usual.sigma, rtol=1e-5)


@pytest.mark.parametrize(
    ("choice", "focal_px"),
    [
        ({"focal_px": 400.0}, 400.0),
        ({"focal_mm": 28.0}, focal_px_from_mm(28.0, image_size=IMAGE_SIZE)),
        ({"fov_deg": 60.0}, focal_px_from_fov(60.0, width=IMAGE_SIZE[0])),
    ],
)
def test_a_known_focal_length_is_used_without_a_warning(
    clip: Path, lifter: Lifter, choice: dict[str, float], focal_px: float
) -> None:
    events: list[Event] = []
    settings = CaptureSettings(**choice)  # type: ignore[arg-type]
    (motion,) = capture(clip, settings, events.append, detector=FakeDetector(), lifter=lifter)
    assert motion.camera is not None
    assert motion.camera.intrinsics[0, 0] == pytest.approx(focal_px)
    assert motion.meta["camera_from"] == next(iter(choice))
    assert not any(isinstance(event, WarningEvent) for event in events)


def test_a_known_camera_is_used(clip: Path, lifter: Lifter) -> None:
    camera = Camera(intrinsics_from_focal(500.0, image_size=IMAGE_SIZE), np.array([0.1, 0.0, 0.0, 0.0, 0.0]))
    (motion,) = capture(clip, camera=camera, detector=FakeDetector(), lifter=lifter)
    assert motion.camera is not None
    assert motion.camera.distortion is not None
    np.testing.assert_array_equal(motion.camera.intrinsics, camera.intrinsics)


def test_events_come_in_order_and_progress_ends_at_the_total(clip: Path, lifter: Lifter) -> None:
    events: list[Event] = []
    capture(clip, on_event=events.append, detector=FakeDetector(), lifter=lifter)
    assert [event.name for event in events if isinstance(event, StageEvent)] == list(CAPTURE_STAGES)
    last = {event.stage: event for event in events if isinstance(event, ProgressEvent)}
    assert {stage: (event.done, event.total) for stage, event in last.items()} == {
        "detect": (NUM_FRAMES, NUM_FRAMES), "lift": (1, 1), "place": (1, 1), "fit": (1, 1),
    }  # fmt: skip


def test_frames_are_not_kept(clip: Path, lifter: Lifter) -> None:
    """Only the batch in hand may be alive, however long the video is."""
    import gc

    most = 0

    class Counting(FakeDetector):
        def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
            nonlocal most
            gc.collect()
            most = max(most, sum(type(thing) is Frame for thing in gc.get_objects()))
            return super().detect(frames)

    capture(clip, detector=Counting(), lifter=lifter)
    assert most <= 2 * FakeDetector.batch_size


@pytest.mark.parametrize(("ahead_bytes", "ahead"), [(1e9, 20), (1.0, 8)])
def test_the_next_batch_is_decoded_meanwhile_if_it_is_not_too_large(
    clip: Path, lifter: Lifter, monkeypatch: pytest.MonkeyPatch, ahead_bytes: float, ahead: int
) -> None:
    decoded, waiting = 0, []

    def counted(*args: Any, **choices: Any) -> Generator[Frame, None, None]:
        nonlocal decoded
        for frame in read_frames(*args, **choices):
            decoded += 1
            yield frame

    class Slow(FakeDetector):
        batch_size = 20

        def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
            if not waiting:
                until = time.monotonic() + 5.0
                while decoded < 20 + ahead and time.monotonic() < until:
                    time.sleep(0.01)
                time.sleep(0.2)  # for more than are asked for
                waiting.append(decoded - 20)
            return super().detect(frames)

    monkeypatch.setattr(detection_stage, "read_frames", counted)
    monkeypatch.setattr(detection_stage, "AHEAD_BYTES", ahead_bytes)
    capture(clip, detector=Slow(), lifter=lifter)
    assert waiting == [ahead]


def test_what_the_listener_raises_stops_the_capture_and_it_resumes(
    clip: Path, lifter: Lifter, tmp_path: Path
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, StageEvent) and event.name == "lift":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        capture(clip, on_event=stop, job_dir=tmp_path, detector=FakeDetector(), lifter=lifter)
    again = FakeDetector(crash_at=0)
    assert len(capture(clip, job_dir=tmp_path, detector=again, lifter=lifter)) == 1


def test_another_detector_or_part_detects_again(clip: Path, lifter: Lifter, tmp_path: Path) -> None:
    class Counting(FakeDetector):
        frames = 0

        def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
            self.frames += len(frames)
            return super().detect(frames)

    detector = Counting()
    for expected, choices in ((60, {}), (60, {"smooth": False}), (60, {"fps": 50.0}), (90, {"end_s": 1.0})):
        capture(clip, CaptureSettings(**choices), job_dir=tmp_path, detector=detector, lifter=lifter)  # type: ignore[arg-type]
        assert detector.frames == expected
    detector.model_id = "fake-2"
    capture(clip, job_dir=tmp_path, detector=detector, lifter=lifter)
    assert detector.frames == 150


def test_a_detector_sees_some_frames_again_before_it_goes_on(
    clip: Path, lifter: Lifter, tmp_path: Path
) -> None:
    seen: list[int] = []

    class Recording(FakeDetector):
        def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
            seen.extend(frame.index for frame in frames)
            if 47 in seen and len(seen) <= NUM_FRAMES:
                raise KeyboardInterrupt
            return super().detect(frames)

    with pytest.raises(KeyboardInterrupt):
        capture(clip, job_dir=tmp_path, detector=Recording(), lifter=lifter)
    seen.clear()
    seen.extend([-1] * NUM_FRAMES)
    (motion,) = capture(clip, job_dir=tmp_path, detector=Recording(), lifter=lifter)
    assert seen[NUM_FRAMES:] == list(range(8, NUM_FRAMES)), "four whole batches before frame 40"
    assert len(motion.root_positions) == NUM_FRAMES


def test_a_detector_with_a_state_goes_on_as_if_it_had_not_been_interrupted(
    clip: Path, lifter: Lifter, tmp_path: Path
) -> None:
    class Counting(FakeDetector):
        """Its scores depend on how many frames it has seen."""

        def __init__(self, stop_at: int | None = None) -> None:
            super().__init__()
            self.count, self.stop_at = 0, stop_at
            self.seen: list[int] = []

        def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
            self.seen += [frame.index for frame in frames]
            found = super().detect(frames)
            if self.stop_at in self.seen:
                raise KeyboardInterrupt
            scores = [one.keypoint_scores * (0.9 + 0.001 * (self.count + i)) for i, one in enumerate(found)]
            self.count += len(frames)
            return [
                dataclasses.replace(one, keypoint_scores=score)
                for one, score in zip(found, scores, strict=True)
            ]

        def state(self) -> dict[str, np.ndarray]:
            return {"count": np.array([float(self.count)])}

        def restore(self, state: dict[str, np.ndarray], last: Frame) -> None:
            self.count = int(state["count"][0])
            self.seen.append(last.index)

    (whole,) = capture(clip, detector=Counting(), lifter=lifter)
    with pytest.raises(KeyboardInterrupt):
        capture(clip, job_dir=tmp_path, detector=Counting(stop_at=47), lifter=lifter)
    resumed = Counting()
    (motion,) = capture(clip, job_dir=tmp_path, detector=resumed, lifter=lifter)
    assert resumed.seen == list(range(39, NUM_FRAMES)), "the last detected frame, and what was left"
    np.testing.assert_array_equal(motion.confidence, whole.confidence)
    np.testing.assert_array_equal(motion.rotations, whole.rotations)


@pytest.mark.parametrize(
    ("choices", "error"),
    [
        ({"detector": "nothing.json"}, KeypointFileError),
        ({"lifter": "nothing.safetensors"}, WeightsMissing),
        ({"start_s": 100.0}, InputError),
        ({"person": ("42",)}, InputError),
    ],
)
def test_what_is_not_there_is_named(
    clip: Path, lifter: Lifter, choices: dict[str, object], error: type[Exception]
) -> None:
    settings = CaptureSettings(**choices)  # type: ignore[arg-type]
    detector = None if "detector" in choices else FakeDetector()
    with pytest.raises(error) as caught:
        capture(clip, settings, detector=detector, lifter=None if "lifter" in choices else lifter)
    assert getattr(caught.value, "hint", "")


def test_nobody_is_an_error(clip: Path, lifter: Lifter) -> None:
    with pytest.raises(NoPersonFound):
        capture(clip, detector=FakeDetector(nobody=True), lifter=lifter)


def test_what_was_wrong_with_the_video_is_also_told_when_detections_are_kept(
    lifter: Lifter, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (NUM_FRAMES, 45, 80, 3), dtype=np.uint8)
    pictures = [np.repeat(np.repeat(picture, 4, axis=0), 4, axis=1) for picture in noise]
    clip = write_clip(tmp_path / "cut.mkv", pictures, codec="mpeg4", rate_hz=30)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    told: list[list[str]] = []
    for _ in range(2):
        progress = Progress(None, CAPTURE_STAGES + OUTPUT_STAGES)
        found = capture_people(
            clip, CaptureSettings(fov_deg=60.0), progress,
            job_dir=tmp_path / "job", detector=FakeDetector(), lifter=lifter,
        )  # fmt: skip
        write_outputs(found, clip, CaptureSettings(), tmp_path, progress)
        told.append(progress.warnings)
        assert "but its header promises" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert sum("header promises" in text for text in told[0]) == 1
    assert told[1] == told[0]


def test_the_lifter_keeps_to_the_threads_that_are_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    numbers: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", numbers.append)
    weights = str(save_random_lifter(tmp_path / "random.safetensors"))
    for threads in (0, 3):
        _load_lifter(CaptureSettings(lifter=weights, device="cpu", threads=threads))
    assert numbers == [3]


@pytest.fixture(scope="module")
def coco_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The walker's keypoints as COCO results."""
    seen = synthetic.seen_keypoints(
        synthetic.walking_motion(3, num_frames=NUM_FRAMES, image_size=IMAGE_SIZE), 3, noise_px=0.3
    )
    points = np.concatenate([np.nan_to_num(seen.xy), seen.scores[..., None]], axis=-1)[:, :17]
    entries = [{"image_id": t, "keypoints": frame.ravel().tolist()} for t, frame in enumerate(points)]
    path = tmp_path_factory.mktemp("keypoints") / "coco.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def test_keypoints_of_a_file_take_the_place_of_a_detector(
    clip: Path, lifter: Lifter, coco_file: Path
) -> None:
    (whole,) = capture(clip, CaptureSettings(detector=str(coco_file)), lifter=lifter)
    assert str(whole.meta["models"]).count("file:coco.json") == 1
    assert len(whole.root_positions) == NUM_FRAMES
    start_s = round(13 / 30, 6)  # of a frame, as somebody would type it
    settings = CaptureSettings(detector=str(coco_file), start_s=start_s, end_s=1.5)
    (part,) = capture(clip, settings, lifter=lifter)
    assert (part.start_time_s, len(part.root_positions)) == (pytest.approx(13 / 30), 45 - 13)


def test_keypoints_of_a_file_outside_the_video(clip: Path, lifter: Lifter, coco_file: Path) -> None:
    with pytest.raises(VideoReadError, match=r"no picture between 9 s and its end; .* at 1\.97 s"):
        capture(clip, CaptureSettings(detector=str(coco_file), start_s=9.0), lifter=lifter)


def test_two_people_are_ordered_by_prominence(clip: Path, lifter: Lifter, tmp_path: Path) -> None:
    class Two(FakeDetector):
        """Sees a smaller twin, too, for the second half."""

        def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
            return [
                self._twins(one, frame) for one, frame in zip(super().detect(frames), frames, strict=True)
            ]

        @staticmethod
        def _twins(one: Detections2D, frame: Frame) -> Detections2D:
            if frame.index < NUM_FRAMES // 2:
                return one
            shrink: Callable[[np.ndarray], np.ndarray] = lambda xy: xy * 0.5  # noqa: E731
            both = {
                "boxes_xyxy": np.concatenate([shrink(one.boxes_xyxy), one.boxes_xyxy]),
                "keypoints_xy": np.concatenate([shrink(one.keypoints_xy), one.keypoints_xy]),
            }
            twice = {name: np.concatenate([getattr(one, name)] * 2) for name in ("scores", "keypoint_scores")}
            return dataclasses.replace(one, **both, **twice)

    progress = Progress(None, CAPTURE_STAGES + OUTPUT_STAGES)
    found = capture_people(clip, CaptureSettings(), progress, detector=Two(), lifter=lifter)
    assert [person.track_id for person in found.people] == [1, 2]
    assert [len(person.motion.root_positions) for person in found.people] == [NUM_FRAMES, NUM_FRAMES // 2]
    assert prominence(found.people[0].keypoints) > prominence(found.people[1].keypoints)
    names = [path.name for path in write_outputs(found, clip, CaptureSettings(), tmp_path, progress)]
    assert names == [
        "motion-1.bvh",
        "motion-1.npz",
        "motion-2.bvh",
        "motion-2.npz",
        "overlay.mp4",
        "report.html",
    ]
    assert [line.split(":")[0] for line in describe_motions(tmp_path)] == [
        "Person 1 (track 1)",
        "Person 2 (track 2)",
    ]


def test_a_chosen_track_that_is_too_short_is_named(clip: Path, lifter: Lifter) -> None:
    class Glimpse(FakeDetector):
        """Sees the walker for a third of a second."""

        def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
            return [
                one if frame.index < 10 else no_detections(self.skeleton)
                for one, frame in zip(super().detect(frames), frames, strict=True)
            ]

    settings = CaptureSettings(person=("1",), end_s=0.6)
    with pytest.raises(NoPersonFound, match="Track 1 was not seen for long enough, .* the tracks are 1"):
        capture(clip, settings, detector=Glimpse(), lifter=lifter)
    with pytest.raises(NoPersonFound, match="Nobody was seen for long enough"):
        capture(clip, CaptureSettings(end_s=0.6), detector=Glimpse(), lifter=lifter)


def test_a_chosen_part_that_is_too_short_is_named(clip: Path, lifter: Lifter) -> None:
    found = r"the frames from 0\.50 to 0\.87 s, is shorter than the 0\.4 s"
    with pytest.raises(NoPersonFound, match=found):
        run(clip, lifter, start_s=0.5, end_s=0.9)


def test_a_motion_beside_its_keypoints_is_warned_of(clip: Path, lifter: Lifter, tmp_path: Path) -> None:
    progress = Progress(None, CAPTURE_STAGES + OUTPUT_STAGES)
    found = capture_people(clip, CaptureSettings(), progress, detector=FakeDetector(), lifter=lifter)
    (person,) = found.people
    beside = dataclasses.replace(person.keypoints, xy=person.keypoints.xy + 40.0)
    found = dataclasses.replace(found, people=[dataclasses.replace(person, keypoints=beside)])
    write_outputs(found, clip, CaptureSettings(), tmp_path, progress)
    assert any("Person 1 (track 1) lies" in text for text in progress.warnings)
    assert "Person 1 (track 1) lies" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_confidence_is_zero_where_nobody_is_seen() -> None:
    seen = synthetic.seen_keypoints(synthetic.walking_motion(1), 1)
    xy, scores = seen.xy.copy(), seen.scores.copy()
    xy[10:20], scores[10:20] = np.nan, 0.0
    frames = len(seen.times_s)
    pose = Pose3D(
        np.zeros((frames, 25, 3)), seen.times_s, np.full((frames, 25), 0.05), np.zeros((frames, 4)),
        np.tile([0.0, -1.0, 0.0], (frames, 1)),
    )  # fmt: skip
    confidence = joint_confidence(pose, dataclasses.replace(seen, xy=xy, scores=scores))
    assert (confidence[10:20] == 0).all()
    assert (confidence[:10] > 0.5).all()
    assert (confidence <= 1).all()


def test_the_real_detector_and_lifter_make_all_files(tmp_path: Path) -> None:
    """MediaPipe on a photograph of Grace Hopper (public domain, in matplotlib) that slides by."""
    cv2 = pytest.importorskip("cv2")
    pytest.importorskip("mediapipe")
    from matplotlib import cbook

    photograph = cv2.imread(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))[:, :, ::-1]
    portrait = cv2.resize(photograph, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    pictures = []
    for index in range(32):
        picture = np.full((480, 640, 3), 170, np.uint8)
        left = 60 + 4 * index
        picture[480 - portrait.shape[0] :, left : left + portrait.shape[1]] = portrait
        pictures.append(picture)
    clip = write_clip(tmp_path / "hopper.mp4", pictures, rate_hz=30)
    lifter = Lifter.load(save_random_lifter(tmp_path / "random.safetensors"), device="cpu")
    settings = CaptureSettings(detector="mediapipe", device="cpu", threads=1, fov_deg=60.0)
    progress = Progress(None, CAPTURE_STAGES + OUTPUT_STAGES)
    found = capture_people(clip, settings, progress, job_dir=tmp_path / "job", lifter=lifter)
    out = tmp_path / "out"
    out.mkdir()
    names = [path.name for path in write_outputs(found, clip, settings, out, progress)]
    assert names == ["motion.bvh", "motion.npz", "overlay.mp4", "report.html"]
    motion = motion_file.load(out / "motion.npz")
    assert len(motion.root_positions) == 32
    assert str(motion.meta["models"]).count("mediapipe") == 1
    assert len(bvh.load(out / "motion.bvh").root_positions) == 32
    moved_px = np.diff(np.nanmean(found.people[0].keypoints.xy[:, :1, 0], axis=1)).mean()
    assert moved_px == pytest.approx(4.0, abs=0.5)
