# SPDX-License-Identifier: GPL-3.0-or-later
"""One person in one frame, as a keypoint file tells it, checked where it enters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..errors import KeypointFileError

__all__ = ["SeenPerson"]


@dataclass(frozen=True, slots=True, eq=False)
class SeenPerson:
    """Keypoints of one person in one frame.

    Attributes:
        frame: From 0.
        xy: (K, 2) px.
        scores: (K,) in [0, 1]; 0 where missing.
        score: Of the person, in [0, 1].
        layout: The file's name for the order, or "".
    """

    frame: int
    xy: Array
    scores: Array
    score: float
    layout: str = ""

    @classmethod
    def from_points(
        cls, frame: int, points: Array, *, score: float | None = None, layout: str = ""
    ) -> SeenPerson:
        """Build from (K, 2) px, all equally sure, or (K, 3) with a score; NaN marks a missing one.

        Args:
            frame: From 0.
            points: (K, 2) or (K, 3).
            score: Of the person; None takes the mean of the keypoints'.
            layout: The file's name for the order.
        """
        xy = np.asarray(points[:, :2], np.float64)
        scores = np.clip(points[:, 2], 0.0, 1.0) if points.shape[1] > 2 else np.ones(len(points))
        scores = np.where(np.isfinite(xy).all(axis=-1) & np.isfinite(scores), scores, 0.0)
        mean = float(scores.mean()) if len(scores) else 0.0
        value = mean if score is None or not np.isfinite(score) else float(np.clip(score, 0.0, 1.0))
        return cls(frame, np.where((scores > 0)[:, None], xy, np.nan), scores, value, layout)

    @classmethod
    def from_triples(
        cls, frame: int, values: object, *, where: str, score: float | None = None, layout: str = ""
    ) -> SeenPerson:
        """Build from a flat list x, y, score, x, y, score, …; KeypointFileError when it is none.

        Args:
            frame: From 0.
            values: What the file holds.
            where: The file, for the message.
            score: Of the person, or None.
            layout: The file's name for the order.
        """
        if not isinstance(values, list) or len(values) % 3 or not all(_is_number(value) for value in values):
            raise KeypointFileError(
                f"{where}, frame {frame}: keypoints are not a list of numbers x, y, score, …",
                hint="Write the file again.",
            )
        points = np.array(values, np.float64).reshape(-1, 3)
        return cls.from_points(frame, points, score=score, layout=layout)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
