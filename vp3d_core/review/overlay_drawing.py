# SPDX-License-Identifier: GPL-3.0-or-later
"""Skeletons, keypoints and labels drawn on RGB pictures with OpenCV, anti-aliased to a sixteenth of a pixel.

Positions are px, origin at the centre of the top-left pixel. Whatever is NaN or far outside is left out.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..motion import MotionSkeleton

__all__ = ["BoneColours", "bone_colours", "draw_caption", "draw_keypoints", "draw_label", "draw_skeleton"]

RGB: TypeAlias = npt.NDArray[np.uint8]
Colour: TypeAlias = tuple[int, int, int]

SUBPIXEL_BITS = 4
FAR_OUTSIDE_PX = 16_000  # OpenCV's fixed-point coordinates overflow beyond
PERSON_HUES = (0.56, 0.08, 0.36, 0.85, 0.14, 0.70, 0.46, 0.97)  # blue, orange, green, pink, ... well apart
SIDE_HUE_SHIFT = 0.055  # left and right stay in the family: a twentieth of the colour circle to each side
DARK: Colour = (20, 20, 20)
WHITE: Colour = (255, 255, 255)
SCORE_STEPS = 32  # colours from red (score 0) over yellow to green (score 1)


@dataclass(frozen=True, slots=True)
class BoneColours:
    """The family of colours of one person."""

    left: Colour
    right: Colour
    centre: Colour

    def of(self, joint_name: str) -> Colour:
        """Return the colour of the bone that ends in a joint."""
        if joint_name.startswith("left_"):
            return self.left
        return self.right if joint_name.startswith("right_") else self.centre


def bone_colours(person: int) -> BoneColours:
    """Return the colours of the person of that number, from 0: one hue, left lighter, right darker."""
    hue = PERSON_HUES[person % len(PERSON_HUES)]
    return BoneColours(
        left=_colour(hue - SIDE_HUE_SHIFT, 0.55, 1.0),
        right=_colour(hue + SIDE_HUE_SHIFT, 1.0, 0.80),
        centre=_colour(hue, 0.16, 1.0),
    )


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


SCORE_COLOURS = tuple(_colour(0.36 * step / (SCORE_STEPS - 1), 0.95, 1.0) for step in range(SCORE_STEPS))


def draw_skeleton(
    picture: RGB, skeleton: MotionSkeleton, joints_xy: Array, depths_m: Array, *, colours: BoneColours
) -> None:
    """Draw the bones, the farthest first, each with a dark rim.

    Args:
        picture: (H, W, 3), drawn on.
        skeleton: J joints; a bone runs from each to its parent.
        joints_xy: (J, 2) px.
        depths_m: (J,) m before the camera.
        colours: Of the person.
    """
    import cv2

    points = _fixed_point(joints_xy)
    bones = [(j, p) for j, p in enumerate(skeleton.parents) if p >= 0 and points[j] and points[p]]
    bones.sort(key=lambda bone: -float(depths_m[bone[0]] + depths_m[bone[1]]))
    width = _line_width(picture, joints_xy)
    for joint, parent in bones:
        start, end = points[parent], points[joint]
        if start is None or end is None or start == end:
            continue
        colour = colours.of(skeleton.names[joint])
        cv2.line(picture, start, end, DARK, width + 2, cv2.LINE_AA, SUBPIXEL_BITS)
        cv2.line(picture, start, end, colour, width, cv2.LINE_AA, SUBPIXEL_BITS)


def draw_keypoints(picture: RGB, xy: Array, scores: Array) -> None:
    """Draw dots from red (score 0) to green (score 1).

    Args:
        picture: (H, W, 3), drawn on.
        xy: (K, 2) px; NaN where missing.
        scores: (K,) in [0, 1].
    """
    import cv2

    radius = max(2, round(max(picture.shape[:2]) / 450)) << SUBPIXEL_BITS
    steps = (np.clip(scores, 0.0, 1.0) * (SCORE_STEPS - 1)).astype(int).tolist()
    for point, step in zip(_fixed_point(xy), steps, strict=True):
        if point is None:
            continue
        colour = SCORE_COLOURS[step]
        cv2.circle(picture, point, radius + 14, DARK, cv2.FILLED, cv2.LINE_AA, SUBPIXEL_BITS)
        cv2.circle(picture, point, radius, colour, cv2.FILLED, cv2.LINE_AA, SUBPIXEL_BITS)


def draw_label(picture: RGB, text: str, joints_xy: Array, *, colour: Colour) -> None:
    """Draw a filled plate with dark text above a skeleton, moved inside the picture.

    Args:
        picture: (H, W, 3), drawn on.
        text: ASCII.
        joints_xy: (J, 2) px.
        colour: Of the plate.
    """
    import cv2

    known = joints_xy[[point is not None for point in _fixed_point(joints_xy)]]
    if len(known) == 0:
        return
    scale, rim = max(picture.shape[:2]) / 2200, max(3, max(picture.shape[:2]) // 320)
    (width, height), baseline = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 1)
    x, y = (known.min(axis=0) + known.max(axis=0)) / 2
    y = known[:, 1].min() - 4 * rim
    x = int(np.clip(x - width / 2, rim, max(rim, picture.shape[1] - width - rim)))
    y = int(np.clip(y, height + rim, max(height + rim, picture.shape[0] - baseline - rim)))
    cv2.rectangle(picture, (x - rim, y - height - rim), (x + width + rim, y + rim), colour, cv2.FILLED)
    cv2.rectangle(picture, (x - rim, y - height - rim), (x + width + rim, y + rim), DARK, 1)
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_DUPLEX, scale, DARK, 1, cv2.LINE_AA)


def draw_caption(picture: RGB, text: str) -> None:
    """Draw a line of ASCII text in the bottom left corner, white with a dark rim."""
    import cv2

    scale = max(picture.shape[:2]) / 2600
    place = (round(16 * scale), picture.shape[0] - round(20 * scale))
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, DARK, 3, cv2.LINE_4)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, WHITE, 1, cv2.LINE_AA)


def _fixed_point(xy: Array) -> list[tuple[int, int] | None]:
    """Return OpenCV's fixed-point coordinates of points (N, 2) px; None for those not to be drawn."""
    drawable = (np.abs(xy) < FAR_OUTSIDE_PX).all(axis=-1)  # False for NaN
    fixed = np.round(np.where(drawable[:, None], xy, 0.0) * (1 << SUBPIXEL_BITS)).astype(int).tolist()
    return [(x, y) if draw else None for (x, y), draw in zip(fixed, drawable.tolist(), strict=True)]


def _line_width(picture: RGB, joints_xy: Array) -> int:
    """Return a width that suits the size of the person in the picture, px."""
    if not np.isfinite(joints_xy).any():
        return 1
    height = float(np.nanmax(joints_xy[:, 1]) - np.nanmin(joints_xy[:, 1]))
    return int(np.clip(height / 130, 1, max(2, max(picture.shape[:2]) // 400)))
