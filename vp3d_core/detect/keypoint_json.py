# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON files of 2D keypoints: MMPose's predictions, COCO's results and annotations, AlphaPose's results.

How frames are told:

- MMPose, ``{"instance_info": [{"frame_id", "instances"}]}`` (its demos): frames from 1, unless one is 0.
- MMPose, ``[{"frame_id", "instances"}]`` (MMPoseInferencer): frames from 0.
- COCO annotations, ``{"images", "annotations"}``: the images in the order of their file names are the frames.
- COCO and AlphaPose results, ``[{"image_id", "keypoints"}]``: the last number in image_id, from 0; from 1
  when the highest is the video's number of frames.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import KeypointFileError
from .seen_person import SeenPerson

__all__ = ["people_of_json"]

FLAG_SCORES = (0.0, 0.5, 1.0)  # COCO's v: not labelled, hidden, visible
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
            return _coco_people(content, path=path)
        if isinstance(content, list) and content and "instances" in content[0]:
            return _mmpose_people(content, first=0)
        if isinstance(content, list) and content and "image_id" in content[0]:
            return _result_people(content, path=path, num_frames=num_frames)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
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


def _coco_people(content: dict[str, Any], *, path: Path) -> list[SeenPerson]:
    images = sorted(content.get("images") or [], key=lambda image: _natural(str(image["file_name"])))
    frames = {image["id"]: frame for frame, image in enumerate(images)}
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
        triples[2::3] = [FLAG_SCORES[int(flag)] for flag in triples[2::3]]
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


def _number(image_id: object) -> int:
    """Return the number that an image id is, or ends with, such as 12 for "frame_000012.jpg"."""
    if isinstance(image_id, int):
        return image_id
    stem = str(image_id).rsplit("/", 1)[-1].rsplit(".", 1)[0]
    match = _LAST_NUMBER.search(stem)
    if match is None:
        raise ValueError(f"image_id {image_id!r} holds no number")
    return int(match[1])


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts frame_2 before frame_10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _describe(content: object) -> str:
    if isinstance(content, dict):
        return f"an object with {', '.join(sorted(map(str, content))[:6]) or 'nothing'}"
    if isinstance(content, list):
        return f"a list of {len(content)} entries of another kind"
    return f"a {type(content).__name__}"
