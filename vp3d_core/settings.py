# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user can choose for a capture: one object for command line, job file and panel."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

from .detect.mmpose_catalogue import POSE_MODELS
from .errors import InputError

__all__ = [
    "DETECTORS",
    "DETECTOR_WORDS",
    "DEVICES",
    "PERSON_CHOICES",
    "RANGES",
    "CaptureSettings",
    "is_detector",
    "named_model",
    "place_of",
]

DETECTORS = ("auto", "mediapipe", "mmpose")
MODEL_PREFIX = "mmpose:"  # before the name of one of MMPose's models
DETECTOR_WORDS = f"{', '.join(DETECTORS)}, {MODEL_PREFIX}MODEL"
DEVICES = ("auto", "cpu", "cuda", "mps")
PERSON_CHOICES = ("all", "largest", "longest")
FOCAL_FIELDS = ("focal_px", "focal_mm", "fov_deg")
RANGES = {
    "height_m": (0.5, 2.5),
    "focal_px": (1.0, 1e6),
    "focal_mm": (3.0, 2000.0),
    "fov_deg": (5.0, 170.0),
    "start_s": (0.0, 1e7),
    "end_s": (0.0, 1e7),
    "fps": (1.0, 240.0),
    "threads": (0, 256),
}


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """Settings of one capture.

    Attributes:
        detector: "auto", "mediapipe", "mmpose", "mmpose:MODEL" with one of POSE_MODELS, or the path of a
            keypoint file or folder; a Path is turned into text.
        person: "all", "largest", "longest", track ids as text, or "at:T:X:Y", whoever is at the pixel (X, Y)
            T seconds into the video; several are allowed. One alone, a list and numbers are turned into this.
        height_m: Height of the person in metres (0.5 to 2.5); None takes 1.70.
        focal_px: Focal length in px, or None.
        focal_mm: 35-mm equivalent focal length, or None.
        fov_deg: Horizontal field of view in degrees (5 to 170), or None. At most one of the three.
        start_s: First second of the video to use (>= 0), or None.
        end_s: Last second of the video to use (> start_s, > 0), or None.
        fps: Frames per second of the motion (1 to 240); None keeps the video's rate.
        device: "auto", "cpu", "cuda" or "mps".
        smooth: Whether keypoints and motion are smoothed.
        mirror: Whether the mirrored keypoints are lifted too: a little more accurate, twice the lifting time.
        threads: CPU threads for the models (0 to 256); 0 lets them choose.
        lifter: Name or path of the lifting weights, a Path is turned into text; None takes those that come
            with VP3D.

    Raises:
        InputError: A value is of the wrong type, unknown or out of its range.
    """

    detector: str = "auto"
    person: tuple[str, ...] = ("all",)
    height_m: float | None = None
    focal_px: float | None = None
    focal_mm: float | None = None
    fov_deg: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    fps: float | None = None
    device: str = "auto"
    smooth: bool = True
    mirror: bool = False
    threads: int = 0
    lifter: str | None = None

    def __post_init__(self) -> None:
        _settle_types(self)
        _check_ranges(self)
        if not self.detector:
            raise InputError("The detector has no name", hint=f"Choose {DETECTOR_WORDS} or a keypoint file.")
        named_model(self.detector)
        given = [name for name in FOCAL_FIELDS if getattr(self, name) is not None]
        if len(given) > 1:
            raise InputError(f"{' and '.join(given)} were both given", hint="Give one of them.")
        start_s = self.start_s or 0.0
        if self.end_s is not None and self.end_s <= start_s:
            raise InputError(
                f"The end ({self.end_s} s) is not after the start ({start_s} s)",
                hint="Give a later end.",
            )
        if self.device not in DEVICES:
            raise InputError(
                f"Device {self.device!r} is unknown", hint=f"Choose one of {', '.join(DEVICES)}."
            )
        if not self.person:
            raise InputError("No person was chosen", hint=f"Choose {', '.join(PERSON_CHOICES)} or track ids.")
        for choice in self.person:
            if choice not in PERSON_CHOICES and not choice.isdecimal() and not place_of(choice):
                raise InputError(
                    f"Person {choice!r} is unknown",
                    hint=f"Choose {', '.join(PERSON_CHOICES)}, a track id, or at:SECONDS:X:Y.",
                )

    def to_json(self) -> dict[str, object]:
        """Return the settings as plain JSON values."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_json(cls, values: dict[str, object]) -> CaptureSettings:
        """Build settings from ``to_json``'s values; unknown keys are an InputError."""
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(
                f"Settings hold unknown names: {', '.join(unknown)}",
                hint=f"Known are {', '.join(sorted(known))}.",
            )
        return cls(**values)  # type: ignore[arg-type]


def is_detector(choice: str) -> bool:
    """Return whether a choice of detector is a detector's name, not the path of keypoints."""
    return choice in DETECTORS or choice.startswith(MODEL_PREFIX)


def named_model(detector: str) -> str | None:
    """Return the model that "mmpose:MODEL" names, or None for another choice of detector.

    Raises:
        InputError: MMPose has no pose model of that name.
    """
    if not detector.startswith(MODEL_PREFIX):
        return None
    model = detector.removeprefix(MODEL_PREFIX)
    if model not in POSE_MODELS:
        raise InputError(
            f"There is no pose model {model!r} for {detector!r}", hint=f"Known are {', '.join(POSE_MODELS)}."
        )
    return model


def place_of(choice: str) -> tuple[float, float, float] | None:
    """Return time (s), x and y (px) of a person chosen as "at:T:X:Y", or None for another choice."""
    head, *numbers = choice.split(":")
    if head != "at" or len(numbers) != 3:
        return None
    try:
        time_s, x, y = (float(number) for number in numbers)
    except ValueError:
        return None
    return (time_s, x, y) if all(math.isfinite(value) for value in (time_s, x, y)) else None


def _settle_types(settings: CaptureSettings) -> None:
    """Give the fields their types where what was meant is clear, and refuse other values."""
    for field in dataclasses.fields(settings):
        value = _plain(field.name, getattr(settings, field.name))
        if not _has_type(value, str(field.type)):
            raise InputError(
                f"{field.name} is {value!r}, expected {field.type}", hint="Correct it in the settings."
            )
        object.__setattr__(settings, field.name, value)


def _plain(name: str, value: object) -> object:
    """Return a Path as text, and one choice of a person or a list of them as a tuple; others as they are."""
    if isinstance(value, Path):
        return str(value)
    if name == "person" and isinstance(value, str | int):
        return (str(value),)
    if name == "person" and isinstance(value, list | tuple):
        return tuple(str(choice) for choice in value)
    return value


def _has_type(value: object, expected: str) -> bool:
    """Return whether a value fits a field's annotation; a whole number fits a float."""
    if isinstance(value, bool) or expected == "bool":
        return isinstance(value, bool) and expected == "bool"
    kinds: dict[str, type | tuple[type, ...]] = {
        "int": int,
        "str": str,
        "float": (int, float),
        "tuple[str, ...]": tuple,
    }
    return any(
        value is None if option == "None" else isinstance(value, kinds[option])
        for option in expected.split(" | ")
    )


def _check_ranges(settings: CaptureSettings) -> None:
    for name, (low, high) in RANGES.items():
        value = getattr(settings, name)
        if value is not None and not low <= value <= high:
            raise InputError(
                f"{name} is {value}, expected {low:g} to {high:g}", hint=f"Give {name} in that range."
            )
