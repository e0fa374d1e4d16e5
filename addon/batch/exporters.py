# SPDX-License-Identifier: GPL-3.0-or-later
"""An animated rig as FBX, GLB, BVH or USD: only the rig, what it moves, and the action it has.

Blender's FBX and glTF exporters write every action in the file unless they are told not to.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import addon_utils
import bpy

from ...vp3d_core.bvh_data import format_bvh
from ...vp3d_core.errors import InputError, OutputError
from ...vp3d_core.output_file import output_error, temporary_path
from ...vp3d_core.pose_bvh import bvh_from_poses
from .bone_poses import read_poses

__all__ = ["SUFFIXES", "Export", "check_formats", "export_rig"]

SUFFIXES = {"fbx": ".fbx", "glb": ".glb", "bvh": ".bvh", "usd": ".usdc"}
ADDONS = {"fbx": "io_scene_fbx", "glb": "io_scene_gltf2"}
STAGING_NAME = "VP3D Export"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds.

    Attributes:
        armature: The animated armature object.
        meshes: Whether the meshes that it moves come along.
        deform_only: Whether bones that deform nothing are left out.
    """

    armature: bpy.types.Object
    meshes: bool = True
    deform_only: bool = False


def check_formats(formats: Sequence[str]) -> None:
    """Raise InputError when this Blender cannot write one of the formats; enables what can be enabled."""
    if "usd" in formats and not bpy.app.build_options.usd:
        raise InputError(
            f"This Blender ({bpy.app.version_string}) was built without USD",
            hint="Use a build from blender.org, or leave usd out.",
        )
    for name, module in ADDONS.items():
        if name in formats and not addon_utils.check(module)[1] and addon_utils.enable(module) is None:
            raise InputError(
                f"This Blender has no {name.upper()} exporter ({module})",
                hint=f"Install it, or leave {name} out.",
            )


def export_rig(export: Export, path: Path, *, kind: str, scene: bpy.types.Scene) -> None:
    """Write an animated rig to a file, whole or not at all.

    Args:
        export: What to write.
        path: The file; an existing one is replaced.
        kind: A key of ``SUFFIXES``.
        scene: Its frame range is what is written.

    Raises:
        OutputError: If the exporter fails or the file cannot be written.
    """
    temporary = temporary_path(path).with_suffix(path.suffix)
    try:
        if kind == "bvh":
            _write_bvh(export, temporary, scene)
        else:
            with _selected([export.armature, *(moved_meshes(export.armature) if export.meshes else [])]):
                _run(path.name, WRITERS[kind], temporary, export)
        os.replace(temporary, path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def moved_meshes(armature: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the meshes that an armature deforms or carries, in the scene."""
    shapes = {bone.custom_shape for bone in armature.pose.bones}
    carried = set(armature.children_recursive)
    return [
        each
        for each in bpy.context.scene.objects
        if each.type == "MESH" and each not in shapes and (each in carried or _is_deformed(each, armature))
    ]


def _is_deformed(mesh: bpy.types.Object, armature: bpy.types.Object) -> bool:
    return any(found.type == "ARMATURE" and found.object == armature for found in mesh.modifiers)


def _write_fbx(path: Path, export: Export) -> set[str]:
    return bpy.ops.export_scene.fbx(
        filepath=str(path),
        use_selection=True,
        object_types={"ARMATURE", "MESH"},
        add_leaf_bones=False,
        use_armature_deform_only=export.deform_only,
        bake_anim=True,
        bake_anim_use_all_actions=False,
        bake_anim_use_nla_strips=False,
        bake_anim_simplify_factor=0.0,
    )


def _write_glb(path: Path, export: Export) -> set[str]:
    return bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB",
        use_selection=True,
        export_def_bones=export.deform_only,
        export_animations=True,
        export_animation_mode="ACTIVE_ACTIONS",
        export_nla_strips_merged_animation_name=export.armature.animation_data.action.name,
        export_force_sampling=True,
        export_frame_range=True,
        export_anim_slide_to_zero=True,
        export_optimize_animation_size=False,
        export_cameras=False,
        export_lights=False,
    )


def _write_usd(path: Path, export: Export) -> set[str]:
    return bpy.ops.wm.usd_export(
        filepath=str(path),
        selected_objects_only=True,
        export_animation=True,
        export_armatures=True,
        only_deform_bones=export.deform_only,
        evaluation_mode="VIEWPORT",
    )


WRITERS: dict[str, Callable[[Path, Export], set[str]]] = {
    "fbx": _write_fbx,
    "glb": _write_glb,
    "usd": _write_usd,
}


def _write_bvh(export: Export, path: Path, scene: bpy.types.Scene) -> None:
    frames = range(scene.frame_start, scene.frame_end + 1)
    poses = read_poses(export.armature, frames, scene=scene, deform_only=export.deform_only)
    rate_hz = scene.render.fps / scene.render.fps_base
    text = format_bvh(bvh_from_poses(poses, frames_per_second=rate_hz))
    path.write_text(text, encoding="utf-8", newline="\n")


def _run(name: str, write: Callable[[Path, Export], set[str]], path: Path, export: Export) -> None:
    try:
        done = write(path, export)
    except RuntimeError as error:  # what a failed operator raises
        if "KeyboardInterrupt" in str(error):
            raise KeyboardInterrupt from error
        log.exception("%s", name)
        lines = str(error).strip().splitlines()
        raise OutputError(
            f"Blender's exporter could not write {name}: {lines[-1] if lines else error}",
            hint="Open the .blend and export it by hand to see more; the log has the whole message.",
        ) from error
    if done != {"FINISHED"} or not path.exists():
        raise OutputError(f"Blender's exporter wrote no {name}", hint="Look at the log.")


@contextmanager
def _selected(objects: Sequence[bpy.types.Object]) -> Iterator[None]:
    """Make these objects visible and the only ones selected; afterwards everything is as it was."""
    layer, scene = bpy.context.view_layer, bpy.context.scene
    hidden = [(each, each.hide_viewport, each.hide_select) for each in objects]
    staging = bpy.data.collections.new(STAGING_NAME)  # objects of excluded collections are in no view layer
    scene.collection.children.link(staging)
    for each in objects:
        staging.objects.link(each)
        each.hide_viewport = each.hide_select = False
    layer.update()
    before = ([each for each in layer.objects if each.select_get()], layer.objects.active)
    unseen = [each for each in objects if each.hide_get()]
    try:
        for each in layer.objects:
            each.select_set(False)
        for each in objects:
            each.hide_set(False)
            each.select_set(True)
        layer.objects.active = objects[0]
        yield
    finally:
        for each in unseen:
            each.hide_set(True)
        for each in layer.objects:
            each.select_set(each in before[0])
        layer.objects.active = before[1]
        for each, viewport, select in hidden:
            each.hide_viewport, each.hide_select = viewport, select
        bpy.data.collections.remove(staging)
