# SPDX-License-Identifier: GPL-3.0-or-later
"""The room or yard around the people, and furniture in front of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
import numpy as np

from .materials import image_from_pixels, textured_material

if TYPE_CHECKING:
    from vp3d_core.arrays import Array

    from .scene import Furniture, Place

__all__ = ["Stage", "build_furniture", "build_place"]

WALL_HEIGHT_M = 3.2
ROOM_MARGIN_M = 1.4  # free floor around the people
FLOOR_M = 40.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Where people and camera are, in axes turned with the camera: right, away from it, up.

    Attributes:
        turn_rad: Of these axes about the vertical.
        low, high: (2,) m, box around the people's paths and the camera's.
        people_low, people_high: (2,) m, around the people's paths alone.
    """

    turn_rad: float
    low: tuple[float, float]
    high: tuple[float, float]
    people_low: tuple[float, float]
    people_high: tuple[float, float]


def build_place(place: Place, stage: Stage, *, rng: np.random.Generator) -> bpy.types.Object:
    """Build floor and surroundings; return their common parent, turned with the stage."""
    parent = bpy.data.objects.new("place", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.rotation_euler = (0.0, 0.0, stage.turn_rad)
    left, right = stage.low[0] - ROOM_MARGIN_M, stage.high[0] + ROOM_MARGIN_M
    back = stage.people_high[1] + ROOM_MARGIN_M
    if place == "room":
        _room(parent, left, right, back, rng)
    else:
        _yard(parent, left, right, back + 1.0, rng)
    return parent


def _room(parent: bpy.types.Object, left: float, right: float, back: float, rng: np.random.Generator) -> None:
    wood = textured_material("parquet", image_from_pixels("parquet", _parquet(rng)))
    plaster = _plain("plaster", (0.80, 0.77, 0.71), rng)
    white = _plain("white paint", (0.90, 0.90, 0.88), rng)
    glass = textured_material("sky in the window", image_from_pixels("window", _sky()))
    _floor(parent, wood, metres=1.6)
    high = WALL_HEIGHT_M
    _box(parent, plaster, (left - 0.1, back, 0.0), (right + 0.1, back + 0.1, high), casts=False)
    _box(parent, plaster, (left - 0.1, back - 9.0, 0.0), (left, back, high), casts=False)
    _box(parent, plaster, (right, back - 9.0, 0.0), (right + 0.1, back, high), casts=False)
    _box(parent, white, (left, back - 0.03, 0.0), (right, back, 0.10))
    middle = left + 0.30 * (right - left)
    _box(parent, white, (middle - 0.75, back - 0.05, 0.95), (middle + 0.75, back, 2.25))
    _box(parent, glass, (middle - 0.67, back - 0.06, 1.03), (middle + 0.67, back - 0.04, 2.17))
    _box(parent, white, (middle - 0.03, back - 0.08, 1.03), (middle + 0.03, back, 2.17))
    door = left + 0.78 * (right - left)
    brown = _plain("door", (0.45, 0.30, 0.19), rng)
    _box(parent, brown, (door - 0.45, back - 0.04, 0.0), (door + 0.45, back, 2.05))
    _box(parent, white, (door + 0.33, back - 0.08, 1.0), (door + 0.38, back - 0.04, 1.05))
    picture = textured_material("painting", image_from_pixels("painting", _painting(rng)))
    place = left + 0.55 * (right - left)
    _box(parent, brown, (place - 0.34, back - 0.03, 1.36), (place + 0.34, back, 1.84))
    _box(parent, picture, (place - 0.30, back - 0.05, 1.40), (place + 0.30, back - 0.03, 1.80))


def _yard(parent: bpy.types.Object, left: float, right: float, back: float, rng: np.random.Generator) -> None:
    grass = textured_material("grass", image_from_pixels("grass", _grass(rng)))
    board = _plain("fence", (0.50, 0.37, 0.25), rng)
    leaves = textured_material("leaves", image_from_pixels("leaves", _grass(rng) * 0.8))
    stone = _plain("paving", (0.62, 0.60, 0.57), rng)
    _floor(parent, grass, metres=1.2)
    _box(parent, stone, (left - 8.0, back - 0.9, -0.05), (right + 8.0, back - 0.1, 0.012))
    for x in np.arange(left - 6.0, right + 6.0, 0.16):
        top = 1.55 + 0.04 * rng.random()
        _box(parent, board, (x, back, 0.05), (x + 0.14, back + 0.03, top))
    for x in rng.uniform(left - 3.0, right + 3.0, 6):
        size = rng.uniform(0.5, 1.1)
        _ball(parent, leaves, (x, back + 1.0 + rng.random(), size + 0.6), size)
    trunk = left + 0.2
    _box(parent, board, (trunk - 0.12, back + 1.2, 0.0), (trunk + 0.12, back + 1.45, 3.0))
    _ball(parent, leaves, (trunk, back + 1.3, 3.6), 1.5)


def build_furniture(furniture: Furniture, stage: Stage, *, rng: np.random.Generator) -> None:
    """Put a piece of furniture between the camera and the people, hiding a part of them."""
    if furniture == "none":
        return
    parent = bpy.data.objects.new("furniture", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.rotation_euler = (0.0, 0.0, stage.turn_rad)
    x = (stage.people_low[0] + stage.people_high[0]) / 2
    y = stage.people_low[1] - 0.7
    if furniture == "table":
        wood = _plain("table", (0.55, 0.38, 0.22), rng)
        _box(parent, wood, (x - 0.7, y - 0.35, 0.70), (x + 0.7, y + 0.35, 0.74))
        for sign_x in (-1, 1):
            for sign_y in (-1, 1):
                leg = (x + sign_x * 0.64, y + sign_y * 0.29)
                _box(parent, wood, (leg[0] - 0.03, leg[1] - 0.03, 0.0), (leg[0] + 0.03, leg[1] + 0.03, 0.7))
    elif furniture == "sofa":
        cloth = _plain("sofa", (0.42, 0.16, 0.15), rng)
        _box(parent, cloth, (x - 0.9, y - 0.4, 0.05), (x + 0.9, y + 0.35, 0.42))
        _box(parent, cloth, (x - 0.9, y - 0.55, 0.05), (x + 0.9, y - 0.4, 0.80))
        for side in (-0.98, 0.9):
            _box(parent, cloth, (x + side, y - 0.5, 0.05), (x + side + 0.08, y + 0.35, 0.60))
    else:
        x += 0.3  # beside the middle: it hides an arm and a leg, not the whole body
        clay = _plain("pot", (0.60, 0.33, 0.22), rng)
        leaves = textured_material("plant", image_from_pixels("plant", _grass(rng) * 0.8))
        _box(parent, clay, (x - 0.11, y - 0.11, 0.0), (x + 0.11, y + 0.11, 0.3))
        for height, radius in ((0.45, 0.17), (0.65, 0.15), (0.85, 0.12), (1.0, 0.08)):
            offset = rng.uniform(-0.05, 0.05, 2)
            _ball(parent, leaves, (x + offset[0], y + offset[1], height), radius)


def _plain(name: str, colour: tuple[float, float, float], rng: np.random.Generator) -> bpy.types.Material:
    """Make a material of one colour with a faint grain."""
    grain = 1.0 + 0.012 * rng.standard_normal((64, 64, 1))
    return textured_material(name, image_from_pixels(name, np.clip(np.array(colour) * grain, 0.0, 1.0)))


def _floor(parent: bpy.types.Object, material: bpy.types.Material, *, metres: float) -> None:
    """Lay a floor at height 0 whose picture covers ``metres``."""
    half = FLOOR_M / 2
    corners = [(-half, -half, 0.0), (half, -half, 0.0), (half, half, 0.0), (-half, half, 0.0)]
    coordinates = [(x / metres, y / metres) for x, y, _ in corners]
    _mesh(parent, "floor", corners, [(0, 1, 2, 3)], coordinates, material)


def _box(
    parent: bpy.types.Object,
    material: bpy.types.Material,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    *,
    casts: bool = True,
) -> None:
    x, y, z = zip(low, high, strict=True)
    corners = [(x[i], y[j], z[k]) for k in (0, 1) for j in (0, 1) for i in (0, 1)]
    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    box = _mesh(parent, material.name, corners, faces, square * len(faces), material)
    box.display.show_shadows = casts
    box.visible_shadow = casts


def _ball(
    parent: bpy.types.Object,
    material: bpy.types.Material,
    middle: tuple[float, float, float],
    radius: float,
) -> None:
    rows, columns = 9, 14
    polar = np.linspace(0.0, np.pi, rows)
    around = np.linspace(0.0, 2 * np.pi, columns, endpoint=False)
    bumps = 1.0 + 0.12 * np.sin(5 * around)[None] * np.sin(3 * polar)[:, None]
    grid = np.stack(
        [
            np.sin(polar)[:, None] * np.cos(around),
            np.sin(polar)[:, None] * np.sin(around),
            np.cos(polar)[:, None] * np.ones(columns),
        ],
        axis=-1,
    )
    corners = (np.array(middle) + radius * bumps[..., None] * grid).reshape(-1, 3)
    faces = [
        (i * columns + j, (i + 1) * columns + j, (i + 1) * columns + (j + 1) % columns,
         i * columns + (j + 1) % columns)
        for i in range(rows - 1) for j in range(columns)
    ]  # fmt: skip
    square = [(0.0, 0.0), (0.0, 0.3), (0.3, 0.3), (0.3, 0.0)]
    _mesh(parent, material.name, corners.tolist(), faces, square * len(faces), material)


def _mesh(
    parent: bpy.types.Object,
    name: str,
    corners: Sequence[Sequence[float]],
    faces: Sequence[Sequence[int]],
    coordinates: Sequence[tuple[float, float]],
    material: bpy.types.Material,
) -> bpy.types.Object:
    data = bpy.data.meshes.new(name)
    data.from_pydata(corners, [], faces)
    layer = data.uv_layers.new(name="UVMap")
    layer.data.foreach_set("uv", [value for pair in coordinates for value in pair])
    data.materials.append(material)
    result = bpy.data.objects.new(name, data)
    result.parent = parent
    bpy.context.scene.collection.objects.link(result)
    return result


def _parquet(rng: np.random.Generator) -> Array:
    """Paint boards of 20 cm x 80 cm over 1.6 m, with grain and dark joints."""
    size, boards = 512, 8
    rows, columns = np.mgrid[0:size, 0:size]
    board = rows * boards // size
    along = (columns + (board % 2) * size // 4) % size
    piece = board * 2 + along * 2 // size
    tone = 0.85 + 0.25 * rng.random(boards * 2)[piece]
    grain = np.repeat(0.04 * rng.standard_normal((size, size // 16)), 16, axis=1)
    joint = (rows % (size // boards) < 2) | (along % (size // 2) < 2)
    shade: Array = np.where(joint, 0.55, tone + grain)[..., None]
    colours: Array = np.array([0.60, 0.43, 0.27]) * shade
    return colours.clip(0.0, 1.0)


def _grass(rng: np.random.Generator) -> Array:
    fine = rng.standard_normal((256, 256, 1))
    coarse = np.kron(rng.standard_normal((16, 16, 1)), np.ones((16, 16, 1)))
    return np.clip(np.array([0.27, 0.40, 0.16]) * (1.0 + 0.22 * fine + 0.08 * coarse), 0.0, 1.0)


def _sky() -> Array:
    share = np.linspace(0.0, 1.0, 64)[:, None, None]
    return np.tile((1.0 - share) * [0.62, 0.78, 0.95] + share * [0.88, 0.92, 0.95], (1, 64, 1))


def _painting(rng: np.random.Generator) -> Array:
    rows, columns = np.mgrid[0:96, 0:128]
    hills = 50 + 12 * np.sin(columns / 17.0 + rng.random() * 6) + 6 * np.sin(columns / 7.0)
    colours = np.where((rows > hills)[..., None], [0.35, 0.45, 0.25], [0.75, 0.80, 0.85])
    return np.where((rows > hills + 22)[..., None], [0.60, 0.50, 0.28], colours)
