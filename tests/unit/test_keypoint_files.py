# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of other programs' keypoints: what is read, and what is refused."""

from __future__ import annotations

import json
import os
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vp3d_core.detect.keypoint_files import load_keypoint_file
from vp3d_core.detect.keypoint_layouts import COCO_WHOLE_BODY, OPENPOSE_18, OPENPOSE_25
from vp3d_core.errors import KeypointFileError
from vp3d_core.skeletons import COCO_17, H36M_17, HALPE_26

SIZE = (640, 480)


def walk(num_frames: int = 6, num_points: int = 17) -> np.ndarray:
    """Keypoints (T, K, 2) px of somebody who moves to the right."""
    rng = np.random.default_rng(0)
    body = rng.uniform([200, 100], [300, 400], size=(num_points, 2))
    return body + np.arange(num_frames)[:, None, None] * np.array([10.0, 0.0])


def triples(xy: np.ndarray, score: float = 0.9) -> list[float]:
    return np.column_stack([xy, np.full(len(xy), score)]).ravel().tolist()


def load(path: Path, num_frames: int = 6):
    return load_keypoint_file(path, image_size=SIZE, num_frames=num_frames)


def videopose3d_file(path: Path, keypoints: np.ndarray, layout: str = "coco", **more: np.ndarray) -> Path:
    """Written as VideoPose3D's prepare_data_2d_custom.py does."""
    videos = {"clip.mp4": {"custom": [keypoints.astype("float32")]}} | {
        name: {"custom": [array]} for name, array in more.items()
    }
    metadata = {
        "layout_name": layout,
        "num_joints": 17,
        "keypoints_symmetry": [[1, 3], [2, 4]],
        "video_metadata": {},
    }
    np.savez_compressed(path, positions_2d=videos, metadata=metadata)  # type: ignore[arg-type]
    return path


def test_videopose3d_npz(tmp_path):
    detections = load(videopose3d_file(tmp_path / "data_2d_custom_x.npz", walk()))
    assert len(detections) == 6
    for t, found in enumerate(detections):
        assert found.skeleton is COCO_17
        np.testing.assert_allclose(found.keypoints_xy, walk()[t : t + 1], rtol=1e-6)
        assert (found.keypoint_scores == 1).all()
    left, top, right, bottom = detections[0].boxes_xyxy[0]
    assert left < walk()[0, :, 0].min() < walk()[0, :, 0].max() < right
    assert top < walk()[0, :, 1].min() < walk()[0, :, 1].max() < bottom


def test_human36m_layout_is_told_from_coco(tmp_path):
    detections = load(videopose3d_file(tmp_path / "a.npz", walk(), layout="h36m"))
    assert detections[0].skeleton is H36M_17


def test_the_sequence_with_the_videos_length_is_taken(tmp_path):
    path = videopose3d_file(tmp_path / "a.npz", walk(9), other=walk(6).astype("float32"))
    np.testing.assert_allclose(load(path)[5].keypoints_xy[0], walk()[5], rtol=1e-6)


def test_several_sequences_that_fit_are_refused(tmp_path):
    path = videopose3d_file(tmp_path / "a.npz", walk(), other=walk().astype("float32"))
    with pytest.raises(KeypointFileError, match="2 sequences"):
        load(path)


def detectron_file(path: Path, people_per_frame: list[int], *, by_columns: bool = False) -> Path:
    """Written as VideoPose3D's infer_video_d2.py does: an object array (T, 2)."""
    frames = []
    for t, count in enumerate(people_per_frame):
        people = [np.stack([*(walk()[t] + 5 * n).T, np.zeros(17), np.full(17, 0.7)]) for n in range(count)]
        frames.append([[], np.array(people, "float32").reshape(-1, 4, 17)])
    keypoints = np.array(frames, dtype=object)
    assert keypoints.shape == (len(people_per_frame), 2)
    keypoints = np.asfortranarray(keypoints) if by_columns else keypoints
    np.savez_compressed(path, keypoints=keypoints, boxes=keypoints, segments=np.array([None] * len(frames)))
    return path


@pytest.mark.parametrize("by_columns", [False, True])
def test_detectron_npz(tmp_path, by_columns):
    detections = load(detectron_file(tmp_path / "d.npz", [1, 0, 2, 0, 0, 1], by_columns=by_columns))
    assert [len(found.scores) for found in detections] == [1, 0, 2, 0, 0, 1]
    np.testing.assert_allclose(detections[2].keypoint_scores, 0.7, rtol=1e-6)
    np.testing.assert_allclose(detections[2].keypoints_xy, [walk()[2], walk()[2] + 5], rtol=1e-6)


@pytest.mark.parametrize("kind", [">f4", "<i2", "f8"])
def test_numbers_of_any_byte_order_and_array_order(tmp_path, kind):
    videos = {"clip": {"custom": [np.asfortranarray(walk().astype(kind))]}}
    np.savez(tmp_path / "a.npz", positions_2d=videos)  # type: ignore[arg-type]
    np.testing.assert_allclose(load(tmp_path / "a.npz")[3].keypoints_xy[0], walk()[3], atol=1.0)


class Malicious:
    def __reduce__(self):
        return os.system, ("touch vp3d_was_here",)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_malicious_npz_runs_nothing(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    head = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    content = head + pickle.dumps({"clip": Malicious()}, protocol=protocol)
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive:
        archive.writestr("positions_2d.npy", content)
    with pytest.raises(KeypointFileError, match="system.* refused"):
        load(tmp_path / "bad.npz")
    assert not (tmp_path / "vp3d_was_here").exists()


def test_an_npz_of_something_else(tmp_path):
    np.savez(tmp_path / "a.npz", weights=np.zeros(3))
    with pytest.raises(KeypointFileError, match=r"holds weights \(3,\), expected positions_2d"):
        load(tmp_path / "a.npz")


@pytest.mark.parametrize("score", [None, 0.8])
def test_an_npz_with_one_plain_array(tmp_path, score):
    columns = [walk()] if score is None else [walk(), np.full((6, 17, 1), score)]
    np.savez(tmp_path / "a.npz", keypoints=np.concatenate(columns, axis=-1))
    detections = load(tmp_path / "a.npz")
    assert detections[0].skeleton is COCO_17
    np.testing.assert_allclose(detections[3].keypoints_xy[0], walk()[3], rtol=1e-6)
    np.testing.assert_allclose(detections[3].keypoint_scores, score or 1.0, rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 34), (6, 17, 4), (6, 1, 17, 2)])
def test_an_array_of_another_shape_is_told_with_the_one_expected(tmp_path, shape):
    np.savez(tmp_path / "a.npz", keypoints=np.ones(shape))
    found = re.escape(f"holds keypoints {shape}, expected positions_2d, or keypoints of shape (frames, ")
    with pytest.raises(KeypointFileError, match=found):
        load(tmp_path / "a.npz")


def test_keypoints_that_are_all_nan_are_the_files_fault(tmp_path):
    path = videopose3d_file(tmp_path / "a.npz", np.full_like(walk(), np.nan))
    with pytest.raises(KeypointFileError, match="holds nobody with 3 keypoints or more"):
        load(path)


def test_a_truncated_npz(tmp_path):
    path = videopose3d_file(tmp_path / "a.npz", walk())
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(KeypointFileError, match="cannot be read"):
        load(path)


def test_an_npz_with_a_damaged_array(tmp_path):
    path = videopose3d_file(tmp_path / "x.npz", walk())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("positions_2d.npy").header_offset + 60
    content = bytearray(path.read_bytes())
    content[start : start + 40] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(KeypointFileError, match="cannot be read"):
        load(path)


def test_mmpose_demo_json_counts_from_one(tmp_path):
    frames = [
        {
            "frame_id": t + 1,
            "instances": [
                {
                    "keypoints": walk(num_points=26)[t].tolist(),
                    "keypoint_scores": [0.8] * 26,
                    "bbox": [[1.0, 2.0, 3.0, 4.0]],
                    "bbox_score": 0.95,
                }
            ],
        }
        for t in range(6)
    ]
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"meta_info": {}, "instance_info": frames}))
    detections = load(path)
    assert detections[0].skeleton is HALPE_26
    np.testing.assert_allclose(detections[5].keypoints_xy[0], walk(num_points=26)[5], rtol=1e-6)
    np.testing.assert_allclose(detections[5].scores, 0.95, rtol=1e-6)


def test_mmpose_inferencer_json_counts_from_zero(tmp_path):
    frames = [
        {"frame_id": t, "instances": [{"keypoints": walk()[t].tolist(), "keypoint_scores": [0.8] * 17}]}
        for t in (1, 2)
    ]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(frames))
    assert [len(found.scores) for found in load(path)] == [0, 1, 1, 0, 0, 0]


def test_coco_annotations(tmp_path):
    images = [{"id": 70 + t, "file_name": f"frame_{t}_cam1.jpg"} for t in (10, 2, 1, 11, 12, 20)]
    flagged = triples(walk()[0], 2)
    flagged[2], flagged[5] = 0, 1
    annotations = [{"image_id": 72, "id": 1, "category_id": 1, "keypoints": flagged}]
    path = tmp_path / "coco.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    detections = load(path)
    assert [len(found.scores) for found in detections] == [0, 1, 0, 0, 0, 0]
    assert detections[1].keypoint_scores[0, :3].tolist() == [0.0, 0.5, 1.0]
    assert np.isnan(detections[1].keypoints_xy[0, 0]).all()


@pytest.mark.parametrize(
    ("first", "name"), [(0, "{}"), (1, "{}"), (0, "{}.jpg"), (0, "seq/frame_{:06d}.png")]
)
def test_result_lists(tmp_path, first, name):
    entries = [
        {"image_id": name.format(t + first), "category_id": 1, "keypoints": triples(walk()[t]), "score": 2.9}
        for t in range(6)
    ]
    path = tmp_path / "alphapose-results.json"
    path.write_text(json.dumps(entries))
    detections = load(path)
    assert [len(found.scores) for found in detections] == [1] * 6
    np.testing.assert_allclose(detections[3].keypoints_xy[0], walk()[3], rtol=1e-6)
    assert detections[3].scores[0] == 1.0


def test_whole_body_keeps_body_feet_and_knuckles(tmp_path):
    points = walk(1, 133)[0]
    entries = [{"image_id": 0, "category_id": 1, "keypoints": triples(points), "score": 0.5}]
    path = tmp_path / "w.json"
    path.write_text(json.dumps(entries))
    found = load(path)[0]
    assert found.skeleton is COCO_WHOLE_BODY
    index = found.skeleton.index
    np.testing.assert_allclose(found.keypoints_xy[0, index("left_heel")], points[19], rtol=1e-6)
    np.testing.assert_allclose(found.keypoints_xy[0, index("right_pinky")], points[129], rtol=1e-6)


@pytest.mark.parametrize(("count", "skeleton"), [(25, OPENPOSE_25), (18, OPENPOSE_18)])
def test_openpose_folder_with_missing_frames(tmp_path, count, skeleton):
    for t in (0, 2, 3):
        points = triples(walk(num_points=count)[t])
        points[0:3] = [0, 0, 0]
        people = [{"person_id": [-1], "pose_keypoints_2d": points}] if t != 3 else []
        (tmp_path / f"clip_{t:012d}_keypoints.json").write_text(
            json.dumps({"version": 1.3, "people": people})
        )
    (tmp_path / "notes.txt").write_text("not a keypoint file")
    detections = load(tmp_path)
    assert [len(found.scores) for found in detections] == [1, 0, 1, 0, 0, 0]
    assert detections[2].skeleton is skeleton
    np.testing.assert_allclose(detections[2].keypoints_xy[0, 1:], walk(num_points=count)[2, 1:], rtol=1e-6)
    assert detections[2].keypoint_scores[0, 0] == 0
    assert np.isnan(detections[2].keypoints_xy[0, 0]).all()


def test_openpose_names_agree_with_openpose():
    assert OPENPOSE_25.points[8] == "mid_hip"
    assert OPENPOSE_25.points[19] == "left_big_toe"
    assert OPENPOSE_25.points[24] == "right_heel"
    assert OPENPOSE_18.points[14:] == ("right_eye", "left_eye", "right_ear", "left_ear")


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_an_empty_folder(tmp_path):
    with pytest.raises(KeypointFileError, match="no file named"):
        load(tmp_path)


def test_a_folder_of_two_videos(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / f"{name}_000000000000_keypoints.json", {"people": []})
    with pytest.raises(KeypointFileError, match="two files for the same frame"):
        load(tmp_path)


def test_other_json(tmp_path):
    with pytest.raises(KeypointFileError, match="an object with shapes, version"):
        load(write(tmp_path / "a.json", {"version": 1, "shapes": []}))


def test_broken_json(tmp_path):
    (tmp_path / "a.json").write_text('{"people": [')
    with pytest.raises(KeypointFileError, match="cannot be read as JSON"):
        load(tmp_path / "a.json")


def test_a_json_with_a_broken_entry(tmp_path):
    with pytest.raises(KeypointFileError, match="cannot be read"):
        load(write(tmp_path / "a.json", [{"image_id": 0}]))


def test_a_longer_video_is_meant(tmp_path):
    entries = [{"image_id": t, "keypoints": triples(points)} for t, points in enumerate(walk(40) / 2)]
    with pytest.raises(KeypointFileError, match="frame 39, the video has 6"):
        load(write(tmp_path / "a.json", entries))


def test_two_keypoints_make_no_person(tmp_path):
    few = triples(walk()[0], 0.0)
    few[2] = few[5] = 0.9
    entries = [{"image_id": t, "keypoints": triples(walk()[0]) if t else few} for t in range(6)]
    assert [len(found.scores) for found in load(write(tmp_path / "a.json", entries))] == [0, 1, 1, 1, 1, 1]


def test_parts_of_the_size_are_no_px(tmp_path):
    with pytest.raises(KeypointFileError, match="expected px"):
        load(videopose3d_file(tmp_path / "a.npz", walk() / 1000))


def test_frames_before_the_first_are_refused(tmp_path):
    entries = [{"image_id": t - 2, "keypoints": triples(points)} for t, points in enumerate(walk())]
    (tmp_path / "x.json").write_text(json.dumps(entries))
    with pytest.raises(KeypointFileError, match="keypoints for frame -2, expected 0 or more"):
        load(tmp_path / "x.json")


def test_a_byte_order_mark_is_no_obstacle(tmp_path):
    entries = [{"image_id": t, "keypoints": triples(points)} for t, points in enumerate(walk())]
    (tmp_path / "x.json").write_text(json.dumps(entries), encoding="utf-8-sig")
    assert len(load(tmp_path / "x.json")[0].scores) == 1


def test_another_size_is_meant(tmp_path):
    with pytest.raises(KeypointFileError, match="outside the 640x480"):
        load(videopose3d_file(tmp_path / "a.npz", walk() * 6))


def test_an_unknown_number_of_keypoints(tmp_path):
    with pytest.raises(KeypointFileError, match="21 keypoints a person, expected 17"):
        load(videopose3d_file(tmp_path / "a.npz", walk(num_points=21)))


@pytest.mark.parametrize("name", ["missing.npz", "a.txt"])
def test_no_such_file_or_kind(tmp_path, name):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(KeypointFileError, match=r"no file|expected \.npz"):
        load(tmp_path / name)
