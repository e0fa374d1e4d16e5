# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON files of 2D keypoints: MMPose's predictions, COCO's results and annotations, AlphaPose's results.

How frames are told:

- MMPose, ``{"instance_info": [{"frame_id", "instances"}]}`` (its demos): frames from 1, unless one is 0.
- MMPose, ``[{"frame_id", "instances"}]`` (MMPoseInferencer): frames from 0.
- COCO annotations, ``{"images", "annotations"}``: the last number in an image's file name, from
  ``first_number``; names without numbers are the frames in their order.
- COCO and AlphaPose results, ``[{"image_id", "keypoints"}]``: the last number in image_id, from 0; from 1
  when the highest is the video's number of frames.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import KeypointFileError
from .seen_person import SeenPerson

__all__ = ["check_length", "first_number", "length_tolerance", "people_of_json"]

# Programs count a few frames differently: this share of the video, and so many frames.
LENGTH_SHARE, LENGTH_FRAMES = 0.02, 2

FLAG_SCORES = {0: 0.0, 1: 0.5, 2: 1.0}  # COCO's v: not labelled, hidden, visible
_LAST_NUMBER = re.compile(r"(\d+)\D*$")


def people_of_json(content: object, *, path: Path, num_frames: int) -> list[SeenPerson]:
    """Return the people of a JSON file, whichever of the known kinds it is.

    Args:
        content: What the file holds.
        path: For messages.
        num_frames: Of the video.

    Raises:
        KeypointFileError: It is none of the kinds.
    """
    try:
        if isinstance(content, dict) and "instance_info" in content:
            return _mmpose_people(content["instance_info"], first=None)
        if isinstance(content, dict) and "annotations" in content:
            return _coco_people(content, path=path, num_frames=num_frames)
        if isinstance(content, list) and content and "instances" in content[0]:
            return _mmpose_people(content, first=0)
        if isinstance(content, list) and content and "image_id" in content[0]:
            return _result_people(content, path=path, num_frames=num_frames)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise KeypointFileError(
            f"{path} has an entry that cannot be read: {type(error).__name__}: {error}",
            hint="Write the file again with the program that made it.",
        ) from error
    raise KeypointFileError(
        f"{path} is {_describe(content)}, expected MMPose's predictions, or COCO's results or annotations",
        hint="Give one of those, VideoPose3D's npz, or a folder of OpenPose's json files.",
    )


def _mmpose_people(frames: list[Any], *, first: int | None) -> list[SeenPerson]:
    numbers = [int(frame["frame_id"]) for frame in frames]
    if first is None:
        first = 0 if 0 in numbers else 1
    people: list[SeenPerson] = []
    for number, frame in zip(numbers, frames, strict=True):
        for instance in frame["instances"]:
            xy = np.array(instance["keypoints"], np.float64).reshape(len(instance["keypoint_scores"]), -1)
            points = np.column_stack([xy[:, :2], np.array(instance["keypoint_scores"], np.float64)])
            score = instance.get("bbox_score")
            score = float(np.ravel(score)[0]) if score is not None else None
            people.append(SeenPerson.from_points(number - first, points, score=score))
    return people


def _coco_people(content: dict[str, Any], *, path: Path, num_frames: int) -> list[SeenPerson]:
    images = sorted(content.get("images") or [], key=lambda image: _natural(str(image["file_name"])))
    numbers = [_last_number(str(image["file_name"])) for image in images]
    told = [number for number in numbers if number is not None]
    if len(set(told)) < len(images):
        check_length(len(images), path=path, num_frames=num_frames)
        told = list(range(len(images)))
    first = first_number(told, num_frames=num_frames)
    frames = {image["id"]: number - first for number, image in zip(told, images, strict=True)}
    of_person = [entry["keypoints"][2::3] for entry in content["annotations"] if "keypoints" in entry]
    flagged = all(value in FLAG_SCORES for values in of_person for value in values)
    people: list[SeenPerson] = []
    for entry in content["annotations"]:
        if "keypoints" not in entry:
            continue
        if entry["image_id"] not in frames:
            raise KeypointFileError(
                f"{path} has an annotation for image {entry['image_id']!r}, which is not among its "
                f"{len(images)} images",
                hint="Give the whole annotation file.",
            )
        triples = list(entry["keypoints"])
        if flagged:  # detectors write their scores there
            triples[2::3] = [FLAG_SCORES[flag] for flag in triples[2::3]]
        people.append(SeenPerson.from_triples(frames[entry["image_id"]], triples, where=str(path), score=1.0))
    return people


def _result_people(entries: list[Any], *, path: Path, num_frames: int) -> list[SeenPerson]:
    numbers = [_number(entry["image_id"]) for entry in entries]
    first = 1 if max(numbers) == num_frames and 0 not in numbers else 0
    return [
        SeenPerson.from_triples(
            number - first, entry["keypoints"], where=str(path), score=float(entry.get("score", 1.0))
        )
        for number, entry in zip(numbers, entries, strict=True)
    ]


def check_length(length: int, *, path: Path, num_frames: int) -> None:
    """Refuse keypoints without numbers of frames which cannot be one set for each frame of the video."""
    if not _is_length(length, num_frames):
        raise KeypointFileError(
            f"{path} has keypoints for {length} frames, the video has {num_frames}",
            hint="Give the keypoints of this video, one set for each of its frames.",
        )


def first_number(numbers: Sequence[int], *, num_frames: int) -> int:
    """Return which of the numbers of a video's frames is the first's.

    The lowest, when there is one for each frame and none is left out; else 1 where it is the lowest, or 0.

    Args:
        numbers: Of all frames that were looked at, with or without people.
        num_frames: Of the video.
    """
    low, high = min(numbers, default=0), max(numbers, default=0)
    if high - low + 1 == len(numbers) and _is_length(len(numbers), num_frames):
        return low
    return 1 if low == 1 else 0


def length_tolerance(num_frames: int) -> float:
    """Return by how many frames a file may be longer or shorter than a video."""
    return num_frames * LENGTH_SHARE + LENGTH_FRAMES


def _is_length(length: int, num_frames: int) -> bool:
    return abs(length - num_frames) <= length_tolerance(num_frames)


def _number(image_id: object) -> int:
    """Return the number that an image id is, or ends with, such as 12 for "frame_000012.jpg"."""
    if isinstance(image_id, int):
        return image_id
    number = _last_number(str(image_id))
    if number is None:
        raise ValueError(f"image_id {image_id!r} holds no number")
    return number


def _last_number(name: str) -> int | None:
    match = _LAST_NUMBER.search(name.rsplit("/", 1)[-1].rsplit(".", 1)[0])
    return None if match is None else int(match[1])


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts frame_2 before frame_10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _describe(content: object) -> str:
    if isinstance(content, dict):
        return f"an object with {', '.join(sorted(map(str, content))[:6]) or 'nothing'}"
    if isinstance(content, list):
        return f"a list of {len(content)} entries of another kind"
    return f"a {type(content).__name__}"
