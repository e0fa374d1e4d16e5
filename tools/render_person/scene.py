# SPDX-License-Identifier: GPL-3.0-or-later
"""What is filmed, and how: the description of one rendered clip, as dataclasses and as JSON. No bpy.

World: z up, floor at z = 0, metres. Every person's motion is turned so that on average it faces -y, and is
put with the middle of its path at ``PersonDescription.place_m``. The camera stands at ``azimuth_deg`` around
the origin: 0 in front of a person who faces -y, 90 at the person's left, 180 behind.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal, cast, get_args

__all__ = [
    "CameraDescription",
    "MotionPart",
    "PersonDescription",
    "Place",
    "SceneDescription",
    "Wardrobe",
    "load_scenes",
    "save_scenes",
    "scene_from_json",
]

Wardrobe = Literal["man", "woman", "worker", "dark_man"]
Place = Literal["room", "yard"]
Furniture = Literal["none", "table", "sofa", "plant"]
CameraPath = Literal["still", "follow", "dolly"]
Engine = Literal["workbench", "cycles"]


@dataclass(frozen=True, slots=True)
class MotionPart:
    """A section of a mocap file.

    Attributes:
        file: BVH, AMC (its ASF beside it) or a motion .npz; relative to the motion folder.
        start_s: Where it starts, s.
        end_s: Where it ends, s; None for the file's end.
        speed: 1 as recorded, 2 twice as fast.
        turn_deg: Turned about the vertical where it joins the part before, counter-clockwise from above.
    """

    file: str
    start_s: float = 0.0
    end_s: float | None = None
    speed: float = 1.0
    turn_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class PersonDescription:
    """One body and what it does.

    Attributes:
        motion: Sections played one after the other, blended where they join.
        wardrobe: Body, skin, clothes and hair.
        rig: Which of the body's rigs carries it.
        height_m: Of the body without shoes; None for the height the body files give.
        place_m: (x, y) of the middle of its path.
        turn_deg: Turned about the vertical from facing -y, counter-clockwise from above.
        arms_out_deg: Arms lifted sideways by this, so that hands stay out of the hips.
    """

    motion: tuple[MotionPart, ...]
    wardrobe: Wardrobe = "man"
    rig: Literal["game_engine", "mixamo"] = "game_engine"
    height_m: float | None = None
    place_m: tuple[float, float] = (0.0, 0.0)
    turn_deg: float = 0.0
    arms_out_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class CameraDescription:
    """The camera.

    Attributes:
        focal_mm: 35-mm equivalent, taken on the diagonal.
        distance_m: From the origin, along the floor; None for the least at which everybody stays in the
            picture.
        azimuth_deg: Where it stands, see the module.
        height_m: Above the floor.
        pitch_deg: Upward from level; None aims at the middle of the bodies.
        roll_deg: Clockwise as seen in the picture's content.
        path: "still", "follow" (turns after the first person) or "dolly" (moves sideways by ``dolly_m``
            during the clip, looking at the same point).
        dolly_m: Length of that way.
        handheld: 0 for a tripod, 1 for a hand: about 1.5 cm and 0.6 degrees of sway.
    """

    focal_mm: float = 30.0
    distance_m: float | None = None
    azimuth_deg: float = 0.0
    height_m: float = 1.4
    pitch_deg: float | None = None
    roll_deg: float = 0.0
    path: CameraPath = "still"
    dolly_m: float = 1.5
    handheld: float = 0.0


@dataclass(frozen=True, slots=True)
class SceneDescription:
    """One clip.

    Attributes:
        name: Stem of the files.
        people: Who is in it.
        camera: How it is filmed.
        frame_rate_hz: Of the video; a whole number.
        duration_s: None for the longest motion in it.
        image_size: (width, height) px, even numbers.
        place: "room" or "yard".
        furniture: What stands between the camera and the people and hides a part of them.
        engine: "workbench" (a quarter of a second of one core a frame of 640 x 360) or "cycles" (better
            light, some 8 s).
        samples: Of Cycles.
        motion_blur: Share of the frame's time that the shutter is open; 0 for none. With Workbench a blurred
            frame costs five.
        seed: Of everything drawn by chance (hand-held sway, textures).
    """

    name: str
    people: tuple[PersonDescription, ...]
    camera: CameraDescription = field(default_factory=CameraDescription)
    frame_rate_hz: int = 30
    duration_s: float | None = None
    image_size: tuple[int, int] = (640, 360)
    place: Place = "room"
    furniture: Furniture = "none"
    engine: Engine = "workbench"
    samples: int = 8
    motion_blur: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.people or not all(person.motion for person in self.people):
            raise ValueError(f"scene {self.name!r} needs at least one person, each with a motion")
        if self.image_size[0] % 2 or self.image_size[1] % 2:
            raise ValueError(f"image_size is {self.image_size}, expected even numbers")
        if not 0.0 <= self.motion_blur <= 1.0:
            raise ValueError(f"motion_blur is {self.motion_blur}, expected 0 to 1")
        choices = ((self.place, Place), (self.furniture, Furniture), (self.engine, Engine))
        for value, known in choices:
            if value not in get_args(known):
                raise ValueError(f"{value!r} is unknown, expected one of {', '.join(get_args(known))}")


def scene_from_json(data: dict[str, object]) -> SceneDescription:
    """Build a scene from a JSON object with the names of the dataclasses' fields.

    Raises:
        ValueError: when a name is unknown or a value is not allowed.
    """
    values = dict(_checked(data, SceneDescription))
    values["people"] = tuple(_person(entry) for entry in cast("list[dict[str, object]]", values["people"]))
    if "camera" in values:
        values["camera"] = CameraDescription(**_checked(values["camera"], CameraDescription))  # type: ignore[arg-type]
    if "image_size" in values:
        values["image_size"] = tuple(cast("list[int]", values["image_size"]))
    return SceneDescription(**values)  # type: ignore[arg-type]


def _person(data: dict[str, object]) -> PersonDescription:
    values = dict(_checked(data, PersonDescription))
    parts = cast("list[dict[str, object]]", values["motion"])
    values["motion"] = tuple(MotionPart(**_checked(part, MotionPart)) for part in parts)  # type: ignore[arg-type]
    if "place_m" in values:
        values["place_m"] = tuple(cast("list[float]", values["place_m"]))
    return PersonDescription(**values)  # type: ignore[arg-type]


def _checked(data: object, kind: type) -> dict[str, object]:
    known = [entry.name for entry in fields(kind)]
    if not isinstance(data, dict):
        raise ValueError(f"expected an object with {', '.join(known)}, found {data!r}")
    table = cast("dict[str, object]", data)
    unknown = [name for name in table if name not in known]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is unknown, expected one of {', '.join(known)}")
    return table


def load_scenes(path: Path) -> list[SceneDescription]:
    """Read a JSON file with one scene or a list of scenes."""
    data = json.loads(path.read_text(encoding="utf-8"))
    entries = cast("list[dict[str, object]]", data if isinstance(data, list) else [data])
    return [scene_from_json(entry) for entry in entries]


def save_scenes(path: Path, scenes: list[SceneDescription]) -> None:
    """Write scenes as JSON."""
    text = json.dumps([asdict(scene) for scene in scenes], indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
