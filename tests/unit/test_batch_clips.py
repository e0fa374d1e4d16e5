# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clips a batch has and where they go."""

import json
import re
from pathlib import Path

import pytest

from vp3d_core.batch.batch_file import BatchPlan, BatchRequest, ClipRequest, load_batch_file, plan_batch
from vp3d_core.batch.clips import find_clips, name_clips, read_list
from vp3d_core.batch.options import make_parser, plan_from_options, policy_from_options
from vp3d_core.batch.scene_choice import SceneChoice
from vp3d_core.errors import InputError


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """A folder with videos, other files, and a folder below it."""
    folder = tmp_path / "footage"
    for name in ("b.MOV", "a.mp4", "a.mov", "notes.txt", ".hidden.mp4", "day 2/a.mp4", "out/a/overlay.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def names(entry: str, base: Path, **options: bool) -> list[str]:
    """The names that an entry's clips get."""
    return list(name_clips(find_clips(entry, base=base, exclude=base / "footage/out", **options)).values())


def test_a_folder_gives_its_videos_and_with_recursion_those_below(footage: Path) -> None:
    assert names("footage", footage.parent) == ["a_mov", "a_mp4", "b"]
    assert names("footage", footage.parent, recursive=True) == ["a_mov", "a_mp4", "b", "day 2/a"]


def test_a_pattern_keeps_the_structure_below_its_fixed_part(footage: Path) -> None:
    assert names("footage/*.mp4", footage.parent) == ["a"]
    assert names("footage/**/*.mp4", footage.parent) == ["a", "day 2/a"]


def test_clips_of_one_name_from_several_folders_are_told_apart(footage: Path) -> None:
    found = [
        *find_clips("a.mp4", base=footage),
        *find_clips("day 2/a.mp4", base=footage),
        *find_clips("a.mp4", base=footage),
    ]
    given = list(name_clips(found).values())
    assert len(given) == len(set(given)) == 2
    assert all(name.startswith("a_mp4_") for name in given)


def test_a_missing_file_is_left_to_fail_by_itself(tmp_path: Path) -> None:
    assert names("gone.mp4", tmp_path) == ["gone"]


@pytest.mark.parametrize("entry", ["footage/*.webm", "footage/out"])
def test_nothing_found_says_what_counts_as_a_video(footage: Path, entry: str) -> None:
    with pytest.raises(InputError, match="no video") as found:
        find_clips(entry, base=footage.parent, exclude=footage / "out")
    assert ".mp4" in found.value.hint


def test_a_list_file_has_one_path_a_line(tmp_path: Path) -> None:
    path = tmp_path / "clips.txt"
    path.write_text("\ufeffa.mp4\n\n# not this\n  sub dir/é.mp4  \n", encoding="utf-8")
    assert read_list(path) == ["a.mp4", "sub dir/é.mp4"]
    with pytest.raises(InputError, match="cannot be read"):
        read_list(tmp_path / "gone.txt")


def job_file(tmp_path: Path, values: object) -> Path:
    """A job file with the values."""
    path = tmp_path / "job.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def test_a_job_file_is_relative_to_its_folder_and_clips_have_settings_of_their_own(footage: Path) -> None:
    path = job_file(
        footage,
        {
            "clips": ["b.MOV", {"path": "day 2", "settings": {"height_m": 1.9, "focal_mm": 28}}],
            "out": "captures",
            "settings": {"height_m": 1.6, "fov_deg": 65},
            "scene": {"export": ["fbx"]},
        },
    )
    plan = plan_batch(BatchRequest(), load_batch_file(path))
    assert plan.out_dir == footage / "captures"
    assert [(clip.name, clip.video) for clip in plan.clips] == [
        ("b", footage / "b.MOV"),
        ("a", footage / "day 2/a.mp4"),
    ]
    first, second = (clip.settings for clip in plan.clips)
    assert (first.height_m, first.fov_deg, first.focal_mm) == (1.6, 65, None)
    assert (second.height_m, second.fov_deg, second.focal_mm) == (1.9, None, 28)
    assert plan.scene == SceneChoice(export=("fbx",))


def test_options_win_over_the_job_file(footage: Path) -> None:
    file = load_batch_file(
        job_file(footage, {"clips": ["b.MOV"], "out": "x", "settings": {"height_m": 1.6, "fps": 30}})
    )
    options = BatchRequest(
        (ClipRequest("a.mp4", footage),), footage / "y", settings={"height_m": 1.8}, scene={"export": []}
    )
    plan = plan_batch(options, file)
    assert [clip.name for clip in plan.clips] == ["a"]
    assert plan.out_dir == footage / "y"
    assert (plan.clips[0].settings.height_m, plan.clips[0].settings.fps) == (1.8, 30)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], "the job is"),
        ({"clip": []}, "unknown names: clip"),
        ({"clips": "a.mp4"}, "expected a list"),
        ({"clips": [{"path": "a.mp4", "fps": 3}]}, "unknown names: fps"),
        ({"clips": [{"settings": {}}]}, "has the path None"),
        ({"settings": {"height": 1.8}}, "unknown names: height"),
        ({"settings": {"height_m": 18}}, "height_m is 18"),
        ({"out": 3}, "wrong type"),
        ({"scene": "rig"}, "scene is 'rig'"),
    ],
)
def test_a_wrong_job_file_is_told_with_its_name(tmp_path: Path, values: object, text: str) -> None:
    with pytest.raises(InputError, match=text) as found:
        load_batch_file(job_file(tmp_path, values))
    assert "job.json" in found.value.message


def test_a_job_file_that_is_no_json_or_missing_is_told(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="no JSON"):
        load_batch_file(tmp_path / "job.json")
    with pytest.raises(InputError, match="cannot be read"):
        load_batch_file(tmp_path / "gone.json")


def test_clips_and_output_folder_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No clip"):
        plan_batch(BatchRequest(out_dir=tmp_path))
    with pytest.raises(InputError, match="No output folder"):
        plan_batch(BatchRequest((ClipRequest("a.mp4", tmp_path),)))


def plan_of(*words: str, open_file: str = "") -> BatchPlan:
    """What a command line asks for."""
    return plan_from_options(make_parser("vp3d").parse_args(words), open_file=open_file)


def test_options_become_settings_scene_and_policy(footage: Path) -> None:
    words = (
        f"{footage}/b.MOV -o {footage}/x --height 1.8 --focal-mm 28 --person 1,2 --no-smooth --export glb,FBX"
        f" --export bvh --rig {footage}/rig.blend --in-place --arm-spread 10 --limbs ik --no-plant-feet"
    )
    plan = plan_of(*words.split(), "--armature", "My Rig")
    settings, scene = plan.clips[0].settings, plan.scene
    assert (settings.height_m, settings.focal_mm, settings.person) == (1.8, 28, ("1", "2"))
    assert not settings.smooth
    assert scene.export == ("fbx", "glb", "bvh")
    assert (scene.rig, scene.armature) == (footage / "rig.blend", "My Rig")
    assert scene.retarget.root_axes == (False, False, True)
    assert scene.retarget.arm_spread_rad == pytest.approx(0.1745, abs=1e-4)
    assert (scene.retarget.limbs, scene.retarget.plant_feet) == ("ik", False)
    policy = policy_from_options(make_parser("vp3d").parse_args(["--wait", "--claim-expiry", "2"]))
    assert (policy.wait, policy.overwrite, policy.expiry_s) == (True, False, 120)


def test_the_rig_is_the_options_else_the_job_files_else_the_open_one(footage: Path) -> None:
    path = job_file(footage, {"clips": ["b.MOV"], "out": "x", "scene": {"rig": "r.blend", "export": ["usd"]}})
    job = ("--job", str(path))
    assert plan_of(*job, open_file="/open.blend").scene.rig == footage / "r.blend"
    assert plan_of(*job, "--rig", "/o.blend").scene.rig == Path("/o.blend").absolute()
    assert plan_of(*job, "--no-rig").scene == SceneChoice(export=("usd",))
    alone = (str(footage / "b.MOV"), "-o", "x")
    assert plan_of(*alone, open_file="/open.blend").scene.rig == Path("/open.blend").absolute()


def test_a_list_is_relative_to_its_folder(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (footage / "clips.txt").write_text("b.MOV\nday 2\n", encoding="utf-8")
    monkeypatch.chdir(footage.parent)
    plan = plan_of("--list", "footage/clips.txt", "-o", "out")
    assert [clip.name for clip in plan.clips] == ["b", "a"]
    assert plan.out_dir == footage.parent / "out"


@pytest.mark.parametrize(
    ("scene", "text"),
    [
        ({"rigg": "a.blend"}, "unknown names: rigg"),
        ({"rig": 3}, "rig of scene is 3"),
        ({"export": "fbx"}, "export of scene is 'fbx'"),
        ({"export": ["dae"]}, "Cannot export dae"),
        ({"deform_only": 1}, "deform_only of scene is 1"),
        ({"first_frame": 1.5}, "first_frame of scene is 1.5"),
        ({"retarget": []}, "retarget of scene"),
        ({"retarget": {"limb": "ik"}}, "retarget holds unknown names: limb"),
        ({"retarget": {"limbs": "arms"}}, "limbs of retarget is 'arms'"),
        ({"retarget": {"root_axes": [True, False]}}, "root_axes of retarget"),
        ({"retarget": {"scale": -1}}, "scale is -1"),
        ({"retarget": {"scale": True}}, "scale of retarget is True"),
    ],
)
def test_a_wrong_scene_is_told(tmp_path: Path, scene: dict[str, object], text: str) -> None:
    with pytest.raises(InputError, match=re.escape(text)):
        load_batch_file(job_file(tmp_path, {"scene": scene}))


def test_help_says_everything(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        make_parser("blender --command vp3d").parse_args(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for word in ("--rig", "--export", "--job", "--fov", "summary.json", "130", "blender --command vp3d"):
        assert word in text
