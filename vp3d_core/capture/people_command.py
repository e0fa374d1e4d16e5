# SPDX-License-Identifier: GPL-3.0-or-later
"""``vp3d people``: who is in a video, from some frames of it, so that one can choose before the long run.

In the output folder: ``people.json``, a list under "people" with the most prominent first. Each has number,
confidence (0 to 1), first_s, last_s, seen (share of the frames looked at), picture (file name) and places, a
list of [time_s, x, y] (px of the video) by which a capture finds the same person again, see
``CaptureSettings.person``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import NoPersonFound
from ..output_file import replaced_when_done
from ..protocol import PROTOCOL_VERSION, Event, HelloEvent
from ..settings import is_detector
from .job_file import CaptureJob
from .sighting import FoundPerson, Sighting

if TYPE_CHECKING:
    from ..detect.detector import Detector
    from ..keypoints import Detections2D, Frame
    from .progress import Progress

__all__ = ["PEOPLE_NAME", "find_people"]

PEOPLE_NAME = "people.json"
LOOKS = 40
LOOK_SIDE_PX = 1280  # detectors scale further down
# MediaPipe's detector follows people and looks for others now and then; a frame is shown to it so often.
SHOWN_TO_MEDIAPIPE = 4


def find_people(job: CaptureJob, job_dir: Path, emit: Callable[[Event], None]) -> None:
    """Look at some frames of a job's video and write who is there into its output folder.

    Args:
        job: Video, output folder, and of the settings detector, device, threads, start and end.
        job_dir: Not used.
        emit: Receives the events.

    Raises:
        NoPersonFound: If nobody was seen.
        VP3DError: As video and detectors raise.
    """
    del job_dir
    from ..detect.detector import make_detector
    from .output_folder import make_folder
    from .progress import Progress

    settings = job.settings
    emit(HelloEvent(PROTOCOL_VERSION, __version__, settings.device))
    make_folder(job.out_dir)
    progress = Progress(emit, ("prepare", "look"))
    progress.stage("prepare")
    choice = settings.detector if is_detector(settings.detector) else "auto"
    detector = make_detector(choice, device=settings.device, threads=settings.threads)
    try:
        progress.stage("look")
        people, looks = look_for_people(job, detector, progress)
    finally:
        detector.close()
    if not people:
        raise NoPersonFound(
            f"Nobody was seen in {looks} frames of {job.video.name}",
            hint="Choose another part of the video, or another detector under Advanced.",
        )
    _write(people, looks, job.out_dir)


def look_for_people(job: CaptureJob, detector: Detector, progress: Progress) -> tuple[list[FoundPerson], int]:
    """Return the people in some frames, the most prominent first, and how many frames were looked at."""
    from ..video import probe, read_sparse
    from .sighting import joined_sightings, sightings_in

    settings = job.settings
    width = probe(job.video).width
    frames = read_sparse(
        job.video, LOOKS, start_s=settings.start_s, end_s=settings.end_s, max_side=LOOK_SIDE_PX
    )
    looks: list[list[Sighting]] = []
    for frame, found in _detect(frames, detector):
        looks.append(sightings_in(frame, found, video_width=width))
        progress.update(len(looks), max(LOOKS, len(looks)))
    progress.flush()
    return joined_sightings(looks), len(looks)


def _detect(frames: Iterator[Frame], detector: Detector) -> Iterator[tuple[Frame, Detections2D]]:
    times = SHOWN_TO_MEDIAPIPE if detector.name == "mediapipe" else 1
    for frame in frames:
        yield frame, detector.detect([frame] * times)[-1]


def _write(people: list[FoundPerson], looks: int, out_dir: Path) -> None:
    from .pictures import save_picture

    entries: list[dict[str, object]] = []
    for number, person in enumerate(people, start=1):
        picture = f"person-{number}.png"
        save_picture(out_dir / picture, person.picture())
        entries.append(
            {
                "number": number,
                "confidence": round(person.confidence, 3),
                "first_s": round(person.sightings[0].time_s, 3),
                "last_s": round(person.sightings[-1].time_s, 3),
                "seen": round(len(person.sightings) / looks, 3),
                "picture": picture,
                "places": [[round(value, 3) for value in place] for place in person.places()],
            }
        )
    with replaced_when_done(out_dir / PEOPLE_NAME) as temporary:
        temporary.write_text(json.dumps({"people": entries}), encoding="utf-8")
