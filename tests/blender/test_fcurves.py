# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import bpy
import numpy as np
import pytest
from mathutils import Euler, Quaternion
from vp3d.addon.armature import build_armature, read_rig
from vp3d.addon.fcurves import action_curves, write_curves
from vp3d.vp3d_core.retarget.rig import BoneCurves
from vp3d.vp3d_core.retarget.rig_errors import RigError
from vp3d.vp3d_core.retarget.rig_pose import pose_matrices
from vp3d.vp3d_core.rotations import quat_from_axis_angle

from tests.blender.scene_checks import evaluated

MODES = ("QUATERNION", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "AXIS_ANGLE")
FRAMES = np.arange(5.0, 65.0)


@pytest.fixture
def armature_object(walking_motion) -> bpy.types.Object:
    collection = bpy.context.scene.collection
    return build_armature(walking_motion, name="Rig", context=bpy.context, collection=collection)[0]


def turning(seed: int, *, turns: float = 2.0):
    """Quaternions (60, 4) that turn about a tilted axis, twice round."""
    axis = np.random.default_rng(seed).normal(size=3)
    axes = np.tile(axis / np.linalg.norm(axis), (len(FRAMES), 1))
    return quat_from_axis_angle(axes, np.linspace(0.0, turns * 2 * np.pi, len(FRAMES)))


def angle_between(one: Quaternion, other) -> float:
    """Angle in rad between two rotations, whatever their signs."""
    return 2 * np.arccos(min(1.0, abs(np.dot(one, other))))


def curves_by_path(action):
    return {(curve.data_path, curve.array_index): curve for curve in action_curves(action)}


def values(curve):
    keys = np.empty(2 * len(curve.keyframe_points))
    curve.keyframe_points.foreach_get("co", keys)
    return keys[1::2]


@pytest.mark.parametrize("mode", MODES)
def test_each_rotation_mode_turns_the_bone_alike(armature_object, mode) -> None:
    armature_object.pose.bones["head"].rotation_mode = mode
    quats = turning(1)
    action = write_curves(armature_object, BoneCurves(FRAMES, {"head": quats}), action_name="Turn")
    assert armature_object.pose.bones["head"].rotation_mode == mode
    for frame in (5, 20, 41, 64):
        basis = evaluated(armature_object, frame).pose.bones["head"].matrix_basis.to_quaternion()
        assert angle_between(basis, quats[frame - 5]) < 2e-3
    angles = np.stack([values(curve) for curve in action_curves(action)])
    assert np.abs(np.diff(angles, axis=1)).max() < 1.6  # no jump of whole turns or to the other triple


def test_axes_and_order_are_blenders() -> None:
    """Our Euler orders are Blender's own, checked against mathutils."""
    from vp3d.vp3d_core.euler import EULER_ORDERS, quat_from_euler

    for order in EULER_ORDERS:
        ours = quat_from_euler(np.array([0.3, -0.8, 1.9]), order)
        theirs = Euler((0.3, -0.8, 1.9), order).to_quaternion()
        assert abs(np.dot(ours, theirs)) == pytest.approx(1.0, abs=1e-6)


def test_only_the_named_bones_are_keyed_in_groups_of_their_own(armature_object) -> None:
    curves = BoneCurves(FRAMES, {"head": turning(1), "neck": turning(2)}, {"hips": np.zeros((60, 3))})
    action = write_curves(armature_object, curves, action_name="Some")
    paths = {path for path, _ in curves_by_path(action)}
    assert paths == {
        'pose.bones["head"].rotation_quaternion',
        'pose.bones["neck"].rotation_quaternion',
        'pose.bones["hips"].location',
    }
    assert {curve.group.name for curve in action_curves(action)} == {"head", "neck", "hips"}


def test_still_channels_get_one_key_and_moving_ones_a_key_a_frame(armature_object) -> None:
    still = np.tile([1.0, 0.0, 0.0, 0.0], (60, 1))
    action = write_curves(
        armature_object, BoneCurves(FRAMES, {"head": turning(1), "neck": still}), action_name="Still"
    )
    counts = {path: len(curve.keyframe_points) for (path, _), curve in curves_by_path(action).items()}
    assert counts['pose.bones["neck"].rotation_quaternion'] == 1
    assert counts['pose.bones["head"].rotation_quaternion'] == 60
    assert {
        key.interpolation for curve in action_curves(action) for key in curve.keyframe_points
    } == {"LINEAR"}  # fmt: skip


def test_keys_made_bezier_later_do_not_overshoot(armature_object) -> None:
    action = write_curves(armature_object, BoneCurves(FRAMES, {"head": turning(1)}), action_name="Bezier")
    for curve in action_curves(action):
        before = [curve.evaluate(frame) for frame in np.arange(5, 64, 0.25)]
        for key in curve.keyframe_points:
            key.interpolation = "BEZIER"
        curve.update()
        after = [curve.evaluate(frame) for frame in np.arange(5, 64, 0.25)]
        np.testing.assert_allclose(after, before, atol=0.05)


def test_the_action_before_stays_in_the_file(armature_object, tmp_path) -> None:
    first = write_curves(armature_object, BoneCurves(FRAMES, {"head": turning(1)}), action_name="Mine")
    keys = {place: values(curve) for place, curve in curves_by_path(first).items()}
    write_curves(armature_object, BoneCurves(FRAMES, {"head": turning(2)}), action_name="Mine")
    assert armature_object.animation_data.action.name == "Mine.001"
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    kept = curves_by_path(bpy.data.actions["Mine"])
    assert {place: values(curve).tolist() for place, curve in kept.items()} == {
        place: value.tolist() for place, value in keys.items()
    }
    basis = evaluated(bpy.data.objects["Rig"], 20).pose.bones["head"].matrix_basis.to_quaternion()
    assert angle_between(basis, turning(2)[15]) < 2e-3


def test_object_channels_respect_the_objects_rotation_mode(armature_object) -> None:
    armature_object.rotation_mode = "ZYX"
    path = np.linspace([0, 0, 0], [3, -2, 1], 60)
    curves = BoneCurves(FRAMES, {}, object_locations=path, object_rotations=turning(3))
    write_curves(armature_object, curves, action_name="Object")
    moved = evaluated(armature_object, 30)
    np.testing.assert_allclose(moved.location, path[25], atol=1e-5)
    assert angle_between(moved.matrix_world.to_quaternion(), turning(3)[25]) < 2e-3


def test_switches_are_set_and_keyed_once(armature_object) -> None:
    hand = armature_object.pose.bones["hand.L"]
    hand["IK_FK"] = 0.0
    hand["follow"] = 1
    curves = BoneCurves(
        FRAMES, {"hand.L": turning(1)}, properties={("hand.L", "IK_FK"): 1.0, ("hand.L", "follow"): 0.0}
    )
    action = write_curves(armature_object, curves, action_name="Switch")
    assert hand["IK_FK"] == 1.0
    assert hand["follow"] == 0
    assert isinstance(hand["follow"], int)
    found = curves_by_path(action)[('pose.bones["hand.L"]["IK_FK"]', 0)]
    assert [key.co[:] for key in found.keyframe_points] == [(5.0, 1.0)]


@pytest.mark.parametrize("local", [True, False])
def test_the_core_poses_a_rig_as_blender_does(armature_object, local) -> None:
    """A bone may take its location in its parent's axes, as the controls of Rigify do."""
    move = np.tile([0.1, 0.2, -0.3], (60, 1)) + np.linspace(0, 0.1, 60)[:, None]
    for name in ("hips", "thigh.L"):
        armature_object.data.bones[name].use_local_location = local
    curves = BoneCurves(FRAMES, {"hips": turning(4), "thigh.L": turning(2)}, {"thigh.L": move, "hips": move})
    rig = read_rig(armature_object)
    write_curves(armature_object, curves, action_name="Local")
    expected = pose_matrices(rig, curves)[list(FRAMES).index(33.0)]
    posed = evaluated(armature_object, 33).pose.bones
    for bone, name in enumerate(rig.bone_names):
        np.testing.assert_allclose(posed[name].matrix, expected[bone], atol=1e-4, err_msg=name)


def test_names_with_quotes_and_other_scripts(armature_object) -> None:
    armature_object.data.bones["head"].name = 'ko"pf\\頭'
    action = write_curves(
        armature_object, BoneCurves(FRAMES, {'ko"pf\\頭': turning(1)}), action_name="Bewegung 動き"
    )
    assert len(action_curves(action)) == 4
    basis = evaluated(armature_object, 20).pose.bones['ko"pf\\頭'].matrix_basis.to_quaternion()
    assert angle_between(basis, turning(1)[15]) < 2e-3


def test_missing_bones_change_nothing(armature_object) -> None:
    with pytest.raises(RigError, match=r"'Rig' has no bones 'tail' \(1 are missing of 2"):
        write_curves(
            armature_object, BoneCurves(FRAMES, {"head": turning(1), "tail": turning(1)}), action_name="X"
        )
    assert not bpy.data.actions
    assert armature_object.animation_data is None


def test_an_error_halfway_brings_the_action_before_back(armature_object, monkeypatch) -> None:
    before = write_curves(armature_object, BoneCurves(FRAMES, {"head": turning(1)}), action_name="Before")
    from vp3d.addon import fcurves

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(fcurves, "_switch_properties", fail)
    with pytest.raises(MemoryError):
        write_curves(armature_object, BoneCurves(FRAMES, {"neck": turning(1)}), action_name="After")
    assert armature_object.animation_data.action == before
    assert list(bpy.data.actions) == [before]
    basis = evaluated(armature_object, 20).pose.bones["head"].matrix_basis.to_quaternion()
    assert angle_between(basis, turning(1)[15]) < 2e-3


@pytest.fixture
def library(armature_object, tmp_path) -> str:
    path = str(tmp_path / "library.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (_, wanted):
        wanted.objects = ["Rig"]
    bpy.context.scene.collection.objects.link(bpy.data.objects["Rig"])
    return path


def test_a_linked_rig_says_what_to_do(library) -> None:
    with pytest.raises(RigError, match="is linked from") as error:
        write_curves(bpy.data.objects["Rig"], BoneCurves(FRAMES, {"head": turning(1)}), action_name="X")
    assert "Library Override" in error.value.hint


def test_an_overridden_rig_is_keyed_and_survives_saving(library, tmp_path) -> None:
    linked = bpy.data.objects["Rig"]
    override = linked.override_hierarchy_create(
        bpy.context.scene, bpy.context.view_layer, do_fully_editable=True
    )
    write_curves(override, BoneCurves(FRAMES, {"head": turning(1)}), action_name="Over")
    path = str(tmp_path / "shot.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    again = next(each for each in bpy.data.objects if each.override_library)
    basis = evaluated(again, 20).pose.bones["head"].matrix_basis.to_quaternion()
    assert angle_between(basis, turning(1)[15]) < 2e-3


def test_a_local_object_with_linked_armature_data(library) -> None:
    local = bpy.data.objects.new("Local", bpy.data.objects["Rig"].data)
    bpy.context.scene.collection.objects.link(local)
    bpy.context.view_layer.update()  # makes its pose
    write_curves(local, BoneCurves(FRAMES, {"head": turning(1)}), action_name="Local")
    basis = evaluated(local, 20).pose.bones["head"].matrix_basis.to_quaternion()
    assert angle_between(basis, turning(1)[15]) < 2e-3


def test_tweak_mode_is_refused(armature_object) -> None:
    action = write_curves(armature_object, BoneCurves(FRAMES, {"head": turning(1)}), action_name="Strip")
    data = armature_object.animation_data
    data.nla_tracks.new().strips.new("Strip", 5, action)
    data.action = None
    data.use_tweak_mode = True
    if not data.use_tweak_mode:
        pytest.skip("this Blender enters tweak mode in the NLA editor only")
    with pytest.raises(RigError, match="NLA"):
        write_curves(armature_object, BoneCurves(FRAMES, {"head": turning(1)}), action_name="X")
