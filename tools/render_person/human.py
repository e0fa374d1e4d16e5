# SPDX-License-Identifier: GPL-3.0-or-later
"""A dressed MakeHuman body in Blender: armature, skin, eyes, clothes and hair as meshes with weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np

from .human_assets import (
    Bone,
    Clothing,
    PolygonMesh,
    apply_target,
    kept_faces,
    metres_z_up,
    read_clothing,
    read_obj,
    read_rig,
    read_vertex_groups,
    read_weights,
)
from .landmarks import landmark_weights
from .materials import eye_image, textured_material
from .wardrobes import WARDROBES

if TYPE_CHECKING:
    from vp3d_core.arrays import Array, BoolArray, IntArray

    from .scene import PersonDescription

__all__ = ["Human", "build_human"]

SOCK_HEIGHT_M = 0.13  # the shoes' socks are not shown from here up: they would come through the trousers


@dataclass(frozen=True, slots=True, eq=False)
class Human:
    """The Blender objects of one person.

    Attributes:
        armature: Stands on the floor in its rest pose, facing -y.
        landmarks: A mesh without faces that is not rendered, of the vertices that the joints are means of.
        landmark_shares: (25, V) of its vertices in ``JOINTS``.
    """

    armature: bpy.types.Object
    landmarks: bpy.types.Object
    landmark_shares: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Body:
    """The base mesh of one person: fitted vertices in file units, faces, groups, bones and weights."""

    mesh: PolygonMesh
    vertices: Array
    groups: dict[str, IntArray]
    bones: tuple[Bone, ...]
    weights: Array
    floor: float
    scale: float

    def world(self, points: Array) -> Array:
        """Return points of the file in m, with the soles at 0."""
        return (metres_z_up(points) - [0.0, 0.0, self.floor]) * self.scale


def build_human(person: PersonDescription, assets: Path, *, name: str) -> Human:
    """Build a person in its rest pose at the origin.

    Args:
        person: Its wardrobe, rig and height are used.
        assets: The body's files.
        name: Prefix of the objects' names.
    """
    wardrobe = WARDROBES[person.wardrobe]
    pieces = {path: read_clothing(assets / path) for path in (*wardrobe.clothes, wardrobe.hair)}
    body = _body(person, assets, [piece for path, piece in pieces.items() if "shoes" in path])
    armature = _armature(body, name)
    covered = np.zeros(len(body.vertices), dtype=bool)
    for path, piece in pieces.items():
        covered[list(piece.hidden_vertices)] = True
        hue_deg = 0.0 if path == wardrobe.hair else wardrobe.clothes_hue_deg
        _worn(body, piece, assets / path, armature, name=f"{name} {piece.name}", hue_deg=hue_deg)
    _skin(body, assets / wardrobe.skin, covered, armature, f"{name} body")
    _eyes(body, armature, f"{name} eyes")
    shares = landmark_weights(body.groups, num_vertices=len(body.vertices))
    used = np.asarray(shares.any(axis=0))
    landmarks = _landmarks(body, used, armature, f"{name} landmarks")
    return Human(armature, landmarks, shares[:, used])


def _body(person: PersonDescription, assets: Path, shoes: Sequence[Clothing]) -> _Body:
    mesh = read_obj(assets / "base.obj")
    vertices = mesh.vertices
    for target in WARDROBES[person.wardrobe].targets:
        vertices = apply_target(vertices, assets / "targets" / f"{target}.target.gz")
    groups = read_vertex_groups(assets / "basemesh_vertex_groups.json")
    skin = metres_z_up(vertices[groups["body"]])
    floor = min([skin[:, 2].min(), *(metres_z_up(shoe.fit(vertices))[:, 2].min() for shoe in shoes)])
    tall = float(np.ptp(skin[:, 2]))
    bones = read_rig(assets / "rigs" / f"rig.{person.rig}.json", vertices, groups)
    weights = read_weights(
        assets / "rigs" / f"weights.{person.rig}.json.gz",
        [bone.name for bone in bones],
        num_vertices=len(vertices),
    )
    scale = 1.0 if person.height_m is None else person.height_m / tall
    return _Body(mesh, vertices, groups, bones, weights, float(floor), scale)


def _armature(body: _Body, name: str) -> bpy.types.Object:
    data = bpy.data.armatures.new(f"{name} rig")
    armature = bpy.data.objects.new(f"{name} rig", data)
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in body.bones:
        edit_bone = data.edit_bones.new(bone.name)
        edit_bone.head = (bone.head - [0.0, 0.0, body.floor]) * body.scale
        edit_bone.tail = (bone.tail - [0.0, 0.0, body.floor]) * body.scale
        edit_bone.roll = bone.roll_rad
        if bone.parent:
            edit_bone.parent = data.edit_bones[bone.parent]
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def _worn(
    body: _Body, piece: Clothing, path: Path, armature: bpy.types.Object, *, name: str, hue_deg: float
) -> None:
    mesh = read_obj(next(path.parent.glob("*.obj")))
    texture = next(path.parent.glob("*_diffuse.*"))
    points = body.world(piece.fit(body.vertices))
    shown = np.ones(len(points), dtype=bool)
    if "shoes" in piece.name:
        shown = points[:, 2] < SOCK_HEIGHT_M
    worn = _mesh_object(name, points, mesh, kept_faces(mesh.faces, shown), shown)
    worn.data.materials.append(
        textured_material(name, texture, cut_out="hair" in path.parts, hue_deg=hue_deg)
    )
    _bind(worn, armature, [bone.name for bone in body.bones], piece.transfer(body.weights)[shown])


def _skin(body: _Body, texture: Path, covered: BoolArray, armature: bpy.types.Object, name: str) -> None:
    kept = np.zeros(len(body.vertices), dtype=bool)
    kept[body.groups["body"]] = True
    kept &= ~covered
    skin = _part(body, kept, armature, name)
    skin.data.materials.append(textured_material(name, texture))


def _eyes(body: _Body, armature: bpy.types.Object, name: str) -> None:
    """Make the eyeballs from the base mesh's helpers, painted from the front."""
    kept = np.zeros(len(body.vertices), dtype=bool)
    for side in "lr":
        kept[body.groups[f"helper-{side}-eye"]] = True
    eyes = _part(body, kept, armature, name)
    points = np.array([vertex.co for vertex in eyes.data.vertices])
    left = points[:, 0] > 0
    layer = eyes.data.uv_layers[0]
    for loop, target in zip(eyes.data.loops, layer.data, strict=True):
        ball = points[left] if left[loop.vertex_index] else points[~left]
        middle = (ball.min(axis=0) + ball.max(axis=0)) / 2
        offset = (points[loop.vertex_index] - middle) / np.ptp(ball[:, 2])
        behind = 0.45 if offset[1] > 0 else 0.0  # the back of the ball shows white only
        target.uv = (0.5 + offset[0] + behind, 0.5 + offset[2])
    eyes.data.materials.append(textured_material(name, eye_image()))


def _part(body: _Body, kept: BoolArray, armature: bpy.types.Object, name: str) -> bpy.types.Object:
    faces = kept_faces(body.mesh.faces, kept)
    used = np.zeros(len(kept), dtype=bool)
    for face in faces:
        used[list(body.mesh.faces[face])] = True
    part = _mesh_object(name, body.world(body.vertices), body.mesh, faces, used)
    _bind(part, armature, [bone.name for bone in body.bones], body.weights[used])
    return part


def _landmarks(body: _Body, used: BoolArray, armature: bpy.types.Object, name: str) -> bpy.types.Object:
    data = bpy.data.meshes.new(name)
    data.from_pydata(body.world(body.vertices)[used].tolist(), [], [])
    landmarks = bpy.data.objects.new(name, data)
    landmarks.hide_render = True
    bpy.context.scene.collection.objects.link(landmarks)
    _bind(landmarks, armature, [bone.name for bone in body.bones], body.weights[used])
    return landmarks


def _mesh_object(
    name: str, points: Array, mesh: PolygonMesh, faces: Sequence[int], used: BoolArray
) -> bpy.types.Object:
    new_index = np.cumsum(used) - 1
    data = bpy.data.meshes.new(name)
    corners = [[int(new_index[vertex]) for vertex in mesh.faces[face]] for face in faces]
    data.from_pydata(points[used].tolist(), [], corners)
    layer = data.uv_layers.new(name="UVMap")
    flat = [value for face in faces for corner in mesh.texture_coordinates[face] for value in corner]
    layer.data.foreach_set("uv", flat)
    data.polygons.foreach_set("use_smooth", [True] * len(data.polygons))
    data.update()
    result = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(result)
    return result


def _bind(
    skin: bpy.types.Object, armature: bpy.types.Object, bone_names: Sequence[str], weights: Array
) -> None:
    for column, bone in enumerate(bone_names):
        vertices = np.flatnonzero(weights[:, column] > 1e-4)
        if not len(vertices):
            continue
        group = skin.vertex_groups.new(name=bone)
        for vertex in vertices:
            group.add([int(vertex)], float(weights[vertex, column]), "REPLACE")
    skin.parent = armature
    modifier = skin.modifiers.new("Armature", "ARMATURE")
    modifier.object = armature
