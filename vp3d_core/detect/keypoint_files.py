# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads 2D keypoints that another program detected, one Detections2D per frame of the video.

- VideoPose3D's ``.npz``: ``data_2d_custom_*.npz`` (its positions_2d), and what its Detectron script writes;
  or one plain array ``keypoints`` (frames, keypoints, 2 or 3).
- ``.json`` of MMPose (predictions), COCO results, COCO annotations, AlphaPose.
- A folder of OpenPose's ``*_keypoints.json``, one a frame; frames without a file hold nobody.

Frame k of a file belongs to frame k of the video, counted from 0; keypoint_json.py tells what counts from 1.
Files without numbers of frames hold one set of keypoints for each frame of the video.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import numpy as np

from ..arrays import Array
from ..errors import KeypointFileError
from ..keypoints import Detections2D
from ..skeletons import KeypointSkeleton
from .boxes import box_around
from .detector import no_detections
from .keypoint_json import check_length, first_number, length_tolerance, people_of_json
from .keypoint_layouts import COCO_WHOLE_BODY, WHOLE_BODY_COLUMNS, skeleton_of
from .object_arrays import read_npz
from .seen_person import SeenPerson

__all__ = ["load_keypoint_file"]

MIN_POINTS = 3  # fewer make no person
BOX_MARGIN = 0.1  # of the box's side, as keypoints lie inside the outline
_OPENPOSE_NAME = re.compile(r"(\d+)_keypoints\.json$")


def load_keypoint_file(
    path: Path | str, *, image_size: tuple[int, int], num_frames: int
) -> list[Detections2D]:
    """Read a file or folder of keypoints.

    Args:
        path: .npz, .json, or a folder.
        image_size: (width, height) px of the video, upright.
        num_frames: Frames of the video; so many results are returned, empty where the file has nothing.

    Raises:
        KeypointFileError: The file is none of the known formats, is damaged, or belongs to another video.
    """
    path = Path(path)
    if path.is_dir():
        people = _openpose_people(path, num_frames=num_frames)
    elif not path.is_file():
        raise KeypointFileError(f"There is no file or folder {path}", hint="Give a file of keypoints.")
    elif path.suffix.lower() == ".npz":
        people = _npz_people(path, num_frames=num_frames)
    elif path.suffix.lower() == ".json":
        people = people_of_json(_read_json(path), path=path, num_frames=num_frames)
    else:
        raise KeypointFileError(
            f"{path} is a {path.suffix or 'file without suffix'}, expected .npz, .json or a folder",
            hint="Give VideoPose3D's npz, MMPose's or COCO's json, or a folder of OpenPose's json files.",
        )
    return _by_frame(people, path=path, image_size=image_size, num_frames=num_frames)


def _by_frame(
    people: list[SeenPerson], *, path: Path, image_size: tuple[int, int], num_frames: int
) -> list[Detections2D]:
    if not people:
        raise KeypointFileError(f"{path} holds no person", hint="Give the keypoints of this video.")
    _check_frames(people, path=path, num_frames=num_frames)
    skeleton = _common_skeleton(people, path=path)
    _check_coordinates(people, path=path, image_size=image_size)
    frames: list[list[SeenPerson]] = [[] for _ in range(num_frames)]
    for person in people:
        if person.frame < num_frames and int((person.scores > 0).sum()) >= MIN_POINTS:
            frames[person.frame].append(person)
    if not any(frames):
        raise KeypointFileError(
            f"{path} holds nobody with {MIN_POINTS} keypoints or more that have numbers and scores above 0",
            hint="Detect them again, or give another file.",
        )
    return [_detections(seen, skeleton=skeleton, image_size=image_size) for seen in frames]


def _check_frames(people: Iterable[SeenPerson], *, path: Path, num_frames: int) -> None:
    first, last = min(person.frame for person in people), max(person.frame for person in people)
    if first < 0:
        raise KeypointFileError(
            f"{path} has keypoints for frame {first}, expected 0 or more",
            hint="Number the frames from the start of the video.",
        )
    if last >= num_frames + length_tolerance(num_frames):
        raise KeypointFileError(
            f"{path} has keypoints for frame {last}, the video has {num_frames} frames",
            hint="Give the keypoints of this video, one set for each of its frames.",
        )


def _common_skeleton(people: list[SeenPerson], *, path: Path) -> KeypointSkeleton:
    counts = sorted({(len(person.scores), person.layout) for person in people})
    if len(counts) > 1:
        found = " and ".join(str(count) for count, _ in counts)
        raise KeypointFileError(f"{path} mixes people of {found} keypoints", hint="Give one layout only.")
    skeleton = skeleton_of(counts[0][0], layout=counts[0][1])
    if skeleton is None:
        raise KeypointFileError(
            f"{path} has {counts[0][0]} keypoints a person, expected 17 (COCO or Human3.6M), "
            "18 or 25 (OpenPose), 26 (Halpe) or 133 (COCO-WholeBody)",
            hint="Convert the file to one of those.",
        )
    return skeleton


def _check_coordinates(people: Iterable[SeenPerson], *, path: Path, image_size: tuple[int, int]) -> None:
    """Refuse keypoints that are not in this picture's px."""
    seen = np.concatenate([person.xy[person.scores > 0] for person in people])
    if not len(seen):
        return
    if (np.abs(seen) <= 1.5).all():
        raise KeypointFileError(
            f"{path} has coordinates from {seen.min():.2f} to {seen.max():.2f}, expected px",
            hint="Write the keypoints in px of the video, not as parts of its size.",
        )
    outside = ((seen < 0) | (seen >= np.asarray(image_size))).any(axis=-1).mean()
    if outside > 0.5:
        raise KeypointFileError(
            f"{path} has {outside:.0%} of its keypoints outside the {image_size[0]}x{image_size[1]} picture",
            hint="Give the keypoints of this video at this size.",
        )


def _detections(
    people: list[SeenPerson], *, skeleton: KeypointSkeleton, image_size: tuple[int, int]
) -> Detections2D:
    if not people:
        return no_detections(skeleton)
    xy = np.array([person.xy for person in people], np.float32)
    scores = np.array([person.scores for person in people], np.float32)
    if skeleton is COCO_WHOLE_BODY:
        xy, scores = xy[:, list(WHOLE_BODY_COLUMNS)], scores[:, list(WHOLE_BODY_COLUMNS)]
    xy = np.where((scores > 0)[..., None], xy, np.nan)
    boxes = [box_around(points, margin=BOX_MARGIN, image_size=image_size) for points in xy]
    return Detections2D(
        boxes_xyxy=np.array(boxes, np.float32),
        scores=np.array([person.score for person in people], np.float32),
        keypoints_xy=xy,
        keypoint_scores=scores,
        skeleton=skeleton,
    )


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise KeypointFileError(
            f"{path} cannot be read as JSON: {error}", hint="Give a file of keypoints."
        ) from error


def _openpose_people(folder: Path, *, num_frames: int) -> list[SeenPerson]:
    """Read a folder of OpenPose's; the number in each file's name is the frame, see ``first_number``."""
    files = [
        (match, file) for file in sorted(folder.iterdir()) if (match := _OPENPOSE_NAME.search(file.name))
    ]
    if not files:
        raise KeypointFileError(
            f"{folder} holds no file named …<number>_keypoints.json",
            hint="Give the folder that OpenPose wrote with --write_json.",
        )
    numbers = [int(match[1]) for match, _ in files]
    if len(set(numbers)) < len(numbers):
        raise KeypointFileError(
            f"{folder} holds two files for the same frame, such as {files[-1][1].name}",
            hint="Give a folder with the files of one video only.",
        )
    people: list[SeenPerson] = []
    first = first_number(numbers, num_frames=num_frames)
    for number, (_, file) in zip(numbers, files, strict=True):
        content = _read_json(file)
        entries = content.get("people") if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise KeypointFileError(f"{file} has no list of people", hint="Give what OpenPose wrote.")
        for entry in entries:
            values = entry.get("pose_keypoints_2d") if isinstance(entry, dict) else None
            people.append(SeenPerson.from_triples(number - first, values, where=str(file)))
    return people


@dataclass(frozen=True, slots=True, eq=False)
class _Sequence:
    name: str
    keypoints: Array


def _npz_people(path: Path, *, num_frames: int) -> list[SeenPerson]:
    content = read_npz(path)
    if "positions_2d" in content:
        layout = ""
        if isinstance(content.get("metadata"), Mapping):
            layout = str(content["metadata"].get("layout_name", ""))  # type: ignore[union-attr]
        sequences = _sequences(content["positions_2d"], path=path)
        keypoints = _sequence_of_video(sequences, path=path, num_frames=num_frames).keypoints
        return [SeenPerson.from_points(t, points, layout=layout) for t, points in enumerate(keypoints)]
    frames = content.get("keypoints")
    if isinstance(frames, list):
        check_length(len(frames), path=path, num_frames=num_frames)
        return _detectron_people(frames, path=path)
    if _is_sequence(frames):
        check_length(len(frames), path=path, num_frames=num_frames)
        return [SeenPerson.from_points(t, points) for t, points in enumerate(frames)]
    found = [
        f"{name} {value.shape}" if isinstance(value, np.ndarray) else name
        for name, value in sorted(content.items())
    ]
    raise KeypointFileError(
        f"{path} holds {', '.join(found) or 'nothing'}, expected positions_2d, or keypoints of shape "
        "(frames, keypoints, 2 or 3)",
        hint="Give an .npz file as VideoPose3D writes it, or one array of one person's keypoints.",
    )


def _is_sequence(value: object) -> TypeGuard[Array]:
    return isinstance(value, np.ndarray) and value.ndim == 3 and value.shape[2] in (2, 3)


def _sequences(value: object, *, path: Path, name: str = "") -> list[_Sequence]:
    """Collect the arrays (T, K, 2 or 3) of a nest of dicts (video, action) and lists (cameras)."""
    if _is_sequence(value):
        return [_Sequence(name, value.astype(np.float64))]
    if isinstance(value, dict):
        parts = [(f"{name}/{key}".strip("/"), item) for key, item in value.items()]
    elif isinstance(value, list):
        parts = [(f"{name}/{index}", item) for index, item in enumerate(value)]
    else:
        raise KeypointFileError(
            f"{path} has something else than arrays (frames, keypoints, 2) under positions_2d/{name}",
            hint="Give an .npz file as VideoPose3D's prepare_data_2d_custom.py writes it.",
        )
    return [sequence for part, item in parts for sequence in _sequences(item, path=path, name=part)]


def _sequence_of_video(sequences: list[_Sequence], *, path: Path, num_frames: int) -> _Sequence:
    fitting = sequences if len(sequences) == 1 else [s for s in sequences if len(s.keypoints) == num_frames]
    if len(fitting) == 1:
        check_length(len(fitting[0].keypoints), path=path, num_frames=num_frames)
        return fitting[0]
    found = ", ".join(f"{s.name} ({len(s.keypoints)} frames)" for s in sequences[:8])
    raise KeypointFileError(
        f"{path} holds {len(sequences)} sequences ({found}…), {len(fitting)} of them with the "
        f"video's {num_frames} frames, expected one",
        hint="Give a file with the keypoints of this video only.",
    )


def _detectron_people(frames: list[object], *, path: Path) -> list[SeenPerson]:
    """Read what VideoPose3D's Detectron scripts write: [[], (D, 4, K)] a frame, of x, y, logit, score."""
    people: list[SeenPerson] = []
    for t, frame in enumerate(frames):
        found = frame[-1] if isinstance(frame, list) and frame else frame
        if not isinstance(found, (np.ndarray, list)):
            raise KeypointFileError(f"{path} has no array of keypoints in frame {t}", hint="Write it again.")
        array = np.asarray(found, np.float64)
        if array.size == 0:
            continue
        if array.ndim != 3 or array.shape[1] != 4:
            raise KeypointFileError(
                f"{path} has keypoints of shape {array.shape} in frame {t}, expected (people, 4, keypoints)",
                hint="Give what VideoPose3D's inference/infer_video_d2.py writes.",
            )
        people += [SeenPerson.from_points(t, person[[0, 1, 3]].T) for person in array]
    return people
