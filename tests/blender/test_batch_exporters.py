# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports are read back in: the bones are where the motion has them, and only its action is there."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from vp3d.addon.armature import build_armature, motion_curves
from vp3d.addon.batch.exporters import SUFFIXES, Export, check_formats, export_rig, moved_meshes
from vp3d.addon.fcurves import write_curves
from vp3d.vp3d_core.arrays import Array
from vp3d.vp3d_core.errors import InputError, OutputError
from vp3d.vp3d_core.motion import Motion

# Blender 5.2's FBX exporter under NumPy 2.5.
pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")

RATE_HZ = 30
NUM_FRAMES = 60
FIRST_FRAME = 11
SHOWN_FRAMES = (0, 17, 59)  # counted from the motion's first
TOLERANCE_M = 0.002
READERS = {
    "fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    "glb": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    "bvh": lambda path: bpy.ops.import_anim.bvh(filepath=path, global_scale=0.01, use_fps_scale=False),
    "usd": lambda path: bpy.ops.wm.usd_import(filepath=path),
}
FORMATS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name == "usd" and not bpy.app.build_options.usd, reason="this Blender has no USD"
        ),
    )
    for name in READERS
]


@pytest.fixture
def rig(walking_motion: Motion) -> Export:
    """A walking armature of ours that moves a mesh, in a scene with strangers."""
    scene = bpy.context.scene
    scene.render.fps = RATE_HZ
    armature, bones = build_armature(
        walking_motion, name="Walker", context=bpy.context, collection=scene.collection
    )
    frames = FIRST_FRAME + np.arange(NUM_FRAMES, dtype=np.float64)
    write_curves(
        armature,
        motion_curves(walking_motion, armature, bones=bones, frames=frames),
        action_name="Walk",
    )
    scene.frame_start, scene.frame_end = FIRST_FRAME, FIRST_FRAME + NUM_FRAMES - 1
    _add_body(armature)
    _add_strangers()
    return Export(armature)


def _add_body(armature: bpy.types.Object) -> None:
    """A triangle that follows the head."""
    mesh = bpy.data.meshes.new("Body")
    mesh.from_pydata([(0, 0, 1.6), (0.1, 0, 1.6), (0, 0, 1.7)], [], [(0, 1, 2)])
    body = bpy.data.objects.new("Body", mesh)
    bpy.context.scene.collection.objects.link(body)
    body.vertex_groups.new(name=armature.data.bones[-1].name).add([0, 1, 2], 1.0, "REPLACE")
    body.parent = armature
    body.modifiers.new("Armature", "ARMATURE").object = armature


def _add_strangers() -> None:
    """Another object, and another action that belongs to nobody."""
    cube = bpy.data.objects.new("Stranger", bpy.data.meshes.new("Stranger"))
    bpy.context.scene.collection.objects.link(cube)
    bpy.data.actions.new("Other").use_fake_user = True


def heads(armature: bpy.types.Object, frames: list[int]) -> dict[str, Array]:
    """World places (T, 3) of the bones' heads at scene frames."""
    found: dict[str, list[Array]] = {bone.name: [] for bone in armature.data.bones}
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for name, places in found.items():
            places.append(np.array(evaluated.matrix_world @ evaluated.pose.bones[name].head))
    return {name: np.array(places) for name, places in found.items()}


def read_back(path: Path, kind: str) -> bpy.types.Object:
    """Read a file into an empty scene of the same rate and return its armature."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.scene.render.fps = RATE_HZ
    READERS[kind](str(path))
    (armature,) = [each for each in bpy.data.objects if each.type == "ARMATURE"]
    return armature


# Blender's BVH importer leaves its file open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", FORMATS)
def test_the_bones_come_back_where_they_were(rig: Export, tmp_path: Path, kind: str) -> None:
    expected = heads(rig.armature, [FIRST_FRAME + t for t in SHOWN_FRAMES])
    path = tmp_path / f"walk{SUFFIXES[kind]}"
    export_rig(rig, path, kind=kind, scene=bpy.context.scene)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    armature = read_back(path, kind)
    first = first_key(armature)
    found = heads(armature, [first + t for t in SHOWN_FRAMES])
    for name, places in expected.items():
        places_found = found[name.replace(".", "_") if kind == "usd" else name]
        np.testing.assert_allclose(places_found, places, atol=TOLERANCE_M, err_msg=name)


def first_key(armature: bpy.types.Object) -> int:
    """The frame on which the armature's action begins."""
    return round(armature.animation_data.action.frame_range[0])


@pytest.mark.parametrize("kind", ["fbx", "glb"])
def test_only_the_rig_its_mesh_and_its_action_are_written(rig: Export, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"walk{SUFFIXES[kind]}"
    export_rig(rig, path, kind=kind, scene=bpy.context.scene)
    read_back(path, kind)
    meshes = {each.name for each in bpy.data.objects if each.type == "MESH"}
    assert "Body" in meshes
    assert "Stranger" not in meshes
    assert len(bpy.data.actions) == 1


@pytest.mark.parametrize("kind", ["fbx", "glb"])
def test_the_skeleton_alone(rig: Export, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"walk{SUFFIXES[kind]}"
    export = Export(rig.armature, meshes=False, deform_only=True)
    export_rig(export, path, kind=kind, scene=bpy.context.scene)
    read_back(path, kind)
    assert "Body" not in bpy.data.objects


def test_a_hidden_rig_is_exported_and_stays_as_it_was(rig: Export, tmp_path: Path) -> None:
    scene = bpy.context.scene
    hidden = bpy.data.collections.new("Hidden")
    scene.collection.children.link(hidden)
    scene.collection.objects.unlink(rig.armature)
    hidden.objects.link(rig.armature)
    bpy.context.view_layer.layer_collection.children["Hidden"].exclude = True
    rig.armature.hide_viewport = rig.armature.hide_select = True
    export_rig(rig, tmp_path / "walk.fbx", kind="fbx", scene=scene)
    assert (tmp_path / "walk.fbx").exists()
    assert rig.armature.hide_viewport
    assert rig.armature.hide_select
    assert [each.name for each in rig.armature.users_collection] == ["Hidden"]
    assert [each.name for each in bpy.data.collections] == ["Hidden"]


def test_widgets_are_no_meshes_that_the_rig_moves(rig: Export) -> None:
    widget = bpy.data.objects["Stranger"]
    widget.parent = rig.armature
    rig.armature.pose.bones[0].custom_shape = widget
    assert [each.name for each in moved_meshes(rig.armature)] == ["Body"]


def test_a_folder_that_is_gone_is_told(rig: Export, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        export_rig(rig, tmp_path / "gone" / "walk.fbx", kind="fbx", scene=bpy.context.scene)
    with pytest.raises(OutputError):
        export_rig(rig, tmp_path / "gone" / "walk.bvh", kind="bvh", scene=bpy.context.scene)


def test_a_format_that_this_blender_lacks_is_told_before_anything_is_done() -> None:
    check_formats(["fbx", "glb", "bvh"])
    if bpy.app.build_options.usd:
        check_formats(["usd"])
        return
    with pytest.raises(InputError, match="without USD"):
        check_formats(["fbx", "usd"])


def test_the_glb_names_the_animation_as_the_action(rig: Export, tmp_path: Path) -> None:
    export_rig(rig, tmp_path / "walk.glb", kind="glb", scene=bpy.context.scene)
    data = (tmp_path / "walk.glb").read_bytes()
    length = int.from_bytes(data[12:16], "little")
    (animation,) = json.loads(data[20 : 20 + length])["animations"]
    assert animation["name"] == "Walk"
