# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials that Workbench and Cycles both show: an image texture on a rough surface."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np

if TYPE_CHECKING:
    from vp3d_core.arrays import Array

__all__ = ["eye_image", "image_from_pixels", "textured_material"]


def textured_material(
    name: str, picture: Path | bpy.types.Image, *, cut_out: bool = False, hue_deg: float = 0.0
) -> bpy.types.Material:
    """Make a material of a picture.

    Args:
        name: Its name.
        picture: A file, or an image of Blender.
        cut_out: Whether the picture's alpha cuts the surface (hair).
        hue_deg: Turns all its colours around the colour circle.
    """
    image = bpy.data.images.load(str(picture), check_existing=True) if isinstance(picture, Path) else picture
    if hue_deg:
        image = _turned_hue(image, hue_deg)
    material = bpy.data.materials.new(name)
    if not material.use_nodes:
        material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Roughness"].default_value = 0.8
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = image
    links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    if cut_out:
        links.new(texture.outputs["Alpha"], shader.inputs["Alpha"])
    nodes.active = texture
    return material


def image_from_pixels(name: str, colours: Array) -> bpy.types.Image:
    """Make an image from (height, width, 3) sRGB colours in [0, 1], first row on top."""
    height, width = colours.shape[:2]
    image = bpy.data.images.new(name, width, height)
    pixels = np.ones((height, width, 4), dtype=np.float32)
    pixels[..., :3] = colours[::-1]
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    return image


def _turned_hue(image: bpy.types.Image, hue_deg: float) -> bpy.types.Image:
    """Return a copy with its colours turned about the grey axis."""
    width, height = image.size
    pixels = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(-1, 4)
    angle = np.radians(hue_deg)
    grey = np.full((3, 3), 1.0 / 3.0)
    across = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / np.sqrt(3.0)
    turn = np.cos(angle) * (np.eye(3) - grey) + grey + np.sin(angle) * across
    pixels[:, :3] = np.clip(pixels[:, :3] @ turn.T, 0.0, 1.0)
    turned = bpy.data.images.new(f"{image.name} turned", width, height)
    turned.pixels.foreach_set(pixels.ravel())
    turned.pack()
    return turned


def eye_image() -> bpy.types.Image:
    """Paint an eyeball seen from the front: white, iris and pupil."""
    existing = bpy.data.images.get("eye")
    if existing is not None:
        return existing
    rows, columns = np.mgrid[0:128, 0:128] / 127.0 - 0.5
    radius = np.hypot(rows, columns)[..., None]
    colours = np.full((128, 128, 3), 0.93)
    colours = np.where(radius < 0.24, np.array([0.30, 0.20, 0.12]), colours)
    colours = np.where(radius < 0.10, np.array([0.03, 0.03, 0.03]), colours)
    return image_from_pixels("eye", colours)
