# SPDX-License-Identifier: GPL-3.0-or-later
"""Videos to files without a window: the real command, the real worker, files read back in.

The clips are grey; what a detector would see in them lies in a keypoint file.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import pytest
from vp3d.addon.armature import build_armature
from vp3d.vp3d_core import motion_file
from vp3d.vp3d_core.armature_plan import plan_armature, rest_joints
from vp3d.vp3d_core.arrays import Array
from vp3d.vp3d_core.motion import Motion
from vp3d.vp3d_core.user_folders import worker_python

pytestmark = [
    # Blender 5.2's FBX exporter under NumPy 2.5.
    pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning"),
    pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there"),
]

ROOT = Path(__file__).resolve().parents[2]
HEADLESS = ROOT / "addon" / "headless.py"
EXPORTS = ("fbx", "glb", "bvh")
TIMEOUT_S = 240
TOLERANCE_M = 0.002
MAKE_CLIPS = """
import json, sys
from pathlib import Path
import numpy as np
from tests import clips, synthetic
folder, num_frames, size = Path(sys.argv[1]), 40, (320, 180)
motion = synthetic.walking_motion(3, num_frames=num_frames, image_size=size)
seen = synthetic.seen_keypoints(motion, 3, noise_px=0.3)
points = np.concatenate([np.nan_to_num(seen.xy), seen.scores[..., None]], axis=-1)[:, :17]
entries = [{"image_id": t, "keypoints": frame.ravel().tolist()} for t, frame in enumerate(points)]
(folder / "keypoints.json").write_text(json.dumps(entries))
(folder / "footage").mkdir()
(folder / "footage" / "broken.mp4").write_text("This is no video.")
for name, grey in (("a walk.mp4", 90), ("walk é.mp4", 150)):
    pictures = [np.full((size[1], size[0], 3), grey, np.uint8)] * num_frames
    clips.write_clip(folder / "footage" / name, pictures, rate_hz=30)
"""


@functools.cache
def worker() -> str:
    """The Python of the worker environment; the tests are skipped where there is none."""
    python = os.environ.get("VP3D_WORKER_PYTHON") or str(worker_python())
    try:
        done = subprocess.run(
            [python, "-c", "import torch, av"], capture_output=True, check=False, timeout=120
        )
    except OSError as error:
        pytest.skip(f"there is no worker environment: {error}")
    if done.returncode:
        pytest.skip(f"{python} is no worker environment: {done.stderr.decode()[-200:]}")
    return python


def command(*words: str) -> list[str]:
    """The command line that a user would type, in this Blender."""
    options = [*words, "--worker-python", worker(), "--device", "cpu", "--threads", "1"]
    if bpy.app.binary_path:
        start = [bpy.app.binary_path, "-b", "--factory-startup", "--python-exit-code", "1"]
        return [*start, "--python", str(HEADLESS), "--", *options]
    return [sys.executable, str(HEADLESS), *options]


def convert(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        command(*words), capture_output=True, text=True, encoding="utf-8", check=False, timeout=TIMEOUT_S
    )


@dataclass(frozen=True)
class Run:
    """A finished batch."""

    folder: Path
    done: subprocess.CompletedProcess[str]

    @property
    def out(self) -> Path:
        """The output folder."""
        return self.folder / "out"

    @property
    def words(self) -> list[str]:
        """The options that it was run with."""
        exports = [word for kind in EXPORTS for word in ("--export", kind)]
        return [str(self.folder / "footage"), *batch_options(self.folder), "-o", str(self.out), *exports]


def batch_options(folder: Path) -> list[str]:
    """The options of all captures."""
    return ["--detector", str(folder / "keypoints.json"), "--fov", "60"]


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keypoints, and footage of two good clips and a broken one."""
    folder = tmp_path_factory.mktemp("batch")
    subprocess.run([worker(), "-c", MAKE_CLIPS, str(folder)], cwd=ROOT, check=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def batch(footage: Path) -> Run:
    """The three clips, converted."""
    run = Run(footage, subprocess.CompletedProcess([], 0))
    return Run(footage, convert(*run.words))


def states(out: Path) -> dict[str, str]:
    """How the clips stand, from the summary."""
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return {clip["name"]: clip["state"] for clip in summary["clips"]}


def test_a_broken_clip_does_not_stop_the_others_and_is_told(batch: Run) -> None:
    assert batch.done.returncode == 1, batch.done.stdout + batch.done.stderr
    assert states(batch.out) == {"a walk": "done", "broken": "failed", "walk é": "done"}
    assert "FAILED: broken" in batch.done.stdout
    assert "3 clips: 2 done, 1 failed" in batch.done.stdout
    for name in ("a walk", "walk é"):
        for suffix in (".blend", ".fbx", ".glb", ".bvh"):
            assert (batch.out / name / f"{name}{suffix}").stat().st_size > 1000


def heads_of_motion(motion: Motion, armature: bpy.types.Object) -> dict[str, Array]:
    """World places (T, 3) of the bones' heads, by bone, as the motion has them."""
    rest, joints = rest_joints(motion.skeleton), motion.joints_world()
    expected: dict[str, Array] = {}
    for bone in plan_armature(motion.skeleton):
        nearest = int(np.linalg.norm(rest - bone.head, axis=1).argmin())
        if bone.name in armature.data.bones and np.allclose(rest[nearest], bone.head, atol=1e-6):
            expected[bone.name] = joints[:, nearest]
    return expected


def assert_moves_as(armature: bpy.types.Object, motion: Motion) -> None:
    """The bones' heads are where the motion's joints are, at its start, middle and end."""
    expected = heads_of_motion(motion, armature)
    assert len(expected) >= 15
    first = round(armature.animation_data.action.frame_range[0])
    for t in (0, len(motion.root_positions) // 2, len(motion.root_positions) - 1):
        bpy.context.scene.frame_set(first + t)
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for bone, places in expected.items():
            found = posed.matrix_world @ posed.pose.bones[bone].head
            np.testing.assert_allclose(found, places[t], atol=TOLERANCE_M, err_msg=f"{bone} at {t}")


def the_armature() -> bpy.types.Object:
    """The only armature of the open file."""
    (armature,) = [each for each in bpy.data.objects if each.type == "ARMATURE"]
    return armature


def test_the_blend_has_the_motion_the_camera_and_the_footage(batch: Run) -> None:
    folder = batch.out / "walk é"
    bpy.ops.wm.open_mainfile(filepath=str(folder / "walk é.blend"))
    scene = bpy.context.scene
    assert scene.render.fps / scene.render.fps_base == pytest.approx(30)
    assert (scene.frame_start, scene.frame_end) == (1, 40)
    assert scene.camera is not None
    (clip,) = bpy.data.movieclips
    assert clip.filepath.startswith("//")
    assert Path(bpy.path.abspath(clip.filepath)).samefile(batch.folder / "footage" / "walk é.mp4")
    assert_moves_as(the_armature(), motion_file.load(folder / "motion.npz"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of Blender's BVH importer
@pytest.mark.parametrize("kind", EXPORTS)
def test_exports_read_back_in_have_the_motion(batch: Run, kind: str) -> None:
    folder = batch.out / "a walk"
    path = str(folder / f"a walk.{kind}")
    bpy.context.scene.render.fps = 30
    if kind == "fbx":
        bpy.ops.import_scene.fbx(filepath=path)
    elif kind == "glb":
        bpy.ops.import_scene.gltf(filepath=path)
    else:
        bpy.ops.import_anim.bvh(filepath=path, global_scale=0.01)
    assert len(bpy.data.actions) == 1
    assert_moves_as(the_armature(), motion_file.load(folder / "motion.npz"))


def stamps(out: Path, names: Sequence[str] = ("*",)) -> dict[Path, int]:
    """Times of change of the files of the good clips."""
    folders = [folder for folder in out.iterdir() if "walk" in folder.name]
    files = [path for folder in folders for name in names for path in folder.rglob(name) if path.is_file()]
    return {path: path.stat().st_mtime_ns for path in files}


def test_the_same_command_again_redoes_nothing_but_the_broken_clip(batch: Run) -> None:
    before = stamps(batch.out)
    done = convert(*batch.words)
    assert done.returncode == 1
    assert states(batch.out) == {"a walk": "kept", "broken": "failed", "walk é": "kept"}
    assert stamps(batch.out) == before


@pytest.fixture
def rig_file(tmp_path: Path, walking_motion: Motion) -> Path:
    """A .blend with a rig of other proportions, a prop with bones, and an action that is the user's."""
    scene = bpy.context.scene
    scene.render.fps = 60
    build_armature(walking_motion, name="Hero", context=bpy.context, collection=scene.collection)
    prop = bpy.data.objects.new("Prop", bpy.data.armatures.new("Prop"))
    scene.collection.objects.link(prop)
    bpy.data.actions.new("Idle").use_fake_user = True
    path = tmp_path / "rig.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def test_with_a_rig_only_the_scenes_are_made_again(batch: Run, rig_file: Path) -> None:
    captured = stamps(batch.out, ["motion*", "overlay.mp4", "worker.log"])
    scene = {"rig": str(rig_file), "export": ["fbx"], "retarget": {"root_motion": "hips"}}
    job = {"clips": [str(batch.folder / "footage" / "a walk.mp4")], "out": "out", "scene": scene}
    (batch.folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    done = convert("--job", str(batch.folder / "job.json"), *batch_options(batch.folder), "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[-1]["event"] == "summary"
    assert stamps(batch.out, ["motion*", "overlay.mp4", "worker.log"]) == captured
    folder = batch.out / "a walk"
    assert sorted(path.name for path in folder.glob("a walk*")) == ["a walk.blend", "a walk.fbx"]
    bpy.ops.wm.open_mainfile(filepath=str(folder / "a walk.blend"))
    hero = bpy.data.objects["Hero"]
    assert {action.name for action in bpy.data.actions} == {"Idle", "a walk"}
    assert hero.animation_data.action.name == "a walk"
    assert bpy.data.objects["Prop"].animation_data is None
    motion = motion_file.load(folder / "motion.npz")
    assert_points_as(hero, motion)


def assert_points_as(hero: bpy.types.Object, motion: Motion) -> None:
    """Limbs point where the motion's do, at twice its rate."""
    assert tuple(hero.animation_data.action.frame_range) == pytest.approx((1, 79))
    names = motion.skeleton.names
    joints = motion.joints_world()
    bpy.context.scene.frame_set(1 + 2 * 20)
    posed = hero.evaluated_get(bpy.context.evaluated_depsgraph_get())
    rest = rest_joints(motion.skeleton)
    for start, end in (("left_knee", "left_ankle"), ("right_shoulder", "right_elbow")):
        ends = rest[[names.index(start), names.index(end)]]
        planned = plan_armature(motion.skeleton)
        (name,) = [each.name for each in planned if np.allclose([each.head, each.tail], ends)]
        bone = posed.pose.bones[name]
        wanted = joints[20, names.index(end)] - joints[20, names.index(start)]
        found = np.array((posed.matrix_world.to_3x3() @ bone.vector).normalized())
        angle = np.degrees(np.arccos(np.clip(found @ wanted / np.linalg.norm(wanted), -1, 1)))
        assert angle < 6, f"{start}: {angle:.1f} degrees"  # plus what planting the feet bends


def test_ctrl_c_stops_with_130_and_the_same_command_goes_on(footage: Path, tmp_path: Path) -> None:
    words = (str(footage / "footage" / "a walk.mp4"), *batch_options(footage), "-o", str(tmp_path / "out"))
    process = subprocess.Popen(command(*words, "--json"), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        seen = next(line for line in process.stdout if '"hello"' in line)
        assert json.loads(seen)["clip"] == "a walk"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    last = json.loads(output.splitlines()[-1])
    assert (last["event"], last["cancelled"], last["counts"]["pending"]) == ("summary", True, 1)
    assert not list(tmp_path.rglob("claim*"))
    done = convert(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert states(tmp_path / "out") == {"a walk": "done"}


def test_wrong_options_end_with_2() -> None:
    done = convert("--no-such-option")
    assert done.returncode == 2
    assert "unrecognized" in done.stderr
