# SPDX-License-Identifier: GPL-3.0-or-later
"""Scene descriptions, motions, camera tracks and truths of tools/render_person."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tools.render_person import truth
from tools.render_person.camera_track import camera_track
from tools.render_person.landmarks import GROUP_JOINTS, SKIN_JOINTS, landmark_weights
from tools.render_person.motion_source import join_parts, placed
from tools.render_person.process import clip_files, is_rendered
from tools.render_person.scene import (
    CameraDescription,
    MotionPart,
    PersonDescription,
    SceneDescription,
    load_scenes,
    save_scenes,
    scene_from_json,
)
from vp3d_core.camera import Camera
from vp3d_core.skeletons import JOINTS

SCENE = SceneDescription(
    "walk",
    (PersonDescription((MotionPart("a.bvh", 1.0), MotionPart("b.bvh", turn_deg=90.0)), place_m=(1.0, 2.0)),),
    CameraDescription(azimuth_deg=45.0, handheld=1.0),
)
SIZE = (640, 360)


def standing(count: int, *, heading_rad: float = 0.0, start=(0.0, 0.0), speed: float = 1.0):
    """Joints (T, 25, 3) of a stiff body that moves to where it faces, at 60 Hz; at 0 rad that is -y."""
    body = np.zeros((25, 3))
    body[:, 2] = np.linspace(0.1, 1.7, 25)
    body[0] = 0.0, 0.0, 0.9
    body[JOINTS.index("left_hip")] = 0.1, 0.0, 0.9
    body[JOINTS.index("right_hip")] = -0.1, 0.0, 0.9
    joints = np.tile(body, (count, 1, 1))
    joints[..., 1] -= speed * np.arange(count)[:, None] / 60.0
    cosine, sine = np.cos(heading_rad), np.sin(heading_rad)
    joints = joints @ np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]).T
    joints[..., :2] += start
    return joints


def test_a_scene_survives_json(tmp_path: Path):
    save_scenes(tmp_path / "scenes.json", [SCENE, replace(SCENE, name="other", place="yard")])
    assert load_scenes(tmp_path / "scenes.json") == [SCENE, replace(SCENE, name="other", place="yard")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cameras": {}}, "'cameras' is unknown"),
        ({"camera": {"focal": 3}}, "'focal' is unknown"),
        ({"place": "moon"}, "'moon' is unknown"),
        ({"people": []}, "at least one person"),
        ({"image_size": [641, 360]}, "even"),
        ({"motion_blur": 2.0}, "0 to 1"),
    ],
)
def test_a_wrong_scene_is_refused(change: dict[str, object], message: str):
    scene: dict[str, object] = {"name": "a", "people": [{"motion": [{"file": "a.bvh"}]}]}
    with pytest.raises(ValueError, match=message):
        scene_from_json({**scene, **change})


def test_only_files_of_the_same_scene_count_as_rendered(tmp_path: Path):
    assert not is_rendered(SCENE, tmp_path)
    files = clip_files(SCENE, tmp_path)
    files.video.touch()
    files.truth.touch()
    save_scenes(files.scene, [SCENE])
    assert is_rendered(SCENE, tmp_path)
    assert not is_rendered(replace(SCENE, seed=1), tmp_path)


def test_the_repositorys_scenes_can_be_read():
    folder = Path(__file__).resolve().parents[2] / "tools" / "render_person" / "scenes"
    assert [scene.name for path in sorted(folder.glob("*.json")) for scene in load_scenes(path)] == ["demo"]


def test_sections_are_joined_without_a_jump():
    first = standing(90, heading_rad=0.3)
    second = standing(90, heading_rad=2.0, start=(5.0, -3.0))
    joined = join_parts([first, second])
    assert len(joined) == 180 - 24
    steps = np.linalg.norm(np.diff(joined[:, 0], axis=0), axis=-1)
    np.testing.assert_allclose(steps, 1.0 / 60.0, atol=0.004)
    np.testing.assert_allclose(joined[0], first[0])
    hips = joined[:, JOINTS.index("left_hip")] - joined[:, JOINTS.index("right_hip")]
    np.testing.assert_allclose(hips, np.tile(hips[0], (len(hips), 1)), atol=1e-9)


def test_a_placed_motion_faces_and_stands_where_it_should():
    joints = placed(standing(61, heading_rad=2.0, start=(7.0, 7.0)), middle_m=(1.0, 2.0), turn_rad=np.pi / 2)
    hips = (joints[:, JOINTS.index("left_hip")] - joints[:, JOINTS.index("right_hip")])[0]
    np.testing.assert_allclose(hips, [0.0, 0.2, 0.0], atol=1e-9)
    np.testing.assert_allclose((joints[0, 0] + joints[-1, 0])[:2] / 2, [1.0, 2.0], atol=1e-9)
    np.testing.assert_allclose(joints[-1, 0] - joints[0, 0], [1.0, 0.0, 0.0], atol=1e-9)


def track(points, **changes: object) -> Camera:
    camera = replace(CameraDescription(), **changes)
    return camera_track(camera, points, image_size=SIZE, frame_rate_hz=30.0, seed=3)


def test_the_camera_holds_everybody_and_stands_upright():
    points = np.concatenate([standing(40), standing(40, start=(1.5, 0.5))], axis=1)
    camera = track(points, azimuth_deg=70.0)
    places = camera.project_world_points(points) / SIZE
    assert places.min() > 0.05
    assert places.max() < 0.95
    assert np.ptp(places[..., 1]) > 0.4 or np.ptp(places[..., 0]) > 0.6  # and no farther than it must
    down = camera.world_from_camera[0, :3, 1]
    assert down[2] < -0.9
    np.testing.assert_allclose(camera.world_from_camera[0, 2, 0], 0.0, atol=1e-12)
    np.testing.assert_allclose(camera.world_from_camera[:, 2, 3], 1.4)


def test_azimuth_0_films_the_front_and_90_the_left_side():
    points = standing(3, speed=0.0)
    left, right = JOINTS.index("left_hip"), JOINTS.index("right_hip")
    front = track(points, distance_m=4.0).project_world_points(points)[0]
    assert front[left, 0] > front[right, 0]  # the left hip is on the picture's right
    side = track(points, distance_m=4.0, azimuth_deg=90.0).camera_points(points)[0]
    assert side[left, 2] < side[right, 2]


def test_pitch_and_roll_are_what_was_asked_for():
    points = standing(3)
    camera = track(points, distance_m=4.0, pitch_deg=-20.0, roll_deg=10.0)
    place = camera.world_from_camera[0]
    np.testing.assert_allclose(np.degrees(np.arcsin(place[2, 2])), -20.0)
    upright = camera.project_world_points(np.array([[[0.0, 0.0, 0.5], [0.0, 0.0, 1.5]]]))[0]
    lean = upright[1] - upright[0]
    assert lean[1] < 0
    assert lean[0] > 0  # what is upright leans to the right: the picture is turned clockwise


def test_a_hand_sways_and_a_tripod_does_not():
    points = standing(90)
    still = track(points, distance_m=4.0)
    hand = track(points, distance_m=4.0, handheld=1.0)
    assert np.ptp(still.world_from_camera, axis=0).max() == 0.0
    sway = hand.world_from_camera[:, :3, 3] - still.world_from_camera[:, :3, 3]
    assert 0.005 < sway.std() < 0.03
    rotations = hand.world_from_camera[:, :3, :3]
    np.testing.assert_allclose(
        rotations @ rotations.swapaxes(1, 2), np.tile(np.eye(3), (90, 1, 1)), atol=1e-12
    )
    again = track(points, distance_m=4.0, handheld=1.0)
    np.testing.assert_array_equal(hand.world_from_camera, again.world_from_camera)


def test_a_following_camera_keeps_the_person_in_the_middle():
    points = standing(120, heading_rad=np.pi / 2, start=(-1.0, 0.0))
    camera = track(points, distance_m=4.0, path="follow")
    pelvis = camera.project_world_points(points)[:, 0, 0] / SIZE[0]
    assert np.abs(pelvis - 0.5).max() < 0.05


def test_every_joint_is_a_mean_of_landmarks():
    groups = {name.format(s=s): np.array([k]) for k, name in enumerate(
        {group for shares in GROUP_JOINTS.values() for group in shares}) for s in "lr"}  # fmt: skip
    weights = landmark_weights(groups, num_vertices=14_000)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    for joint, vertices in SKIN_JOINTS.items():
        row = weights[JOINTS.index(joint)]
        assert np.flatnonzero(row).tolist() == sorted(vertices)


def test_a_truth_survives_its_file_and_projects_as_its_camera_does(tmp_path: Path):
    joints = np.stack([standing(20), standing(20, start=(1.0, 0.0))])
    camera = track(np.concatenate(list(joints), axis=1), handheld=1.0)
    bones = truth.BoneTruth(("hip", "leg"), (-1, 0), np.tile(np.eye(4), (2, 1, 1)), np.ones((20, 2, 4, 4)))
    made = truth.ClipTruth(joints, np.ones((2, 20, 4)), camera, 30.0, SIZE, (bones, bones))
    truth.save(tmp_path / "truth.npz", made)
    read = truth.load(tmp_path / "truth.npz")
    np.testing.assert_allclose(read.joints_world, joints, atol=1e-6)
    np.testing.assert_allclose(read.camera.world_from_camera, camera.world_from_camera)
    assert (read.frame_rate_hz, read.image_size, read.bones[1].names) == (30.0, SIZE, ("hip", "leg"))
    depth = read.joints_camera()[..., 2:]
    focal, middle = camera.intrinsics[0, 0], camera.intrinsics[:2, 2]
    np.testing.assert_allclose(read.joints_px(), focal * read.joints_camera()[..., :2] / depth + middle)
    with np.load(tmp_path / "truth.npz") as written:
        np.testing.assert_allclose(written["joints_px"], read.joints_px(), atol=0.01)


def test_another_file_is_no_truth(tmp_path: Path):
    np.savez(tmp_path / "other.npz", format="something", version=1)
    with pytest.raises(ValueError, match=r"is no vp3d\.render_truth"):
        truth.load(tmp_path / "other.npz")
