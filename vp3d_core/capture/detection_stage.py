# SPDX-License-Identifier: GPL-3.0-or-later
"""2D detection over a whole video, in batches, saved in chunks: an interrupted one goes on in the middle.

Frames are streamed and never kept; what grows with the length of the video is keypoints. A detector whose
answer depends on earlier frames is stored with its state and goes on as if it had not been interrupted; one
that cannot tell its state sees some frames again first, and may differ for a moment after that.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..arrays import Array, IntArray
from ..detect.detector import Detector, RememberingDetector, make_detector
from ..errors import KeypointFileError
from ..keypoints import Detections2D, Frame
from ..settings import DETECTOR_WORDS, CaptureSettings, is_detector
from ..skeletons import KeypointSkeleton
from ..video import VideoInfo, read_ahead, read_frames
from ..video.reader import TIME_TOLERANCE_S, nothing_between
from .chunked_detections import ChunkedDetections
from .progress import Progress
from .stage_store import StageStore, StoredArray, make_key, source_sha256
from .stage_values import pack_chunk

__all__ = ["Detected", "DetectedVideo", "detect_people", "detect_video"]

CHUNK_FRAMES = 200
CHUNK_S = 10.0
WARM_UP_FRAMES = 30  # seen again after an interruption where the detector's state is not known
STAGE = "detect"
STATE_PREFIX = "state."
AHEAD_BYTES = 100e6  # of frames that wait while a batch is detected
MIN_AHEAD_FRAMES = 8  # of very large pictures, too
TIMES_EVERY = 50
TIMES_SIDE_PX = 32  # of pictures whose times alone are wanted


@dataclass(frozen=True, slots=True, eq=False)
class DetectedVideo:
    """What was found in each frame that was read.

    Attributes:
        detections: T values.
        times_s: (T,) presentation times, s.
        frame_indices: (T,) positions in the stream.
    """

    detections: Sequence[Detections2D]
    times_s: Array
    frame_indices: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """What was found, by which model, and the key that names both."""

    video: DetectedVideo
    model_id: str
    key: str


@dataclass(slots=True)
class _Collected:
    """Frames and detections so far; ``found`` is on disk, what follows in ``unsaved`` is not yet.

    ``state`` is the detector's after ``state_frames`` frames, when it has one.
    """

    found: ChunkedDetections
    unsaved: list[Detections2D] = field(default_factory=list)
    indices: array[int] = field(default_factory=lambda: array("q"))
    times_s: array[float] = field(default_factory=lambda: array("d"))
    chunks: int = 0
    complete: bool = False
    state: dict[str, StoredArray] = field(default_factory=dict)
    state_frames: int = -1


def detect_people(
    video: Path,
    info: VideoInfo,
    settings: CaptureSettings,
    detector: Detector | None,
    *,
    store: StageStore,
    source: str,
    progress: Progress,
) -> Detected:
    """Detect people with a given detector, the one that the settings name, or from a file of keypoints.

    Args:
        video: The video file.
        info: What ``probe`` said of it.
        settings: The user's choices.
        detector: Used instead of making one, and not closed; or None.
        store: Where detections are kept and looked for.
        source: sha256 of the video.
        progress: Told of every batch.
    """
    start_s, end_s = settings.start_s, settings.end_s
    if detector is None and not is_detector(settings.detector):
        path = Path(settings.detector)
        model_id = f"file:{path.name}:{_file_key(path)}"
        found = detections_from_file(video, info, path, start_s=start_s, end_s=end_s, progress=progress)
        return Detected(found, model_id, make_key(source, model_id, start_s, end_s))
    own = detector or make_detector(settings.detector, device=settings.device, threads=settings.threads)
    try:
        key = make_key(source, own.model_id, start_s, end_s)
        found = detect_video(
            video, info, own, start_s=start_s, end_s=end_s, store=store, key=key, progress=progress
        )
        return Detected(found, own.model_id, key)
    finally:
        if detector is None:
            own.close()


def _file_key(path: Path) -> str:
    try:
        return source_sha256(path, folder=None)[:16]
    except OSError as error:
        raise KeypointFileError(
            f"{str(path)!r} is neither a detector nor keypoints that can be read: {error.strerror}",
            hint=f"Choose {DETECTOR_WORDS}, or the path of a keypoint file or folder.",
        ) from error


def detections_from_file(
    video: Path,
    info: VideoInfo,
    path: Path,
    *,
    start_s: float | None,
    end_s: float | None,
    progress: Progress,
) -> DetectedVideo:
    """Read detections made elsewhere, and the video for the times of its frames."""
    from ..detect.keypoint_files import load_keypoint_file

    times_s: list[float] = []
    for frame in read_frames(video, max_side=TIMES_SIDE_PX, on_warning=progress.warn):
        times_s.append(frame.time_s)
        if len(times_s) % TIMES_EVERY == 0:
            progress.update(len(times_s), info.frame_count)
    found = load_keypoint_file(path, image_size=info.image_size, num_frames=len(times_s))
    times = np.array(times_s)
    start, end = start_s or 0.0, np.inf if end_s is None else end_s
    used = np.flatnonzero((times >= start - TIME_TOLERANCE_S) & (times < end - TIME_TOLERANCE_S))
    if not used.size:
        raise nothing_between(video, start_s, end_s, last_s=times_s[-1])
    progress.update(len(times_s), len(times_s))
    return DetectedVideo([found[i] for i in used], times[used], used)


def detect_video(
    video: Path,
    info: VideoInfo,
    detector: Detector,
    *,
    start_s: float | None,
    end_s: float | None,
    store: StageStore,
    key: str,
    progress: Progress,
) -> DetectedVideo:
    """Detect people in all the frames between two times.

    Args:
        video: The video file.
        info: What ``probe`` said of it.
        detector: Called with consecutive batches.
        start_s: First time, s, or None.
        end_s: Last time, s, or None.
        store: Where chunks are kept and looked for.
        key: Names what the detections are made from.
        progress: Told of every batch.
    """
    collected = _load_chunks(store, key, detector.skeleton)
    total = info.frames_between(start_s, end_s)
    progress.update(len(collected.indices), total)
    if not collected.complete:
        from_s = _resume_time_s(collected, detector) if collected.times_s else start_s
        stop = threading.Event()
        frames = read_ahead(
            read_frames(video, start_s=from_s, end_s=end_s, on_warning=progress.warn, stopped=stop.is_set),
            depth=_frames_ahead(info, detector.batch_size),
            stop=stop,
        )
        try:
            _detect_frames(frames, detector, collected, store=store, key=key, total=total, progress=progress)
        finally:  # also when interrupted: what is detected is kept
            frames.close()
            _save_chunk(store, key, collected)
        progress.flush()
    return DetectedVideo(
        collected.found, np.array(collected.times_s), np.array(collected.indices, dtype=np.int64)
    )


def _frames_ahead(info: VideoInfo, batch_size: int) -> int:
    """Return how many frames to decode while a batch is detected: the next batch, if memory allows."""
    frame_bytes = 3 * info.width * info.height
    return max(MIN_AHEAD_FRAMES, min(batch_size, int(AHEAD_BYTES / frame_bytes)))


def _knows_state(collected: _Collected, detector: Detector) -> bool:
    known = bool(collected.state) and collected.state_frames == len(collected.indices) > 0
    return known and isinstance(detector, RememberingDetector)


def _resume_time_s(collected: _Collected, detector: Detector) -> float:
    """Return where to read on after an interruption: at the last detected frame, or whole batches before."""
    if _knows_state(collected, detector):
        return collected.times_s[-1]
    frames = detector.batch_size * math.ceil(WARM_UP_FRAMES / detector.batch_size)
    return collected.times_s[max(0, len(collected.times_s) - frames)]


def _detect_frames(
    frames: Iterable[Frame],
    detector: Detector,
    collected: _Collected,
    *,
    store: StageStore,
    key: str,
    total: int | None,
    progress: Progress,
) -> None:
    saved_s = time.monotonic()
    last_index = collected.indices[-1] if collected.indices else -1
    frames = iter(frames)
    if _knows_state(collected, detector) and isinstance(detector, RememberingDetector):
        detector.restore(collected.state, next(frames))
    for batch in _batches(frames, detector.batch_size):
        found = detector.detect(batch)
        if len(found) != len(batch):
            raise ValueError(f"the detector returned {len(found)} results for {len(batch)} frames")
        known = sum(
            frame.index <= last_index for frame in batch
        )  # seen again to warm up after an interruption
        collected.unsaved += found[known:]
        collected.times_s.extend(frame.time_s for frame in batch[known:])
        collected.indices.extend(frame.index for frame in batch[known:])
        if isinstance(detector, RememberingDetector):
            collected.state, collected.state_frames = dict(detector.state()), len(collected.indices)
        progress.update(len(collected.indices), total)
        if len(collected.unsaved) >= CHUNK_FRAMES or time.monotonic() - saved_s > CHUNK_S:
            _save_chunk(store, key, collected)
            saved_s = time.monotonic()
    collected.complete = True


def _batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    iterator = iter(frames)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def _save_chunk(store: StageStore, key: str, collected: _Collected) -> None:
    saved = len(collected.found)
    count = min(len(collected.indices), len(collected.times_s), saved + len(collected.unsaved))
    if count == saved and not collected.complete:
        return
    arrays = pack_chunk(
        collected.indices[saved:count],
        collected.times_s[saved:count],
        collected.unsaved[: count - saved],
        complete=collected.complete,
    )
    if collected.state_frames == count and not collected.complete:
        arrays |= {STATE_PREFIX + name: value for name, value in collected.state.items()}
    store.save(STAGE, f"{key}-{collected.chunks:04d}", arrays)
    collected.found.append(arrays)
    del collected.unsaved[: count - saved]
    collected.chunks += 1


def _load_chunks(store: StageStore, key: str, skeleton: KeypointSkeleton) -> _Collected:
    collected = _Collected(ChunkedDetections(skeleton))
    while not collected.complete:
        arrays = store.load(STAGE, f"{key}-{collected.chunks:04d}")
        if arrays is None:
            break
        collected.found.append(arrays)
        collected.indices.extend(arrays["frame_indices"].tolist())
        collected.times_s.extend(arrays["times_s"].tolist())
        collected.complete = bool(arrays["complete"])
        collected.state_frames = len(collected.indices)
        collected.state = {
            name.removeprefix(STATE_PREFIX): value
            for name, value in arrays.items()
            if name.startswith(STATE_PREFIX)
        }
        collected.chunks += 1
    return collected
