# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading of MakeHuman's files by tools/render_person, on small files of the same formats."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from tools.render_person.human_assets import (
    apply_target,
    kept_faces,
    metres_z_up,
    read_clothing,
    read_obj,
    read_rig,
    read_vertex_groups,
    read_weights,
)

BASE = np.array([[0.0, 0, 0], [2, 0, 0], [0, 4, 0], [0, 0, 5], [2, 4, 5]])
MHCLO = """# a comment
name shirt
obj_file shirt.obj
x_scale 0 1 1.0
y_scale 0 2 4.0
z_scale 0 3 2.5
z_depth 50
verts 0
    0 1 2  0.25 0.25 0.5  0.1 0.2 0.3
4
material shirt.mhmat
3 1 2  -0.25 1.0 0.25  0 0 0

delete_verts
0 2 - 4
7
"""


@pytest.fixture
def shirt(tmp_path: Path):
    path = tmp_path / "shirt.mhclo"
    path.write_text(MHCLO, encoding="utf-8")
    return read_clothing(path)


def test_clothes_follow_three_vertices_and_the_size_of_the_body(shirt):
    fitted = shirt.fit(BASE)
    held = 0.25 * BASE[0] + 0.25 * BASE[1] + 0.5 * BASE[2]
    np.testing.assert_allclose(fitted[0], held + np.array([0.1, 0.2, 0.3]) * [2.0, 1.0, 2.0])
    np.testing.assert_allclose(fitted[1], BASE[4])
    np.testing.assert_allclose(fitted[2], -0.25 * BASE[3] + BASE[1] + 0.25 * BASE[2])


def test_clothes_grow_with_the_body(shirt):
    np.testing.assert_allclose(shirt.fit(3.0 * BASE), 3.0 * shirt.fit(BASE))


def test_clothes_hide_single_vertices_and_ranges(shirt):
    assert shirt.name == "shirt"
    assert shirt.hidden_vertices == {0, 2, 3, 4, 7}


def test_clothes_take_weights_from_what_holds_them(shirt):
    weights = np.array([[1.0, 0], [0, 1], [0, 1], [1, 0], [0.5, 0.5]])
    carried = shirt.transfer(weights)
    np.testing.assert_allclose(carried.sum(axis=1), 1.0)
    np.testing.assert_allclose(carried[0], [0.25, 0.75])
    np.testing.assert_allclose(carried[1], [0.5, 0.5])
    assert (carried >= 0).all()  # a negative share takes no weight away


def test_a_file_without_vertices_is_no_clothing(tmp_path: Path):
    path = tmp_path / "empty.mhclo"
    path.write_text("name empty\nx_scale 0 1 1.0\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"0 vertices, no scale for \['y', 'z'\]"):
        read_clothing(path)


def test_targets_move_the_vertices_they_name(tmp_path: Path):
    path = tmp_path / "tall.target.gz"
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.write("# licence\n1 .5 0 -1\n4 0 2 0\n")
    moved = apply_target(BASE, path, amount=2.0)
    np.testing.assert_allclose(moved - BASE, [[0, 0, 0], [1, 0, -2], [0, 0, 0], [0, 0, 0], [0, 4, 0]])


def test_an_empty_target_moves_nothing(tmp_path: Path):
    path = tmp_path / "none.target.gz"
    path.write_bytes(gzip.compress(b""))
    np.testing.assert_array_equal(apply_target(BASE, path), BASE)


def test_the_files_axes_become_blenders():
    np.testing.assert_allclose(metres_z_up(np.array([1.0, 17.0, 2.0])), [0.1, -0.2, 1.7])


def test_obj_corners_have_texture_coordinates(tmp_path: Path):
    path = tmp_path / "two.obj"
    path.write_text(
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nvt 0 0\nvt .5 1\ng body\nf 1/1 2/2 3/1\nf 2 4 3\n",
        encoding="utf-8",
    )
    mesh = read_obj(path)
    assert mesh.faces == ((0, 1, 2), (1, 3, 2))
    assert mesh.texture_coordinates[0] == ((0.0, 0.0), (0.5, 1.0), (0.0, 0.0))
    assert kept_faces(mesh.faces, np.array([True, True, True, False])) == [0]


def test_rig_ends_are_means_of_vertices_and_parents_come_first(tmp_path: Path):
    def end(strategy: str, **values: object) -> dict[str, object]:
        return {"strategy": strategy, **values}

    rig = {
        "hand": {"parent": "arm", "roll": 0.5, "head": end("MEAN", vertex_indices=[1, 4]),
                 "tail": end("CUBE", cube_name="tip")},
        "arm": {"parent": "", "roll": 0.0, "head": end("CUBE", cube_name="tip"),
                "tail": end("MEAN", vertex_indices=[0])},
    }  # fmt: skip
    (tmp_path / "rig.json").write_text(json.dumps({"bones": rig}), encoding="utf-8")
    (tmp_path / "groups.json").write_text(
        json.dumps({"tip": [[2, 3]], "all": [[0, 0], [2, 4]]}), encoding="utf-8"
    )
    groups = read_vertex_groups(tmp_path / "groups.json")
    assert groups["all"].tolist() == [0, 2, 3, 4]
    bones = read_rig(tmp_path / "rig.json", BASE, groups)
    assert [bone.name for bone in bones] == ["arm", "hand"]
    np.testing.assert_allclose(bones[1].head, metres_z_up((BASE[1] + BASE[4]) / 2))
    np.testing.assert_allclose(bones[1].tail, metres_z_up((BASE[2] + BASE[3]) / 2))


def test_weights_of_each_vertex_sum_to_one(tmp_path: Path):
    path = tmp_path / "weights.json.gz"
    table = {"arm": [[0, 0.2], [1, 1.0]], "hand": [[0, 0.2]], "unused": [[1, 5.0]]}
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        json.dump({"weights": table}, stream)
    weights = read_weights(path, ["arm", "hand"], num_vertices=3)
    np.testing.assert_allclose(weights, [[0.5, 0.5], [1.0, 0.0], [0.0, 0.0]])
