# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clips a batch has and where they go."""

import json
from pathlib import Path

import pytest

from vp3d_core.batch.batch_file import BatchRequest, ClipRequest, load_batch_file, plan_batch
from vp3d_core.batch.clips import find_clips, name_clips, read_list
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
    assert plan.scene == {"export": ["fbx"]}


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
