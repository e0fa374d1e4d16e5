# SPDX-License-Identifier: GPL-3.0-or-later
"""People seen in a few frames far apart, joined by place, size and the colours of their clothes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..detect.presence import present
from ..detect.similarity import suppress_duplicates
from ..keypoints import Detections2D, Frame
from .pictures import cut_out, fitted_square

__all__ = ["FoundPerson", "Sighting", "joined_sightings", "sightings_in"]

PICTURE_SIDE_PX = 128
PICTURE_MARGIN = 0.08
MAX_PLACES = 12
COLOUR_BINS = (12, 4, 4)  # hue, saturation, value
MIN_LIKENESS = 0.35
# A walking person crosses their own height in about a second; where they were says less and less.
PLACE_SPREAD, PLACE_SPREAD_PER_S = 0.35, 0.8
PLACE_MEMORY_S = 1.5
COLOUR_MEMORY = 0.7  # weight of what was seen before


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One person in one frame.

    Attributes:
        time_s: Of the frame.
        box_xyxy: (4,) px of the video.
        confidence: Mean score of the keypoints, 0 to 1.
        colours: Histogram of the body's colours, sums to 1.
        crop: (H, W, 3) the person.
        overlap: Largest share of the box that another person's box covers.
    """

    time_s: float
    box_xyxy: Array
    confidence: float
    colours: Array
    crop: npt.NDArray[np.uint8]
    overlap: float

    @property
    def size_px(self) -> float:
        """Longer side of the box, at least 1 px."""
        return max(1.0, float((self.box_xyxy[2:] - self.box_xyxy[:2]).max()))

    @property
    def centre(self) -> Array:
        """(2,) px."""
        return (self.box_xyxy[:2] + self.box_xyxy[2:]) / 2.0


@dataclass(slots=True, eq=False)
class FoundPerson:
    """One person, seen one or more times.

    Attributes:
        sightings: In order of time.
        colours: Running mean of their colours.
    """

    sightings: list[Sighting]
    colours: Array

    @property
    def confidence(self) -> float:
        """Mean confidence of the sightings, 0 to 1."""
        return float(np.mean([one.confidence for one in self.sightings]))

    @property
    def prominence(self) -> float:
        """How much of the video the person fills: the sum of the sizes, px."""
        return sum(one.size_px for one in self.sightings)

    def picture(self) -> npt.NDArray[np.uint8]:
        """Return the best sighting as a small RGBA picture."""
        best = max(self.sightings, key=lambda one: one.size_px * one.confidence * (1.0 - one.overlap))
        return fitted_square(best.crop, side_px=PICTURE_SIDE_PX)

    def places(self) -> list[tuple[float, float, float]]:
        """Return times (s) and places (px) at which the person is told from others, in order of time."""
        clear = sorted(self.sightings, key=lambda one: (round(one.overlap, 1), -one.confidence))[:MAX_PLACES]
        return sorted((one.time_s, float(one.centre[0]), float(one.centre[1])) for one in clear)


def sightings_in(frame: Frame, found: Detections2D, *, video_width: int) -> list[Sighting]:
    """Return who is seen in a frame.

    Args:
        frame: The picture, which may be smaller than the video's.
        found: Detections in it.
        video_width: px.
    """
    scale = video_width / frame.rgb.shape[1]
    there, _ = present(found, image_size=(frame.rgb.shape[1], frame.rgb.shape[0]))
    rows = suppress_duplicates(found, np.flatnonzero(there))
    boxes = np.asarray(found.boxes_xyxy, dtype=np.float64)
    sightings: list[Sighting] = []
    for row in rows:
        others = [_covered(boxes[row], boxes[other]) for other in rows if other != row]
        sightings.append(
            Sighting(
                time_s=frame.time_s,
                box_xyxy=boxes[row] * scale,
                confidence=float(np.clip(found.keypoint_scores[row], 0.0, 1.0).mean()),
                colours=_colours(cut_out(frame.rgb, boxes[row], margin=-0.15)),
                crop=cut_out(frame.rgb, boxes[row], margin=PICTURE_MARGIN).copy(),
                overlap=max(others, default=0.0),
            )
        )
    return sightings


def joined_sightings(looks: Sequence[Sequence[Sighting]]) -> list[FoundPerson]:
    """Tell which sightings are of the same person.

    Args:
        looks: The sightings of each frame, in order of time.

    Returns:
        People, the most prominent first. Who was seen once only is left out when others were seen more often.
    """
    from scipy.optimize import linear_sum_assignment

    people: list[FoundPerson] = []
    for look in looks:  # each depends on those before
        likeness = np.array([[_likeness(person, one) for one in look] for person in people])
        new = set(range(len(look)))
        if likeness.size:
            for row, column in zip(*linear_sum_assignment(-likeness), strict=True):
                if likeness[row, column] >= MIN_LIKENESS:
                    _add(people[row], look[column])
                    new.discard(int(column))
        people += [FoundPerson([look[index]], look[index].colours) for index in sorted(new)]
    often = [person for person in people if len(person.sightings) > 1]
    return sorted(often or people, key=lambda person: -person.prominence)


def _add(person: FoundPerson, one: Sighting) -> None:
    person.sightings.append(one)
    person.colours = COLOUR_MEMORY * person.colours + (1.0 - COLOUR_MEMORY) * one.colours


def _likeness(person: FoundPerson, one: Sighting) -> float:
    """Return how likely a sighting is of a person, 0 to 1."""
    last = person.sightings[-1]
    gap_s = max(0.0, one.time_s - last.time_s)
    size = max(last.size_px, one.size_px)
    offset = float(np.linalg.norm(one.centre - last.centre)) / size
    near = float(np.exp(-0.5 * (offset / (PLACE_SPREAD + PLACE_SPREAD_PER_S * gap_s)) ** 2))
    ratio = min(last.size_px, one.size_px) / size
    alike = float(np.sqrt(person.colours * one.colours).sum())  # Bhattacharyya's coefficient
    place_weight = float(np.exp(-gap_s / PLACE_MEMORY_S))
    # Clothes of two people share 0.5 to 0.7 of their colours, those of one 0.8 and more.
    colour = float(np.clip((alike - 0.55) / 0.35, 0.0, 1.0))
    return place_weight * near * ratio + (1.0 - place_weight) * colour * (0.5 + 0.5 * near)


def _colours(rgb: npt.NDArray[np.uint8]) -> Array:
    import cv2

    hsv = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2HSV)
    counts = np.asarray(
        cv2.calcHist([hsv], [0, 1, 2], None, list(COLOUR_BINS), [0, 180, 0, 256, 0, 256]), dtype=np.float64
    )
    return counts / max(1.0, counts.sum())


def _covered(box: Array, other: Array) -> float:
    """Return the share of a box that another covers."""
    sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    area = float((box[2:] - box[:2]).prod())
    return float(np.clip(sides, 0.0, None).prod()) / max(area, 1.0)
