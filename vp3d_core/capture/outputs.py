# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a capture leaves: motions, overlay, report.

All are made in a folder of their own beside the old ones and moved into place together at the end, so that
a capture that fails or is cancelled changes nothing.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .. import bvh, motion_file
from ..errors import OutputError
from ..output_file import output_error
from ..pipeline import Capture
from ..settings import CaptureSettings
from .progress import Progress

__all__ = [
    "OUTPUT_STAGES",
    "OVERLAY_NAME",
    "REPORT_NAME",
    "describe_motions",
    "existing_outputs",
    "write_outputs",
]

Thumbnails: TypeAlias = dict[int, npt.NDArray[np.uint8]]

OUTPUT_STAGES = ("overlay", "report", "write")
OVERLAY_NAME = "overlay.mp4"
REPORT_NAME = "report.html"
STAGING_NAME = ".vp3d-outputs"
OUTPUT_PATTERN = re.compile(r"motion(-\d+)?\.(npz|bvh)|overlay\.mp4|report\.html")


def motion_stems(count: int) -> list[str]:
    """Return the names of the motion files without suffix: "motion", or "motion-1", "motion-2" and so on."""
    return ["motion"] if count == 1 else [f"motion-{number + 1}" for number in range(count)]


def existing_outputs(out_dir: Path) -> list[Path]:
    """Return the files of an earlier capture in a folder."""
    if not out_dir.is_dir():
        return []
    return sorted(path for path in out_dir.iterdir() if OUTPUT_PATTERN.fullmatch(path.name))


def write_outputs(
    found: Capture, video: Path, settings: CaptureSettings, out_dir: Path, progress: Progress
) -> list[Path]:
    """Write all files of a capture into a folder, in place of those of an earlier one.

    Args:
        found: What was captured.
        video: The video file; it is decoded again for the overlay.
        settings: The user's choices.
        out_dir: The folder, which exists.
        progress: Told of each stage and of each frame of the overlay.

    Returns:
        The files.

    Raises:
        OutputError: If a file cannot be written; nothing has changed then.
    """
    with _staging(out_dir) as staging:
        thumbnails = _write_overlay(found, video, settings, staging / OVERLAY_NAME, progress)
        _write_report(found, thumbnails, staging / REPORT_NAME, progress)
        progress.stage("write")
        for stem, person in zip(motion_stems(len(found.people)), found.people, strict=True):
            motion_file.save(staging / f"{stem}.npz", person.motion)
            bvh.save(staging / f"{stem}.bvh", person.motion)
        return _publish(staging, out_dir)


def _write_overlay(
    found: Capture, video: Path, settings: CaptureSettings, path: Path, progress: Progress
) -> Thumbnails:
    from ..review.overlay import write_overlay
    from ..review.thumbnails import TrackThumbnails

    progress.stage("overlay")
    thumbnails = TrackThumbnails(found.tracks, found.times_s, image_width=found.info.width)
    write_overlay(
        video,
        path,
        [person.motion for person in found.people],
        [person.keypoints for person in found.people],
        start_s=settings.start_s,
        end_s=settings.end_s,
        on_progress=progress.update,
        on_frame=thumbnails.see,
        on_warning=progress.warn,  # told once only; a detection that was kept has not read the video
    )
    return thumbnails.pictures


def _write_report(found: Capture, thumbnails: Thumbnails, path: Path, progress: Progress) -> None:
    from ..review.report import write_report
    from ..review.report_numbers import fit_warning, person_numbers

    progress.stage("report")
    numbers = [person_numbers(person.motion, person.keypoints) for person in found.people]
    for number, (person, own) in enumerate(zip(found.people, numbers, strict=True), start=1):
        if text := fit_warning(own, name=f"Person {number} (track {person.track_id})"):
            progress.warn("poor_fit", text)
    write_report(
        path,
        motions=[person.motion for person in found.people],
        keypoints=[person.keypoints for person in found.people],
        numbers=numbers,
        tracks=found.tracks,
        times_s=found.times_s,
        video_info=found.info,
        thumbnails=thumbnails,
        warnings=progress.warnings,
    )


@contextmanager
def _staging(out_dir: Path) -> Iterator[Path]:
    staging = out_dir / STAGING_NAME
    try:
        shutil.rmtree(staging, ignore_errors=True)  # of a capture that was killed
        staging.mkdir()
    except OSError as error:
        raise output_error(staging, error) from error
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _publish(staging: Path, out_dir: Path) -> list[Path]:
    """Move everything into place and remove what an earlier capture left beside it."""
    made = sorted(path.name for path in staging.iterdir())
    try:
        for name in made:
            os.replace(staging / name, out_dir / name)
        for path in existing_outputs(out_dir):
            if path.name not in made:
                path.unlink()
    except OSError as error:
        raise OutputError(
            f"{out_dir} cannot be written: {error.strerror}",
            hint="Close the files that are open there, then try again.",
        ) from error
    return [out_dir / name for name in made]


def describe_motions(out_dir: Path) -> list[str]:
    """Return a line for each motion in a folder: who, when, how far, how sure."""
    paths = [path for path in existing_outputs(out_dir) if path.suffix == ".npz"]
    paths.sort(key=lambda path: (len(path.name), path.name))
    lines: list[str] = []
    for number, path in enumerate(paths, start=1):
        motion = motion_file.load(path)
        first_s, last_s = motion.times_s[0], motion.times_s[-1]
        step_m = np.linalg.norm(np.diff(motion.root_positions[:, :2], axis=0), axis=1)
        lines.append(
            f"Person {number} (track {motion.meta.get('track_id')}): {first_s:.1f} to {last_s:.1f} s, "
            f"{len(motion.root_positions)} frames at {motion.frame_rate_hz:g} Hz, path {step_m.sum():.1f} m, "
            f"confidence {100 * motion.confidence.mean():.0f} % "
            f"-> {path.name}, {path.with_suffix('.bvh').name}"
        )
    return lines
