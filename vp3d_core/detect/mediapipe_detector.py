# SPDX-License-Identifier: GPL-3.0-or-later
"""MediaPipe's pose as a detector: follows each person's region from frame to frame, and lets go of ghosts.

The landmark model alone cannot tell that a person has left: given a piece of empty floor it draws a body and
calls it present (0.9 and more on real footage). The person finder can: on a crop around the region it gives a
person 0.8 to 1.0 and a ghost less than 0.75. So every region has a belief, fed by the finder on its crop now
and then, and at once when the region jumps or changes size; a region that is not believed in is dropped.
Between the two, a small person before a background of the same colour is hard to tell from a ghost. Who was
believed in once is then reported with a score that says so, and counts where he is believed in again later:
a ghost never is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..keypoints import Detections2D, Frame
from ..skeletons import BLAZEPOSE_33, KeypointSkeleton
from .boxes import box_around
from .detector import no_detections
from .mediapipe_graphs import LandmarkModel, PersonFinder, PoseLandmarks, Region
from .picture_views import View, change_in, views_of

__all__ = ["MediaPipeDetector"]

MEDIAPIPE_VERSION = "0.10.21"
MAX_THREADS = 4  # more gain nothing for networks of this size
BATCH_SIZE = 16  # frames; newcomers are traced back within a batch
MAX_PEOPLE = 4  # each costs one run of the landmark model per frame
FIND_EVERY = 4  # frames between looks for others while somebody is followed
CHECK_EVERY = 6  # frames between looks at the crop of a person who is believed in
# Finder scores, measured on the crops of 2,000 frames of people and 270 of empty rooms: people 0.80 and more
# (5th percentile), ghosts 0.71 at most.
CANDIDATE_SCORE = 0.35  # on the whole picture, where small people score low; then the crop decides
BELIEVE = 0.75
DOUBT = 0.85  # below it a person is checked in every frame
FORGET = 0.55
DOUBTFUL_SHARE = 0.1  # of the belief in the score between both: below presence.CERTAIN_SCORE
BELIEF_MEMORY = 0.6  # weight of the past when a check comes in
MIN_PRESENCE = 0.5  # MediaPipe's own default
JUMP = 0.12  # of the region's side, between frames: more than that is checked at once
RESIZE = 1.2
CHANGE = 20.0  # of 255: more than that in a region is a cut, or somebody gone; walking people stay below 12
SURELY_SAME, PERHAPS_SAME = 0.2, 0.35  # distance of the hips over the region's side
SAME_PERSON = 0.12  # mean landmark distance over the region's side
MIN_VIEW_PX = 16  # a smaller crop holds no person
MIN_VISIBLE = 6  # landmarks that must lie in the picture
BOX_MARGIN = 0.08  # of the box's side: landmarks lie inside the body's outline


@dataclass(slots=True)
class _Followed:
    region: Region
    belief: float
    since_check: int
    pose: PoseLandmarks


class MediaPipeDetector:
    """MediaPipe 0.10.21, complexity 1, on the CPU.

    Args:
        threads: CPU threads of the networks; 0 takes all there are but one, at most 4. The networks' threads
            wait for each other at full speed: one more than there are free cores, as where frames are decoded
            beside them or other programs run, makes them many times slower.
        max_people: How many people are followed at most, >= 1.

    Attributes:
        last_world_landmarks: For each frame of the last call, (D, 33, 3) m: MediaPipe's own 3D landmarks,
            camera axes, hips at the origin, one row for each detection. For comparisons only.
    """

    def __init__(self, *, threads: int = 0, max_people: int = MAX_PEOPLE) -> None:
        count = threads if threads > 0 else max(1, min(MAX_THREADS, (os.cpu_count() or 1) - 1))
        self._finder = PersonFinder(min_score=CANDIDATE_SCORE, threads=count)
        self._model = LandmarkModel(min_presence=MIN_PRESENCE, threads=count)
        self._max_people = max_people
        self._followed: list[_Followed] = []
        self._since_find = FIND_EVERY
        self._next_view = -1
        self._previous: npt.NDArray[np.uint8] | None = None
        self.last_world_landmarks: list[Array] = []

    @property
    def name(self) -> str:
        """The backend."""
        return "mediapipe"

    @property
    def model_id(self) -> str:
        """Names model and settings."""
        return f"mediapipe-{MEDIAPIPE_VERSION}-pose-full-people{self._max_people}-r2"

    @property
    def skeleton(self) -> KeypointSkeleton:
        """BlazePose's 33 landmarks."""
        return BLAZEPOSE_33

    @property
    def batch_size(self) -> int:
        """Frames per call; MediaPipe gains nothing from more."""
        return BATCH_SIZE

    def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
        """Return the people in each frame; see Detector."""
        reported: list[list[_Followed]] = []
        for index, frame in enumerate(frames):  # each frame's regions come from the one before
            people, newcomers = self._step(frame.rgb)
            self._previous = frame.rgb
            reported.append(people)
            for person in newcomers:
                self._trace_back(frames[:index], reported[:index], person)
        self.last_world_landmarks = [
            np.array([person.pose.world for person in people]).reshape(-1, len(BLAZEPOSE_33.points), 3)
            for people in reported
        ]
        return [
            _detections(people, image_size=(frame.rgb.shape[1], frame.rgb.shape[0]))
            for people, frame in zip(reported, frames, strict=True)
        ]

    def state(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return everybody who is followed and where to look next; see RememberingDetector."""
        followed = [
            [one.region.x, one.region.y, one.region.size, one.region.angle_rad, one.region.score]
            + [one.belief, one.since_check]
            for one in self._followed
        ]
        return {
            "followed": np.array(followed, np.float64).reshape(-1, 7),
            "counters": np.array([self._since_find, self._next_view], np.float64),
        }

    def restore(self, state: dict[str, npt.NDArray[np.float64]], last: Frame) -> None:
        """Go on from a state; see RememberingDetector."""
        self._since_find, self._next_view = (int(value) for value in state["counters"])
        self._previous = last.rgb
        self._followed = []
        for row in state["followed"].tolist():
            region = Region(*row[:5])
            self._followed.append(_Followed(region, row[5], int(row[6]), PoseLandmarks.unknown(region)))

    def close(self) -> None:
        """Free the networks."""
        self._finder.close()
        self._model.close()

    def _step(self, rgb: npt.NDArray[np.uint8]) -> tuple[list[_Followed], list[_Followed]]:
        """Follow everybody into a frame and look for others; return who is followed, and who is new."""
        moved = [self._follow(rgb, person) for person in self._followed]
        self._followed = _without_doubles([person for person in moved if person is not None])
        before = list(self._followed)
        self._since_find += 1
        if not self._followed or self._since_find >= FIND_EVERY:
            self._since_find = 0
            views = views_of(image_size=(rgb.shape[1], rgb.shape[0]))
            self._next_view = (self._next_view + 1) % len(views)
            self._find(rgb, views[self._next_view])
            if not self._followed and self._next_view != 0:
                self._find(rgb, views[0])
        newcomers = [person for person in self._followed if not any(person is other for other in before)]
        return list(self._followed), newcomers

    def _trace_back(
        self, frames: Sequence[Frame], reported: Sequence[list[_Followed]], person: _Followed
    ) -> None:
        """Add a newcomer to the earlier frames of the batch, as far back as they can be followed."""
        for frame, people in zip(reversed(frames), reversed(reported), strict=True):
            earlier = self._landmarks(frame.rgb, person.region)
            if earlier is None or len(people) >= self._max_people:
                return
            belief = self._crop_score(frame.rgb, earlier.next_region)
            person = _Followed(earlier.next_region, belief, 0, earlier)
            if belief < BELIEVE or len(_without_doubles([*people, person])) <= len(people):
                return
            people.append(person)

    def _follow(self, rgb: npt.NDArray[np.uint8], person: _Followed) -> _Followed | None:
        pose = self._landmarks(rgb, person.region)
        if pose is None:
            return None
        moved = _Followed(pose.next_region, person.belief, person.since_check + 1, pose)
        changed = change_in(self._previous, rgb, person.region) > CHANGE
        due = moved.since_check >= CHECK_EVERY or moved.belief < DOUBT
        if changed or due or _jumped(person.region, pose.next_region):
            memory = 0.0 if changed else BELIEF_MEMORY
            score = self._crop_score(rgb, pose.next_region)
            moved.belief = memory * moved.belief + (1.0 - memory) * score
            moved.since_check = 0
        return moved if moved.belief >= FORGET else None

    def _landmarks(self, rgb: npt.NDArray[np.uint8], region: Region) -> PoseLandmarks | None:
        """Return the landmarks in a region, or None where they make no plausible person."""
        pose = self._model.landmarks(rgb, region)
        if pose is None or not _is_plausible(pose, image_size=(rgb.shape[1], rgb.shape[0])):
            return None
        return pose

    def _find(self, rgb: npt.NDArray[np.uint8], view: View) -> None:
        """Look at a part of the picture and start to follow people who are not followed yet."""
        for candidate in self._look(rgb, view):
            if len(self._followed) >= self._max_people:
                return
            if self._is_followed(candidate):
                continue
            pose = self._landmarks(rgb, candidate)
            if pose is None or self._is_followed(pose.next_region):
                continue
            belief = self._crop_score(rgb, pose.next_region)
            if belief >= BELIEVE:
                person = _Followed(pose.next_region, belief, 0, pose)
                self._followed = _without_doubles([*self._followed, person])

    def _is_followed(self, region: Region) -> bool:
        return any(_match(region, person.region, within=SURELY_SAME) for person in self._followed)

    def _crop_score(self, rgb: npt.NDArray[np.uint8], region: Region) -> float:
        """Return what the finder says about a region when it sees nothing but its surroundings."""
        height, width = rgb.shape[:2]
        half = region.size / 2
        left, right = int(max(0.0, region.x - half)), int(min(width, region.x + half))
        top, bottom = int(max(0.0, region.y - half)), int(min(height, region.y + half))
        if right - left < MIN_VIEW_PX or bottom - top < MIN_VIEW_PX:
            return 0.0
        found = self._look(rgb, (left, top, right, bottom))
        return max((other.score for other in found if _match(other, region)), default=0.0)

    def _look(self, rgb: npt.NDArray[np.uint8], view: View) -> list[Region]:
        """Return the regions of the people in a part of the picture, in the picture's px."""
        left, top, right, bottom = view
        found = self._finder.find(rgb[top:bottom, left:right])
        return [replace(region, x=region.x + left, y=region.y + top) for region in found]


def _match(first: Region, second: Region, *, within: float = PERHAPS_SAME) -> bool:
    """Whether two regions may hold the same person: hips not further apart than a part of the larger side."""
    larger, smaller = max(first.size, second.size), min(first.size, second.size)
    distance = np.hypot(first.x - second.x, first.y - second.y)
    return bool(distance < within * larger and larger < 2.0 * smaller)


def _jumped(before: Region, after: Region) -> bool:
    distance = np.hypot(after.x - before.x, after.y - before.y)
    ratio = after.size / before.size
    return bool(distance > JUMP * before.size or not 1 / RESIZE < ratio < RESIZE)


def _is_plausible(pose: PoseLandmarks, *, image_size: tuple[int, int]) -> bool:
    """Whether enough of the body lies in the picture and the region has a possible size."""
    side = pose.next_region.size
    if not np.isfinite(pose.xy).all() or not 16.0 <= side <= 6.0 * max(image_size):
        return False
    return int(_inside(pose.xy, image_size=image_size).sum()) >= MIN_VISIBLE


def _inside(xy: Array, *, image_size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    return ((xy >= 0.0) & (xy < np.asarray(image_size))).all(axis=-1)


def _without_doubles(people: list[_Followed]) -> list[_Followed]:
    """Drop those whose landmarks have slid onto, or into, somebody who is believed in more."""
    kept: list[_Followed] = []
    for person in sorted(people, key=lambda p: -p.belief):
        if not any(_is_double(person, other) for other in kept):
            kept.append(person)
    return [person for person in people if any(person is other for other in kept)]


def _is_double(person: _Followed, other: _Followed) -> bool:
    """Whether a person is the same as another who is believed in at least as much."""
    size = max(person.region.size, other.region.size)
    distance = float(np.linalg.norm(person.pose.xy - other.pose.xy, axis=-1).mean())
    return distance < SAME_PERSON * size or (person.belief < DOUBT and _match(person.region, other.region))


def _detections(people: Sequence[_Followed], *, image_size: tuple[int, int]) -> Detections2D:
    if not people:
        return no_detections(BLAZEPOSE_33)
    xy = np.array([person.pose.xy for person in people]) - 0.5  # MediaPipe's origin is the pixel's corner
    inside = np.array([_inside(person.pose.xy, image_size=image_size) for person in people])
    seen = np.array([person.pose.visibility * person.pose.in_picture for person in people])
    return Detections2D(
        boxes_xyxy=np.array(
            [box_around(points, margin=BOX_MARGIN, image_size=image_size) for points in xy], np.float32
        ),
        scores=np.array([_score(person.belief) for person in people], np.float32),
        keypoints_xy=xy.astype(np.float32),
        keypoint_scores=np.where(inside, np.clip(seen, 0.0, 1.0), 0.0).astype(np.float32),
        skeleton=BLAZEPOSE_33,
    )


def _score(belief: float) -> float:
    return min(1.0, belief) if belief >= BELIEVE else DOUBTFUL_SHARE * belief
