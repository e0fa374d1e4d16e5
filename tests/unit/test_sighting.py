# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from vp3d_core.capture.sighting import FoundPerson, Sighting, joined_sightings

STEP_S = 0.5
RED, BLUE = 0, 1


def sighting(
    time_s: float, x: float, colour: int, *, confidence: float = 0.9, overlap: float = 0.0
) -> Sighting:
    """Somebody 100 px tall at x, dressed in one of the colours."""
    colours = np.full((12, 4, 4), 0.1 / 192)
    colours[colour * 6, 3, 3] += 0.9
    box = np.array([x - 20.0, 0.0, x + 20.0, 100.0])
    crop = np.full((100, 40, 3), 60 + 120 * colour, np.uint8)
    return Sighting(time_s, box, confidence, colours, crop, overlap)


def xs(person: FoundPerson) -> list[float]:
    return [float(one.centre[0]) for one in person.sightings]


def test_two_people_who_pass_each_other_stay_who_they_are() -> None:
    looks = [
        [sighting(t * STEP_S, 100 + 40 * t, RED), sighting(t * STEP_S, 420 - 40 * t, BLUE)] for t in range(9)
    ]
    people = joined_sightings(looks)
    assert sorted(xs(person) for person in people) == [
        [100 + 40 * t for t in range(9)], [420 - 40 * t for t in range(9)]
    ]  # fmt: skip


def test_somebody_who_comes_back_after_long_is_known_by_the_clothes() -> None:
    looks = [[sighting(0.0, 100, RED)], [sighting(0.5, 120, RED)], [sighting(40.0, 600, BLUE)]]
    looks += [[sighting(40.5, 590, BLUE)], [sighting(90.0, 900, RED)], [sighting(90.5, 910, RED)]]
    people = joined_sightings(looks)
    assert sorted(len(person.sightings) for person in people) == [2, 4]


def test_who_is_seen_once_counts_only_when_nobody_is_seen_more_often() -> None:
    once = [sighting(0.0, 900, BLUE)]
    assert len(joined_sightings([once, []])) == 1
    looks = [[*once, sighting(0.0, 100, RED)], [sighting(0.5, 110, RED)]]
    assert [xs(person) for person in joined_sightings(looks)] == [[100.0, 110.0]]
    assert joined_sightings([[], []]) == []


def test_places_are_where_the_person_is_alone_and_in_order_of_time() -> None:
    person = FoundPerson(
        [sighting(float(t), 10.0 * t, RED, overlap=0.9 if t % 2 else 0.0) for t in range(20)], np.zeros(1)
    )
    places = person.places()
    assert places == sorted(places)
    assert len(places) == 12
    assert {time_s for time_s, *_ in places} >= {float(t) for t in range(0, 20, 2)}
    assert places[0][1:] == (0.0, 50.0)


def test_a_picture_is_square_and_transparent_beside_the_person() -> None:
    picture = FoundPerson([sighting(0.0, 0.0, RED)], np.zeros(1)).picture()
    assert picture.shape == (128, 128, 4)
    assert picture[64, 64, 3] == 255
    assert picture[64, 0, 3] == 0
    assert picture[64, 64, 0] == pytest.approx(60, abs=1)
