# SPDX-License-Identifier: GPL-3.0-or-later
"""From a video to motions: the stages in their order, with what is kept between them.

The stages themselves are plain functions elsewhere; this file reads the video and the stage store,
and tells about progress. What each stage needs (torch, SciPy, detectors) is imported when it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .arrays import Array
from .camera import Camera
from .capture.camera_choice import camera_from_settings, camera_key
from .capture.detection_stage import DetectedVideo, detect_people
from .capture.frame_rate import frame_rate_hz
from .capture.freed_memory import cycles_collected, give_back_freed_memory, return_large_arrays
from .capture.people_stages import FollowedPerson, fit_people, follow_people, lift_people, place_people
from .capture.progress import Progress
from .capture.stage_store import StageStore, code_key, folder_of_source, make_key, source_sha256
from .capture.stage_values import (
    pack_keypoints,
    pack_poses,
    pack_tracks,
    pack_trajectories,
    unpack_keypoints,
    unpack_poses,
    unpack_tracks,
    unpack_trajectories,
)
from .keypoints import Keypoints2D, Track
from .motion import Motion
from .protocol import Event
from .settings import CaptureSettings
from .video import VideoInfo, probe

if TYPE_CHECKING:
    from .detect.detector import Detector
    from .lift.lifter import Lifter

__all__ = ["CAPTURE_STAGES", "STAGES_FOLDER", "Capture", "Person", "capture", "capture_people"]

CAPTURE_STAGES = ("prepare", "detect", "track", "lift", "place", "fit")
STAGES_FOLDER = "stages"
DEFAULT_HEIGHT_M = 1.70


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One captured person.

    Attributes:
        track_id: The track that was followed.
        keypoints: (T, 28) cleaned slots, px.
        motion: What was made of them.
    """

    track_id: int
    keypoints: Keypoints2D
    motion: Motion


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """All that came out of one video.

    Attributes:
        info: What the container says of the video.
        times_s: (T,) times of the frames that were looked at, s.
        tracks: Everybody who was followed, chosen or not.
        people: Those who were chosen, the most prominent first.
    """

    info: VideoInfo
    times_s: Array
    tracks: list[Track]
    people: list[Person]


def capture(
    video: Path | str,
    settings: CaptureSettings | None = None,
    on_event: Callable[[Event], None] | None = None,
    *,
    job_dir: Path | None = None,
    camera: Camera | None = None,
    detector: Detector | None = None,
    lifter: Lifter | None = None,
) -> list[Motion]:
    """Capture the motion of the people in a video.

    Args:
        video: The video file.
        settings: The user's choices; None takes the defaults.
        on_event: Receives stages, progress and warnings; what it raises stops the capture.
        job_dir: Folder in which stages are kept and looked for, so that an interrupted capture goes on
            and a changed setting does not detect again; None keeps nothing.
        camera: Known intrinsics and distortion; None takes them from the settings or guesses.
        detector: A detector to use instead of making the one that the settings name; it is not closed.
        lifter: A lifter to use instead of loading one.

    Returns:
        One motion per person, the most prominent first.

    Raises:
        VP3DError: As the stages do: VideoReadError, NoPersonFound, WeightsMissing, OutputError and others.
    """
    found = capture_people(
        Path(video), settings or CaptureSettings(), Progress(on_event, CAPTURE_STAGES),
        job_dir=job_dir, camera=camera, detector=detector, lifter=lifter,
    )  # fmt: skip
    return [person.motion for person in found.people]


def capture_people(
    video: Path,
    settings: CaptureSettings,
    progress: Progress,
    *,
    job_dir: Path | None = None,
    camera: Camera | None = None,
    detector: Detector | None = None,
    lifter: Lifter | None = None,
) -> Capture:
    """Do what ``capture`` does, and also return what the overlay and the report show."""
    progress.stage("prepare")
    info = probe(video)
    stages = None if job_dir is None else job_dir / STAGES_FOLDER
    source = source_sha256(video, folder=stages)
    store = StageStore(None if stages is None else folder_of_source(stages, source))
    camera_origin = "given"
    if camera is None:
        camera, camera_origin = camera_from_settings(settings, info.image_size, progress)
    lifter = lifter or _load_lifter(settings)
    code = code_key()

    progress.stage("detect")
    with cycles_collected():  # MediaPipe leaves some in every frame
        detected = detect_people(
            video, info, settings, detector, store=store, source=source, progress=progress
        )

    progress.stage("track")
    return_large_arrays()  # not before: large pictures are cheaper to keep
    give_back_freed_memory()
    key = make_key(detected.key, code, settings.person, settings.smooth)
    tracks, people = _follow(detected.video, info, settings, store=store, key=key)
    times_s, model_id = detected.video.times_s, detected.model_id
    del detected  # as large as the keypoints
    give_back_freed_memory()

    progress.stage("lift")
    height_m = settings.height_m or DEFAULT_HEIGHT_M
    key = make_key(key, lifter.model_id, lifter.device.type, lifter.mirror, height_m, camera_key(camera))
    arrays = store.load("lift", key)
    poses = (
        unpack_poses(arrays)
        if arrays
        else lift_people(lifter, people, camera, height_m=height_m, progress=progress)
    )
    if not arrays:
        store.save("lift", key, pack_poses(poses))
    lifter_id = lifter.model_id
    del arrays, lifter  # the network is larger than the poses of a long video
    give_back_freed_memory()

    progress.stage("place")
    arrays = store.load("place", key)
    paths = unpack_trajectories(arrays) if arrays else place_people(people, poses, camera, progress)
    if not arrays:
        store.save("place", key, pack_trajectories(paths))
    give_back_freed_memory()

    progress.stage("fit")
    meta: dict[str, object] = {
        "source": video.name,
        "source_sha256": source,
        "code_version": __version__,
        "settings": _without_folders(settings),
        "models": {"detector": model_id, "lifter": lifter_id},
        "height_m": height_m,
        "camera_from": camera_origin,
    }
    rate_hz = settings.fps or frame_rate_hz(info, times_s, progress)
    motions = fit_people(
        people,
        poses,
        paths,
        camera,
        height_m=height_m,
        frame_rate_hz=rate_hz,
        smooth=settings.smooth,
        meta=meta,
        progress=progress,
    )
    found = [Person(track_id, points, one) for (track_id, points), one in zip(people, motions, strict=True)]
    give_back_freed_memory()
    progress.flush()
    return Capture(info, times_s, tracks, found)


def _without_folders(settings: CaptureSettings) -> dict[str, object]:
    """Return the settings for a motion file, which others may get: files by their names only."""
    lifter = None if settings.lifter is None else Path(settings.lifter).name
    return settings.to_json() | {"detector": Path(settings.detector).name, "lifter": lifter}


def _follow(
    detected: DetectedVideo, info: VideoInfo, settings: CaptureSettings, *, store: StageStore, key: str
) -> tuple[list[Track], list[FollowedPerson]]:
    tracks, people = store.load("tracks", key), store.load("keypoints", key)
    if tracks is not None and people is not None:
        return unpack_tracks(tracks), unpack_keypoints(people)
    followed = follow_people(
        detected, image_size=info.image_size, person=settings.person, smooth=settings.smooth
    )
    store.save("tracks", key, pack_tracks(followed[0]))
    store.save("keypoints", key, pack_keypoints(followed[1]))
    return followed


def _load_lifter(settings: CaptureSettings) -> Lifter:
    import torch

    from .lift.lifter import Lifter

    if settings.threads:
        torch.set_num_threads(settings.threads)
    return Lifter.load(settings.lifter, device=settings.device, mirror=settings.mirror)
