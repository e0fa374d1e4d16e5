# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``vp3d capture``. Standard library only."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from ..detect.mmpose_catalogue import POSE_MODELS
from ..settings import DETECTOR_WORDS, DEVICES, RANGES, CaptureSettings

__all__ = [
    "add_camera_options",
    "add_capture_options",
    "add_choices",
    "default_out_dir",
    "settings_from_options",
]

FILES_TEXT = """\
Files in OUT:
  motion.npz     the motion (one person), or motion-1.npz, motion-2.npz and so on
  motion.bvh     the same for other programs: y up, -z forward, centimetres, channels Z X Y
  overlay.mp4    the 2D keypoints and the reprojected skeleton over the footage
  report.html    people found, confidence, reprojection error, path from above, foot heights
  events.jsonl   what happened last;  worker.log  what the libraries said
  stages/        values between the stages: another smoothing or height does not detect again

Exit codes: 0 done, 1 failed, 2 wrong options, 130 cancelled (Ctrl-C; --resume goes on from there).
"""


def add_capture_options(parser: argparse.ArgumentParser) -> None:
    """Add description and options of the ``capture`` command to its parser."""
    parser.description = "Capture the motion of the people in a video."
    parser.epilog = FILES_TEXT
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("video", metavar="CLIP", nargs="?", type=Path, help="the video file")
    add("-o", "--out", metavar="OUT", type=Path, help="output folder (default: CLIP's name + -vp3d, here)")
    add_choices(parser)
    add_camera_options(parser)
    old = parser.add_mutually_exclusive_group()
    resume_text = (
        "go on with an interrupted capture, or redo one with other options, reusing what still holds"
    )
    old.add_argument("--resume", action="store_true", help=resume_text)
    old.add_argument(
        "--overwrite", action="store_true", help="replace an earlier capture in OUT, from scratch"
    )
    add("--json", action="store_true", help="print events as JSON lines instead of text")
    job_text = (
        "work on DIR/job.json as another program's worker: events on stdout, log on stderr, a closed stdin "
        "cancels; all other options are ignored"
    )
    add("--job", metavar="DIR", type=Path, help=job_text)


def add_choices(parser: argparse._ActionsContainer) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add what a user may choose of detection, person, part and device."""
    add = parser.add_argument
    detector_text = (
        f"{DETECTOR_WORDS}, or a file or folder of 2D keypoints (default: auto, which is mmpose where its "
        f"weights are, else mediapipe). MODEL: {', '.join(POSE_MODELS)}"
    )
    person_text = (
        "all, largest, longest, the number of a track, or at:SECONDS:X:Y for whoever is there (px); "
        "may be given several times (default: all)"
    )
    add("--detector", metavar="NAME|FILE", default="auto", help=detector_text)
    add("--person", metavar="WHO", action="append", help=person_text)
    metres = _reader("height_m", "metres", "1.70")
    add("--height", metavar="M", type=metres, help="height of the person in metres (default: 1.70)")
    start, end = (_reader(name, "seconds", "12.5 or 1:02.5", read=_seconds) for name in ("start_s", "end_s"))
    add("--start", metavar="S", type=start, help="where in the video to start: seconds, M:SS or H:MM:SS")
    add("--end", metavar="S", type=end, help="where in the video to stop")
    hertz = _reader("fps", "frames per second", "30")
    add("--fps", metavar="HZ", type=hertz, help="frames per second of the motion (default: the video's)")
    add("--no-smooth", dest="smooth", action="store_false", help="do not smooth keypoints and motion")
    add(
        "--mirror",
        action="store_true",
        help="lift mirrored keypoints too: more accurate, lifting takes twice",
    )
    add("--device", choices=DEVICES, default="auto", help="where the models run (default: auto)")
    add(
        "--threads",
        metavar="N",
        type=_reader("threads", "whole numbers", "2", read=int),
        default=0,
        help="CPU threads of the models (default: 0, as they choose)",
    )
    add("--lifter", metavar="NAME|FILE", help="other weights for the lifting to 3D")


def add_camera_options(parser: argparse._ActionsContainer) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the three ways to give the focal length."""
    focal = parser.add_mutually_exclusive_group()
    add = focal.add_argument
    fov_text = "horizontal field of view of the camera in degrees; narrower when a phone is held upright"
    degrees = _reader("fov_deg", "degrees", "65")
    add("--fov", metavar="DEG", type=degrees, help=fov_text)
    millimetres_text = "focal length as 35-mm equivalent: 24 to 30 for most phones, however they are held"
    millimetres = _reader("focal_mm", "millimetres", "28")
    add("--focal-mm", metavar="MM", type=millimetres, help=millimetres_text)
    pixels = _reader("focal_px", "pixels", "1500")
    add("--focal-px", metavar="PX", type=pixels, help="focal length in pixels")


def _reader(
    setting: str, unit: str, example: str, *, read: Callable[[str], float] = float
) -> Callable[[str], float]:
    """Return what reads an option's words as a setting's value; argparse names the option in errors."""
    low, high = RANGES[setting]

    def value_of(words: str) -> float:
        try:
            value = read(words)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            expected = f"{unit} from {low:g} to {high:,.12g}, such as {example}"
            raise argparse.ArgumentTypeError(f"{words!r} cannot be used, expected {expected}")
        return value

    return value_of


def _seconds(words: str) -> float:
    """Return the seconds that S, M:SS or H:MM:SS stand for."""
    if words.count(":") > 2 or ("-" in words and ":" in words):
        raise ValueError(words)
    total, *parts = (float(word) for word in words.split(":"))
    for part in parts:
        if not part < 60.0:
            raise ValueError(words)
        total = 60.0 * total + part
    return total


def settings_from_options(options: argparse.Namespace) -> CaptureSettings:
    """Return the settings that the options stand for.

    Raises:
        InputError: If a value is out of its range.
    """
    chosen: list[str] = options.person or ["all"]
    return CaptureSettings(
        detector=options.detector,
        person=tuple(who.strip() for entry in chosen for who in entry.split(",")),
        height_m=options.height,
        focal_px=options.focal_px,
        focal_mm=options.focal_mm,
        fov_deg=options.fov,
        start_s=options.start,
        end_s=options.end,
        fps=options.fps,
        device=options.device,
        smooth=options.smooth,
        mirror=options.mirror,
        threads=options.threads,
        lifter=options.lifter,
    )


def default_out_dir(video: Path) -> Path:
    """Return the output folder for a video when none was given: in the current folder."""
    return Path(f"{video.stem}-vp3d")
