# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a MakeHuman body: mesh, targets, skin weights, rigs and fitted clothes. numpy only, no bpy.

The files are in decimetres, y up, facing +z. What leaves this module is in metres in Blender's axes: z up,
facing -y, the body's left towards +x.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from vp3d_core.arrays import Array, BoolArray, IntArray

__all__ = [
    "Bone",
    "Clothing",
    "PolygonMesh",
    "apply_target",
    "metres_z_up",
    "read_clothing",
    "read_obj",
    "read_rig",
    "read_vertex_groups",
    "read_weights",
]

METRES_PER_UNIT = 0.1
HEADER_WORDS = ("name", "obj_file", "material", "x_scale", "y_scale", "z_scale", "verts", "delete_verts")


@dataclass(frozen=True, slots=True, eq=False)
class PolygonMesh:
    """A mesh with polygons of any size and one set of texture coordinates.

    Attributes:
        vertices: (V, 3), in the file's units and axes.
        faces: F tuples of vertex indices.
        texture_coordinates: F tuples of (u, v), one for each corner.
    """

    vertices: Array
    faces: tuple[tuple[int, ...], ...]
    texture_coordinates: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, slots=True)
class Bone:
    """One bone of a rig, fitted to a body.

    Attributes:
        name: Its name.
        parent: Name of its parent, "" for none.
        head, tail: (3,) m, z up.
        roll_rad: Blender's roll.
    """

    name: str
    parent: str
    head: Array
    tail: Array
    roll_rad: float


@dataclass(frozen=True, slots=True, eq=False)
class Clothing:
    """A piece of clothing, or hair, bound to the base mesh.

    Attributes:
        name: Its name.
        base_vertices: (V, 3) indices of the three base vertices that hold each vertex.
        shares: (V, 3) their shares, of sum 1.
        offsets: (V, 3) to be scaled by the body's size and added.
        scale_references: Three of (vertex, vertex, distance): per axis, the two base vertices whose distance
            along it tells the body's size, and what it is on the body the piece was made for.
        hidden_vertices: Base vertices that the piece covers.
    """

    name: str
    base_vertices: IntArray
    shares: Array
    offsets: Array
    scale_references: tuple[tuple[int, int, float], ...]
    hidden_vertices: frozenset[int]

    def fit(self, base: Array) -> Array:
        """Return the piece's vertices (V, 3) on a body (N, 3), both in the file's units and axes."""
        sizes = [
            abs(float(base[a, axis] - base[b, axis])) / length
            for axis, (a, b, length) in enumerate(self.scale_references)
        ]
        held = np.einsum("vk,vki->vi", self.shares, base[self.base_vertices])
        return held + self.offsets * np.array(sizes)

    def transfer(self, weights: Array) -> Array:
        """Return weights (V, B) of the piece from those (N, B) of the base mesh; each row sums to 1."""
        shares = np.clip(self.shares, 0.0, None)
        shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
        carried = np.einsum("vk,vkb->vb", shares, weights[self.base_vertices])
        return carried / np.maximum(carried.sum(axis=1, keepdims=True), 1e-9)


def metres_z_up(points: Array) -> Array:
    """Return points (..., 3) of the files in metres and Blender's axes."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1) * METRES_PER_UNIT


def read_obj(path: Path) -> PolygonMesh:
    """Read vertices, polygons and texture coordinates of a Wavefront file."""
    vertices: list[list[float]] = []
    texture: list[tuple[float, float]] = []
    faces: list[tuple[int, ...]] = []
    corners: list[tuple[tuple[float, float], ...]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            vertices.append([float(word) for word in words[1:4]])
        elif words[0] == "vt":
            texture.append((float(words[1]), float(words[2])))
        elif words[0] == "f":
            indices = [word.split("/") for word in words[1:]]
            faces.append(tuple(int(index[0]) - 1 for index in indices))
            corners.append(
                tuple(
                    texture[int(index[1]) - 1] if len(index) > 1 and index[1] else (0.0, 0.0)
                    for index in indices
                )
            )
    return PolygonMesh(np.array(vertices), tuple(faces), tuple(corners))


def apply_target(vertices: Array, path: Path, *, amount: float = 1.0) -> Array:
    """Return vertices (V, 3) moved by a target file (lines ``vertex dx dy dz``, gzip or plain)."""
    opener = gzip.open if path.suffix == ".gz" else open
    moved = np.array(vertices)
    with opener(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            words = line.split("#", 1)[0].split()
            if len(words) == 4:
                moved[int(words[0])] += amount * np.array([float(word) for word in words[1:]])
    return moved


def read_vertex_groups(path: Path) -> dict[str, IntArray]:
    """Read named groups of base vertices; the file holds inclusive ranges."""
    ranges = cast("dict[str, list[list[int]]]", json.loads(path.read_text(encoding="utf-8")))
    return {name: _indices(pairs) for name, pairs in ranges.items()}


def _indices(pairs: Iterable[Sequence[int]]) -> IntArray:
    return np.concatenate([np.arange(first, last + 1) for first, last in pairs])


def read_rig(path: Path, base: Array, groups: dict[str, IntArray]) -> tuple[Bone, ...]:
    """Fit a rig to a body: each bone's ends are means of base vertices.

    Args:
        path: rig.NAME.json.
        base: (N, 3) in the file's units and axes, targets applied.
        groups: As ``read_vertex_groups`` returns them.

    Returns:
        Bones, parents first.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    table = cast("dict[str, dict[str, object]]", data.get("bones", data))
    points = metres_z_up(base)
    bones = {
        name: Bone(
            name,
            str(entry["parent"]),
            _bone_end(cast("dict[str, object]", entry["head"]), points, groups),
            _bone_end(cast("dict[str, object]", entry["tail"]), points, groups),
            float(cast("float", entry["roll"])),
        )
        for name, entry in table.items()
    }
    return _parents_first(bones)


def _bone_end(end: dict[str, object], points: Array, groups: dict[str, IntArray]) -> Array:
    if end["strategy"] == "CUBE":
        return points[groups[str(end["cube_name"])]].mean(axis=0)
    if end["strategy"] == "MEAN":
        return points[cast("list[int]", end["vertex_indices"])].mean(axis=0)
    raise ValueError(f"strategy {end['strategy']!r} of a bone's end is unknown, expected CUBE or MEAN")


def _parents_first(bones: dict[str, Bone]) -> tuple[Bone, ...]:
    placed: dict[str, Bone] = {}
    while len(placed) < len(bones):
        ready = [b for b in bones.values() if b.name not in placed and (not b.parent or b.parent in placed)]
        if not ready:
            raise ValueError("the parents of a rig form a cycle")
        placed.update((bone.name, bone) for bone in ready)
    return tuple(placed.values())


def read_weights(path: Path, bone_names: Sequence[str], *, num_vertices: int) -> Array:
    """Read skin weights as (num_vertices, B) in the order of ``bone_names``; each row sums to 1."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        table = cast("dict[str, list[tuple[int, float]]]", json.load(stream)["weights"])
    weights = np.zeros((num_vertices, len(bone_names)))
    for column, name in enumerate(bone_names):
        for vertex, share in table.get(name, ()):
            weights[vertex, column] += share
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)


def read_clothing(path: Path) -> Clothing:
    """Read an mhclo file: how a piece is held by the base mesh.

    A vertex is one line: ``a b c  share share share  dx dy dz``, or one base vertex it coincides with.

    Raises:
        ValueError: when it names no scale or holds no vertices.
    """
    header: dict[str, list[str]] = {}
    rows: list[list[str]] = []
    hidden: list[str] = []
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if words[0][0].isalpha():
            section = words[0]
            header[section] = words[1:]
        elif "delete_verts" in header:
            hidden += words
        elif "verts" in header:
            rows.append(words)
    missing = [axis for axis in "xyz" if f"{axis}_scale" not in header]
    if missing or not rows:
        raise ValueError(f"{path.name}: {len(rows)} vertices, no scale for {missing}; expected an mhclo file")
    full = [row if len(row) >= 9 else [row[0]] * 3 + ["1", "0", "0", "0", "0", "0"] for row in rows]
    scales = [header[f"{axis}_scale"] for axis in "xyz"]
    return Clothing(
        header.get("name", [path.stem])[0],
        np.array([[int(word) for word in row[:3]] for row in full]),
        np.array([[float(word) for word in row[3:6]] for row in full]),
        np.array([[float(word) for word in row[6:9]] for row in full]),
        tuple((int(a), int(b), float(length)) for a, b, length in scales),
        frozenset(_hidden(hidden)),
    )


def _hidden(words: list[str]) -> list[int]:
    """Return the vertices of a list such as ``5 7 - 9``: 5, 7, 8, 9."""
    found: list[int] = []
    place = 0
    while place < len(words):
        if words[place] == "-":
            found += range(found[-1] + 1, int(words[place + 1]) + 1)
            place += 2
        else:
            found.append(int(words[place]))
            place += 1
    return found


def kept_faces(faces: Sequence[Sequence[int]], kept: BoolArray) -> list[int]:
    """Return the indices of the faces all of whose vertices are kept (V,)."""
    return [number for number, face in enumerate(faces) if all(kept[vertex] for vertex in face)]
