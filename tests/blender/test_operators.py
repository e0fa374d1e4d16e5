# SPDX-License-Identifier: GPL-3.0-or-later
"""Each operator, blocking as in a script; captures run in the real worker, with keypoints from a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest
from vp3d.vp3d_core import bvh, motion_file
from vp3d.vp3d_core.user_folders import worker_python

from tests.blender.extension import EXTENSION, enabled_extension
from tests.blender.motions import walking

ROOT = Path(__file__).resolve().parents[2]
NUM_FRAMES = 40
MAKE_CLIP = """
import json, sys
from pathlib import Path
import numpy as np
from tests import clips, synthetic
folder, num_frames, size = Path(sys.argv[1]), int(sys.argv[2]), (320, 180)
motion = synthetic.walking_motion(3, num_frames=num_frames, image_size=size)
seen = synthetic.seen_keypoints(motion, 3, noise_px=0.3)
points = np.concatenate([np.nan_to_num(seen.xy), seen.scores[..., None]], axis=-1)[:, :17]
entries = [{"image_id": t, "keypoints": frame.ravel().tolist()} for t, frame in enumerate(points)]
(folder / "keypoints.json").write_text(json.dumps(entries))
pictures = [np.full((size[1], size[0], 3), 120, np.uint8)] * num_frames
clips.write_clip(folder / "walk é.mp4", pictures, rate_hz=30)
"""


@pytest.fixture(scope="module")
def worker() -> str:
    """The Python of the worker environment; tests are skipped where there is none."""
    python = os.environ.get("VP3D_WORKER_PYTHON") or str(worker_python())
    if not Path(python).is_file():
        pytest.skip(f"there is no worker environment: {python}")
    return python


@pytest.fixture(scope="module")
def clip(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grey clip; what would be seen in it lies beside it in keypoints.json."""
    folder = tmp_path_factory.mktemp("footage")
    subprocess.run([worker, "-c", MAKE_CLIP, str(folder), str(NUM_FRAMES)], cwd=ROOT, check=True, timeout=120)
    return folder / "walk é.mp4"


@pytest.fixture
def addon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bpy.types.AddonPreferences]:
    """The extension, enabled, with folders of its own."""
    monkeypatch.setenv("VP3D_HOME", str(tmp_path / "home"))
    with enabled_extension() as preferences:
        preferences.jobs_folder = str(tmp_path / "captures")
        yield preferences


@pytest.fixture
def ready(addon: bpy.types.AddonPreferences, worker: str, clip: Path) -> bpy.types.PropertyGroup:
    """The scene's choices, with a worker and a video."""
    addon.worker_python = worker
    bpy.ops.vp3d.choose_video(filepath=str(clip))
    chosen = bpy.context.scene.vp3d
    chosen.detector, chosen.keypoints_path = "FILE", str(clip.with_name("keypoints.json"))
    return chosen


@pytest.fixture
def walk_path(tmp_path: Path) -> Path:
    path = tmp_path / "walk.npz"
    motion_file.save(path, walking())
    return path


def session() -> bpy.types.PropertyGroup:
    return bpy.context.window_manager.vp3d


def armatures() -> list[str]:
    return [ob.name for ob in bpy.data.objects if ob.type == "ARMATURE"]


def test_a_capture_from_the_video_to_the_armature(ready: bpy.types.PropertyGroup) -> None:
    assert session().worker_state == "READY"
    assert bpy.ops.vp3d.preview_video() == {"FINISHED"}
    assert session().preview_info == "1.3 s at 30 fps"
    assert session().preview_size == "320 × 180, h264"
    assert session().preview_count == 20

    assert bpy.ops.vp3d.capture_video() == {"FINISHED"}
    assert armatures() == ["walk é"]
    armature = bpy.data.objects["walk é"]
    assert armature.animation_data.action is not None
    assert bpy.context.scene.camera is not None
    assert ready.retarget.source == armature
    (job,) = session().jobs
    assert (job.name, job.status, job.motions) == ("walk é", "done", 1)

    assert bpy.ops.vp3d.import_job() == {"FINISHED"}
    assert len(armatures()) == 2
    assert bpy.ops.vp3d.show_log() == {"FINISHED"}
    assert bpy.ops.vp3d.open_job_folder() == {"FINISHED"}
    folder = Path(job.folder)
    assert bpy.ops.vp3d.remove_job() == {"FINISHED"}
    assert not folder.exists()
    assert len(session().jobs) == 0
    assert len(armatures()) == 2


def test_a_capture_that_fails_says_why_and_can_be_resumed(
    ready: bpy.types.PropertyGroup, tmp_path: Path
) -> None:
    keypoints = Path(ready.keypoints_path)
    moved = tmp_path / "later.json"
    ready.keypoints_path = str(moved)
    with pytest.raises(RuntimeError, match="neither a detector nor keypoints that can be read"):
        bpy.ops.vp3d.capture_video()
    (job,) = session().jobs
    assert job.status == "failed"
    assert "neither a detector" in job.message
    assert session().message_kind == "capture"
    bpy.ops.vp3d.dismiss_message()
    assert session().message == ""
    with pytest.raises(RuntimeError, match="holds no motion"):
        bpy.ops.vp3d.import_job()
    moved.write_bytes(keypoints.read_bytes())
    assert bpy.ops.vp3d.resume_job() == {"FINISHED"}
    assert session().jobs[0].status == "done"


@pytest.mark.parametrize("accident", ["callback", "folder"])
def test_a_job_that_cannot_be_followed_is_given_up(
    addon: bpy.types.AddonPreferences, tmp_path: Path, accident: str
) -> None:
    runner = sys.modules[EXTENSION + ".addon.job_runner"]

    def on_end(_job: object) -> None:
        raise ValueError("a surprise")

    folder = tmp_path / "job"
    folder.mkdir()
    seconds = 0.0 if accident == "callback" else 3600.0
    command = [sys.executable, "-c", f"import time; time.sleep({seconds})"]
    job = runner.start("people", "People", folder=folder, command=command, on_end=on_end)
    if accident == "folder":
        shutil.rmtree(folder)
    end_s = time.monotonic() + 60.0
    while runner.running("people") is not None:  # what the timer does in a window
        assert time.monotonic() < end_s
        runner._tick()
    assert not job.worker.running
    assert session().message_kind == "people"
    assert ("a surprise" if accident == "callback" else "FileNotFoundError") in session().message


def test_looking_for_people_where_there_are_none(ready: bpy.types.PropertyGroup) -> None:
    ready.detector = "mediapipe"
    with pytest.raises(RuntimeError, match="Nobody was seen in 40 frames of walk é.mp4"):
        bpy.ops.vp3d.find_people()
    assert session().message_kind == "people"


@pytest.mark.parametrize(
    ("code", "hint", "shown"),
    [
        (
            "cancelled",
            "What is done is kept; start it again with --resume.",
            "Resume goes on",
        ),
        ("worker_missing", "Install the worker: python install.py install", "Preferences, Add-ons, VP3D"),
        ("device_memory", "Use --device cpu.", "choose the CPU"),
        ("output", "Free some space and try again.", "Free some space"),
        ("unknown", "Give --this.", "Give --this."),
    ],
)
def test_hints_speak_of_blender(addon: bpy.types.AddonPreferences, code: str, hint: str, shown: str) -> None:
    assert shown in sys.modules[EXTENSION + ".addon.hints"].hint_in_blender(code, hint)


def test_choices_become_settings(addon: bpy.types.AddonPreferences) -> None:
    properties = sys.modules[EXTENSION + ".addon.properties"]
    scene = bpy.context.scene
    chosen = scene.vp3d
    scene.render.fps = 25
    chosen.know_height, chosen.height_m = True, 1.9
    chosen.lens, chosen.focal_mm = "FOCAL_MM", 28.0
    chosen.use_range, chosen.start_s, chosen.end_s = True, 1.0, 4.0
    chosen.smooth = False
    chosen.mirror = True
    addon.device, addon.threads = "cpu", 3
    settings = properties.capture_settings(scene)
    assert (settings.fps, settings.device, settings.threads) == (25.0, "cpu", 3)
    assert (settings.smooth, settings.mirror) == (False, True)
    assert settings.height_m == pytest.approx(1.9)
    assert (settings.focal_mm, settings.fov_deg, settings.focal_px) == (28.0, None, None)
    assert (settings.start_s, settings.end_s, settings.person) == (1.0, 4.0, ("all",))
    chosen.rate, chosen.know_height, chosen.lens, chosen.who = "VIDEO", False, "ESTIMATE", "longest"
    settings = properties.capture_settings(scene)
    assert (settings.fps, settings.height_m, settings.focal_mm) == (None, None, None)
    assert settings.person == ("longest",)
    chosen.video_path = chosen.people_video = "a.mp4"
    for places, wanted in (("at:1.0:2.0:3.0 at:2.0:2.0:3.0", True), ("at:1.0:9.0:9.0", False)):
        person = chosen.people.add()
        person.places, person.chosen = places, wanted
    assert properties.capture_settings(scene).person == ("at:1.0:2.0:3.0", "at:2.0:2.0:3.0")
    chosen.people[0].chosen = False
    errors = sys.modules[EXTENSION + ".vp3d_core.errors"]
    with pytest.raises(errors.InputError, match="None of the people is ticked"):
        properties.capture_settings(scene)
    chosen.people[0].chosen = True
    chosen.people[1].chosen = True
    assert properties.capture_settings(scene).person == ("all",)


def test_buttons_say_what_is_missing(
    addon: bpy.types.AddonPreferences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VP3D_WORKER_PYTHON", raising=False)
    addon.worker_python = ""  # looks for the worker again
    with pytest.raises(RuntimeError, match="Choose a video first"):
        bpy.ops.vp3d.capture_video()
    bpy.context.scene.vp3d.video_path = "/no/such.mp4"
    with pytest.raises(RuntimeError, match="Install the worker environment first"):
        bpy.ops.vp3d.find_people()
    with pytest.raises(RuntimeError, match="Choose the armature with the motion as source"):
        bpy.ops.vp3d.retarget_motion()
    with pytest.raises(RuntimeError, match="Choose a target first"):
        bpy.ops.vp3d.guess_map()
    with pytest.raises(RuntimeError, match="No video was chosen"):
        bpy.ops.vp3d.choose_video()
    assert bpy.ops.vp3d.drop_video(filepath="/no/such.mov") == {"FINISHED"}
    assert bpy.context.scene.vp3d.video_path == "/no/such.mov"
    with pytest.raises(RuntimeError, match="There is no capture to work on"):
        bpy.ops.vp3d.resume_job()
    assert bpy.ops.vp3d.cancel_job(kind="capture") == {"CANCELLED"}
    bpy.ops.object.armature_add()
    bpy.ops.object.mode_set(mode="POSE")
    with pytest.raises(RuntimeError, match="Only in Object Mode"):
        bpy.ops.vp3d.import_motion(filepath="a.npz")


def test_a_folder_that_is_no_job_is_not_removed(addon: bpy.types.AddonPreferences, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    with pytest.raises(RuntimeError, match="is no job folder"):
        bpy.ops.vp3d.remove_job(folder=str(tmp_path / "precious"))
    assert (tmp_path / "precious").is_dir()


@pytest.mark.parametrize("kind", ["npz", "bvh"])
def test_motion_files_are_imported(
    addon: bpy.types.AddonPreferences, walk_path: Path, tmp_path: Path, kind: str
) -> None:
    path = walk_path
    if kind == "bvh":
        path = tmp_path / "walk.bvh"
        bvh.save(path, walking())
    assert bpy.ops.vp3d.import_motion(filepath=str(path)) == {"FINISHED"}
    assert len(armatures()) == 1
    assert bpy.context.scene.vp3d.retarget.source.name == armatures()[0]
    with pytest.raises(RuntimeError, match="is neither a motion file"):
        bpy.ops.vp3d.import_motion(filepath=str(tmp_path / "walk.txt"))


def test_a_map_is_found_edited_saved_loaded_and_used(
    addon: bpy.types.AddonPreferences, walk_path: Path, tmp_path: Path
) -> None:
    bpy.ops.vp3d.import_motion(filepath=str(walk_path))
    bpy.ops.vp3d.import_motion(filepath=str(walk_path))
    chosen = bpy.context.scene.vp3d.retarget
    first, second = (bpy.data.objects[name] for name in armatures())
    chosen.source, chosen.target = first, first
    with pytest.raises(RuntimeError, match="Source and target are the same"):
        bpy.ops.vp3d.retarget_motion()
    chosen.target = second
    assert bpy.ops.vp3d.guess_map() == {"FINISHED"}
    found = [(item.role, item.bone) for item in chosen.bones]
    assert all(item.bone for item in chosen.bones if item.required)
    assert all(0.0 <= item.confidence <= 1.0 for item in chosen.bones)

    path = tmp_path / "map.json"
    bpy.ops.vp3d.save_map(filepath=str(tmp_path / "map"))
    chosen.bone_index = [role for role, _ in found].index("spine")
    bpy.ops.vp3d.add_map_bone()
    assert (chosen.bones[chosen.bone_index].role, chosen.bones[chosen.bone_index].bone) == ("spine", "")
    bpy.ops.vp3d.remove_map_bone()
    assert [(item.role, item.bone) for item in chosen.bones] == found
    chosen.bones[0].bone = "no such bone"
    with pytest.raises(RuntimeError, match="no such bone"):
        bpy.ops.vp3d.retarget_motion()
    bpy.ops.vp3d.load_map(filepath=str(path))
    assert [(item.role, item.bone) for item in chosen.bones] == found

    before = second.animation_data.action
    assert bpy.ops.vp3d.retarget_motion() == {"FINISHED"}
    assert second.animation_data.action != before
    chosen.target = None
    assert len(chosen.bones) == 0
