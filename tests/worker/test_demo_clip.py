# SPDX-License-Identifier: GPL-3.0-or-later
"""The committed demo clip and its truth belong together."""

from pathlib import Path

import numpy as np
import pytest

from tools.render_person import truth
from tools.render_person.process import clip_files
from tools.render_person.scene import load_scenes
from vp3d_core.camera import focal_px_from_mm
from vp3d_core.motion import CONTACT_JOINTS
from vp3d_core.skeletons import JOINTS
from vp3d_core.video.reader import probe, read_frames

pytestmark = [pytest.mark.worker, pytest.mark.video]

ROOT = Path(__file__).resolve().parents[2]
SCENE = load_scenes(ROOT / "tools" / "render_person" / "scenes" / "demo.json")[0]
FILES = clip_files(SCENE, ROOT / "examples")


@pytest.fixture(scope="module")
def clip():
    return truth.load(FILES.truth)


def test_the_truth_has_the_clips_frames_size_and_rate(clip):
    info = probe(FILES.video)
    assert info.image_size == clip.image_size == SCENE.image_size
    assert info.average_rate_hz == pytest.approx(clip.frame_rate_hz)
    assert sum(1 for _ in read_frames(FILES.video, max_side=64)) == clip.joints_world.shape[1]
    assert 8.0 <= info.duration_s <= 10.0


def test_the_clip_is_small_enough_for_a_repository():
    assert FILES.video.stat().st_size < 3_000_000
    assert FILES.truth.stat().st_size < 1_000_000


def test_the_camera_is_the_scenes(clip):
    focal = focal_px_from_mm(SCENE.camera.focal_mm, image_size=SCENE.image_size)
    assert clip.camera.intrinsics[0, 0] == pytest.approx(focal)
    np.testing.assert_allclose(clip.camera.world_from_camera[:, 2, 3], SCENE.camera.height_m, atol=1e-5)
    inside = (clip.joints_px() > 0) & (clip.joints_px() < np.array(clip.image_size))
    assert inside.all()


def test_the_body_has_constant_bones_and_stands_on_the_floor(clip):
    joints = clip.joints_world[0]
    limbs = [("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")]
    for side in ("left", "right"):
        for a, b in limbs:
            ends = joints[:, JOINTS.index(f"{side}_{a}")] - joints[:, JOINTS.index(f"{side}_{b}")]
            lengths = np.linalg.norm(ends, axis=-1)
            assert np.ptp(lengths) < 0.002
            assert 0.2 < lengths.mean() < 0.5
    feet = joints[:, [JOINTS.index(joint) for joint in CONTACT_JOINTS]]
    standing = clip.contacts[0] > 0.9
    assert standing.any(axis=1).mean() > 0.6
    assert np.abs(feet[..., 2][standing]).max() < 0.06
    assert feet[..., 2].min() > 0.0


def test_the_person_is_drawn_where_the_truth_says(clip):
    """The background is the pixel's median over time; where the body is, the picture differs from it."""
    frames = np.stack([frame.rgb for frame in read_frames(FILES.video, every=6)]).astype(np.int16)
    background = np.median(frames, axis=0)
    differs = np.abs(frames - background).max(axis=-1) > 25
    places = np.round(clip.joints_px()[0, ::6]).astype(int)
    trunk = [JOINTS.index(joint) for joint in ("pelvis", "spine", "thorax", "left_hip", "right_hip")]
    hits = [differs[t, y, x] for t in range(len(frames)) for x, y in places[t, trunk]]
    assert np.mean(hits) > 0.8
