# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a whole capture takes against the detector alone, and whether memory grows with the video.

    python benchmarks/capture_time.py CLIP [--lifter FILE] [--threads N] [--rounds N]
    python benchmarks/capture_time.py CLIP --memory 1 5 20   # minutes of the clip played over and over

The first runs the detector alone and then the whole capture in one process, several times in turn, models
loaded in both. The second runs a process for each length; there the detector works on the first round of the
clip only and is repeated from memory after that, as its own memory does not depend on the length; it is
closed where a capture closes the one that it makes. Decoding, all stages and all files are real.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vp3d_core.capture.outputs import OUTPUT_STAGES, write_outputs
from vp3d_core.capture.progress import Progress
from vp3d_core.detect.detector import Detector, make_detector
from vp3d_core.keypoints import Detections2D, Frame
from vp3d_core.pipeline import CAPTURE_STAGES, capture_people
from vp3d_core.protocol import Event, StageEvent
from vp3d_core.settings import CaptureSettings
from vp3d_core.video import probe, read_frames
from vp3d_core.video.frame_writer import FrameWriter

Result = TypeVar("Result")
Times: TypeAlias = tuple[float, float, float, float]  # wall s, CPU s, both over the detector's


class StageClock:
    """Takes the wall and CPU time of each stage from its events."""

    def __init__(self) -> None:
        self.wall_s: dict[str, float] = {}
        self.cpu_s: dict[str, float] = {}
        self._stage, self._wall, self._cpu = "", 0.0, 0.0

    def __call__(self, event: Event) -> None:
        """Listen to a capture."""
        if isinstance(event, StageEvent):
            self.stop()
            self._stage, self._wall, self._cpu = event.name, time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """End the stage that is running."""
        if self._stage:
            self.wall_s[self._stage] = time.perf_counter() - self._wall
            self.cpu_s[self._stage] = time.process_time() - self._cpu
        self._stage = ""


class RepeatingDetector:
    """Detects in the first round of a clip that is played over and over, and repeats itself after that."""

    def __init__(self, detector: Detector, round_frames: int) -> None:
        self._detector, self._round_frames = detector, round_frames
        self._found: list[Detections2D] = []
        self.name, self.model_id = detector.name, detector.model_id + "-repeated"
        self.skeleton, self.batch_size = detector.skeleton, detector.batch_size

    def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
        """Return what was found, or is found, in each frame."""
        new = [frame for frame in frames if frame.index < self._round_frames]
        self._found += self._detector.detect(new) if new else []
        return [self._found[frame.index % self._round_frames] for frame in frames]

    def close(self) -> None:
        """Close the real one."""
        self._detector.close()


def run_capture(video: Path, settings: CaptureSettings, detector: Detector | None = None) -> StageClock:
    """Do a whole capture into a folder that is thrown away; a detector is closed when it is done."""
    clock = StageClock()

    def listen(event: Event) -> None:
        clock(event)
        if detector is not None and isinstance(event, StageEvent) and event.name == "track":
            detector.close()

    progress = Progress(listen, CAPTURE_STAGES + OUTPUT_STAGES)
    with tempfile.TemporaryDirectory() as folder:
        found = capture_people(video, settings, progress, job_dir=Path(folder), detector=detector)
        write_outputs(found, video, settings, Path(folder), progress)
    clock.stop()
    return clock


def run_detector(video: Path, settings: CaptureSettings) -> int:
    """Make the detector, read the video, detect; return the number of frames."""
    detector = make_detector(settings.detector, device=settings.device, threads=settings.threads)
    frames, count = iter(read_frames(video)), 0
    while batch := list(itertools.islice(frames, detector.batch_size)):
        detector.detect(batch)
        count += len(batch)
    detector.close()
    return count


def timed(work: Callable[[], Result]) -> tuple[tuple[float, float], Result]:
    """Return wall and CPU s, and the result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return (time.perf_counter() - wall, time.process_time() - cpu), result


def report_time(video: Path, settings: CaptureSettings, *, rounds: int) -> None:
    """Print the medians over some rounds of detector and capture, alternated, and their ratios."""
    run_capture(video, CaptureSettings.from_json({**settings.to_json(), "end_s": 1.0}))  # imports, caches
    rows: dict[str, list[Times]] = {}
    frames = 0
    for _ in range(rounds):
        detector, frames = timed(lambda: run_detector(video, settings))
        whole, clock = timed(lambda: run_capture(video, settings))
        stages = {stage: (wall_s, clock.cpu_s[stage]) for stage, wall_s in clock.wall_s.items()}
        for name, (wall_s, cpu_s) in ({"detector": detector, "capture": whole} | stages).items():
            times = (wall_s, cpu_s, wall_s / detector[0], cpu_s / detector[1])
            rows.setdefault(name, []).append(times)
    print(f"{video.name}: {frames} frames, medians of {rounds} rounds")
    print(f"{'':10} {'wall s':>8} {'CPU s':>8} {'/ detector: wall':>17} {'CPU':>6}")
    for name, times in rows.items():
        wall_s, cpu_s, wall, cpu = np.median(times, axis=0)
        print(f"{name:10} {wall_s:8.2f} {cpu_s:8.2f} {wall:17.3f} {cpu:6.3f}")
    print("capture / detector, wall, each round:", *(f"{wall:.3f}" for _, _, wall, _ in rows["capture"]))


def write_looped(clip: Path, path: Path, minutes: float) -> int:
    """Write the clip over and over for some minutes; return the frames of one round."""
    info, frames = probe(clip), sum(1 for _ in read_frames(clip))
    rounds = max(1, round(minutes * 60.0 / info.duration_s))
    with FrameWriter(path, rate_hz=info.average_rate_hz) as writer:
        for number in range(rounds):
            for frame in read_frames(clip):
                writer.write(frame.rgb, frame.time_s + number * info.duration_s)
    return frames


def measure_memory(clip: Path, settings: CaptureSettings, minutes: float) -> None:
    """Print the largest resident memory of this process after a capture of so many minutes."""
    import resource  # POSIX only

    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "looped.mp4"
        round_frames = write_looped(clip, video, minutes)
        detector = make_detector(settings.detector, device=settings.device, threads=settings.threads)
        run_capture(video, settings, RepeatingDetector(detector, round_frames))
        duration_s = probe(video).duration_s
    unit = 1 if sys.platform == "darwin" else 1024
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    print(f"{duration_s / 60:6.2f} min of {clip.name}: {peak_mb:7.0f} MB at most", flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--lifter")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5, help="of detector and capture, alternated")
    parser.add_argument("--memory", type=float, nargs="+", metavar="MINUTES")
    parser.add_argument("--one-length", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    settings = CaptureSettings(
        detector=options.detector, lifter=options.lifter, threads=options.threads, device="cpu", fov_deg=60.0
    )
    if options.one_length is not None:
        measure_memory(options.clip, settings, options.one_length)
    elif options.memory:
        for minutes in options.memory:  # a process each: the peak of a process never falls
            subprocess.run([sys.executable, *sys.argv, "--one-length", json.dumps(minutes)], check=True)
    else:
        report_time(options.clip, settings, rounds=options.rounds)


if __name__ == "__main__":
    main()
