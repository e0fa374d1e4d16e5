# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frame of the video a file's keypoints belong to, and how many people a frame has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vp3d_core.detect.keypoint_files import load_keypoint_file
from vp3d_core.errors import KeypointFileError

from .test_keypoint_files import detectron_file, triples, videopose3d_file, walk

Frames = list[int]


def people_in(path: Path, num_frames: int = 20) -> Frames:
    found = load_keypoint_file(path, image_size=(640, 480), num_frames=num_frames)
    return [len(one.scores) for one in found]


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def openpose_folder(folder: Path, numbers: range, people: int = 1) -> Path:
    folder.mkdir()
    for number in numbers:
        entries = [{"pose_keypoints_2d": triples(walk(num_points=25)[0] + n)} for n in range(people)]
        write(folder / f"img_{number:06d}_keypoints.json", {"people": entries})
    return folder


def coco_file(path: Path, numbers: range | list[int], v: float = 2) -> Path:
    images = [{"id": 7 * n, "file_name": f"frames/f_{n:06d}.jpg"} for n in numbers]
    entries = [{"image_id": image["id"], "keypoints": triples(walk()[0], v)} for image in images]
    return write(path, {"images": images, "annotations": entries})


@pytest.mark.parametrize("length", [10, 17, 23, 40])
def test_keypoints_without_numbers_must_be_as_many_as_frames(tmp_path, length):
    with pytest.raises(KeypointFileError, match=f"keypoints for {length} frames, the video has 20"):
        people_in(videopose3d_file(tmp_path / "a.npz", walk(length)))


@pytest.mark.parametrize("length", [18, 21])
def test_a_few_frames_more_or_less_are_taken(tmp_path, length):
    expected = [1] * min(length, 20) + [0] * (20 - length)
    assert people_in(videopose3d_file(tmp_path / "a.npz", walk(length))) == expected


def test_a_detectron_file_of_another_video_is_refused(tmp_path):
    with pytest.raises(KeypointFileError, match="keypoints for 6 frames, the video has 20"):
        people_in(detectron_file(tmp_path / "a.npz", [1] * 6))


@pytest.mark.parametrize("numbers", [range(20), range(1, 21), range(300, 320)])
def test_openpose_folders_count_from_anywhere_when_complete(tmp_path, numbers):
    assert people_in(openpose_folder(tmp_path / "o", numbers, people=2)) == [2] * 20


def test_a_part_of_an_openpose_folder_keeps_its_place(tmp_path):
    assert people_in(openpose_folder(tmp_path / "o", range(5, 8))) == [0] * 5 + [1] * 3 + [0] * 12


@pytest.mark.parametrize("numbers", [range(20), range(1, 21), range(300, 320)])
def test_coco_images_count_from_anywhere_when_complete(tmp_path, numbers):
    assert people_in(coco_file(tmp_path / "a.json", numbers)) == [1] * 20


@pytest.mark.parametrize("first", [0, 1])
def test_coco_images_of_every_fifth_frame_keep_their_places(tmp_path, first):
    assert people_in(coco_file(tmp_path / "a.json", range(first, 20, 5))) == [1, 0, 0, 0, 0] * 4


def test_coco_images_whose_names_tell_no_frame_must_be_all(tmp_path):
    images = [{"id": k, "file_name": f"{name}.jpg"} for k, name in enumerate("abc")]
    with pytest.raises(KeypointFileError, match="keypoints for 3 frames, the video has 20"):
        people_in(write(tmp_path / "a.json", {"images": images, "annotations": []}))


def test_scores_in_place_of_cocos_flags_are_scores(tmp_path):
    path = coco_file(tmp_path / "a.json", range(20), v=0.87)
    found = load_keypoint_file(path, image_size=(640, 480), num_frames=20)
    np.testing.assert_allclose(found[3].keypoint_scores, 0.87, rtol=1e-6)


def test_several_people_of_mmpose(tmp_path):
    instance = {"keypoints": walk()[0].tolist(), "keypoint_scores": [0.8] * 17}
    frames = [{"frame_id": t, "instances": [instance] * (t % 3)} for t in range(20)]
    assert people_in(write(tmp_path / "a.json", frames)) == [t % 3 for t in range(20)]


@pytest.mark.parametrize("number", ["Infinity", "1e400", "9" * 400])
def test_impossible_numbers_are_refused(tmp_path, number):
    frame = json.dumps({"instances": [{"keypoints": walk()[0].tolist(), "keypoint_scores": [0.8] * 17}]})
    (tmp_path / "a.json").write_text(f'[{frame[:-1]}, "frame_id": {number}}}]')
    with pytest.raises(KeypointFileError):
        people_in(tmp_path / "a.json")
