# SPDX-License-Identifier: GPL-3.0-or-later
import json
import math
from pathlib import Path

import pytest

from vp3d_core.errors import InputError
from vp3d_core.settings import CaptureSettings, place_of


def test_defaults_survive_json() -> None:
    settings = CaptureSettings()
    assert CaptureSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_all_fields_survive_json() -> None:
    settings = CaptureSettings(
        detector="keypoints für A.npz", person=("largest", "3"), height_m=1.85, fov_deg=60.0, start_s=1.5,
        end_s=9.0, fps=24, device="cpu", smooth=False, threads=2, lifter="mine.safetensors",
    )  # fmt: skip
    assert CaptureSettings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"height_m": 17.0}, "height_m is 17.0, expected 0.5 to 2.5"),
        ({"height_m": math.nan}, "height_m is nan"),
        ({"focal_px": 0.0}, "focal_px is 0.0"),
        ({"fov_deg": 180.0}, "fov_deg is 180.0, expected 5 to 170"),
        ({"fps": 0.0}, "fps is 0.0"),
        ({"start_s": -1.0}, "start_s is -1.0"),
        ({"threads": -1}, "threads is -1"),
        ({"focal_px": 900.0, "fov_deg": 60.0}, "focal_px and fov_deg were both given"),
        ({"start_s": 5.0, "end_s": 5.0}, "is not after the start"),
        ({"end_s": 0.0}, "is not after the start"),
        ({"device": "tpu"}, "Device 'tpu' is unknown"),
        ({"person": ()}, "No person was chosen"),
        ({"person": ("the tall one",)}, "Person 'the tall one' is unknown"),
        ({"detector": ""}, "The detector has no name"),
        ({"detector": 3}, "detector is 3, expected str"),
        ({"height_m": "1.8"}, "height_m is '1.8', expected float"),
        ({"person": {"largest"}}, "person is {'largest'}, expected tuple"),
        ({"person": (None,)}, "Person 'None' is unknown"),
    ],
)
def test_a_bad_value_is_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        CaptureSettings(**values)  # type: ignore[arg-type]
    assert caught.value.hint


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hight_m": 1.8}, "unknown names: hight_m"),
        ({"height_m": "tall"}, "height_m is 'tall', expected float"),
        ({"smooth": 1}, "smooth is 1, expected bool"),
        ({"threads": True}, "threads is True, expected int"),
        ({"person": 1.5}, "person is 1.5, expected tuple"),
        ({"detector": None}, "detector is None, expected str"),
    ],
)
def test_json_of_the_wrong_kind_is_an_input_error(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        CaptureSettings.from_json(values)


@pytest.mark.parametrize(
    ("given", "taken"),
    [("largest", ("largest",)), (2, ("2",)), ((1, "3"), ("1", "3")), (["all"], ("all",))],
)
def test_people_are_taken_in_any_clear_form(given: object, taken: tuple[str, ...]) -> None:
    settings = CaptureSettings(person=given)  # type: ignore[arg-type]
    assert settings.person == taken


def test_paths_become_text() -> None:
    path = Path("folder") / "keypoints.json"
    settings = CaptureSettings(detector=path, lifter=path)  # type: ignore[arg-type]
    assert settings == CaptureSettings(detector=str(path), lifter=str(path))
    assert settings.to_json()["detector"] == str(path)


def test_a_whole_number_is_a_float() -> None:
    assert CaptureSettings.from_json({"fps": 30}).fps == 30


def test_a_place_is_time_x_and_y() -> None:
    assert place_of("at:1.5:640:360.25") == (1.5, 640.0, 360.25)
    for other in ("all", "3", "at:1:2", "at:1:2:3:4", "at:a:2:3", "at:nan:1:2", "at:1:inf:2"):
        assert place_of(other) is None
    assert CaptureSettings(person=("at:1.5:640:360",)).person == ("at:1.5:640:360",)
    with pytest.raises(InputError, match="'at:1:2' is unknown"):
        CaptureSettings(person=("at:1:2",))
