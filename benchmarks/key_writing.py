# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
"""How fast keys are written: ours against nla.bake and keyframe_insert, on the same rig and motion.

    python benchmarks/key_writing.py [--frames 10000] [--bake-frames 1000] [--insert-frames 200]
    blender -b --factory-startup --python benchmarks/key_writing.py -- [options]

Needs Blender, or Python with the bpy wheel. The rig has 60 bones, each with 4 rotation channels, and the
first with 3 of location; every bone turns in every frame. nla.bake bakes the pose that a second armature with
the same motion gives to the rig by constraints, as retargeting add-ons do it; its time is all of it. Ratios
compare the same number of frames, once each, by the clock and in seconds of the processor (of all threads);
the blend file is saved after the long run, with compression and without.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import time
import types
from pathlib import Path

import bpy  # noqa: TID251 - this measures Blender
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
BONES = 60
LENGTH_M = 0.03


def load_addon(name: str) -> types.ModuleType:
    """Return a module of the add-on, imported from this checkout as the package vp3d."""
    if "vp3d" not in sys.modules:
        package = types.ModuleType("vp3d")
        package.__path__ = [str(ROOT)]
        sys.modules["vp3d"] = package
    return importlib.import_module(f"vp3d.{name}")


def make_rig(name: str) -> bpy.types.Object:
    """Return an armature of a chain of bones with quaternions."""
    armature = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, armature)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    parent = None
    for number in range(BONES):
        bone = armature.edit_bones.new(f"bone.{number:02d}")
        bone.head, bone.tail = (0, 0, LENGTH_M * number), (0, 0, LENGTH_M * (number + 1))
        bone.parent, parent = parent, bone
        bone.use_connect = number > 0
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def make_curves(num_frames: int) -> object:
    """Return curves in which every channel of every bone changes in every frame."""
    rotations = load_addon("vp3d_core.rotations")
    rig = load_addon("vp3d_core.retarget.rig")
    rng = np.random.default_rng(1)
    phase = np.arange(num_frames)[:, None] * 0.05 + rng.uniform(0, 6, 3)
    turns: dict[str, np.ndarray] = {}
    for number in range(BONES):
        vectors = 0.1 * np.sin(phase * rng.uniform(0.5, 1.5, 3))
        quats = np.concatenate([np.ones((num_frames, 1)), vectors], axis=1)
        turns[f"bone.{number:02d}"] = rotations.normalize(quats)
    path = np.stack([np.sin(phase[:, 0]), np.cos(phase[:, 1]), 1 + 0.1 * np.sin(phase[:, 2])], axis=-1)
    return rig.BoneCurves(np.arange(1.0, num_frames + 1), turns, {"bone.00": path})


class Stopwatch:
    """Measures s by the clock and of the processor."""

    def __init__(self) -> None:
        self._clock, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Return both since the start."""
        return time.perf_counter() - self._clock, time.process_time() - self._processor


def time_ours(num_frames: int) -> tuple[tuple[float, float], bpy.types.Object]:
    """Return s for writing all keys with ``write_curves``, and the rig."""
    rig, curves = make_rig("Ours"), make_curves(num_frames)
    watch = Stopwatch()
    load_addon("addon.fcurves").write_curves(rig, curves, action_name="Ours")
    return watch.read(), rig


def time_bake(num_frames: int) -> tuple[float, float]:
    """Return s for baking the same motion from a rig that has it onto one that follows by constraints."""
    _, leader = time_ours(num_frames)
    rig = make_rig("Baked")
    for bone in rig.pose.bones:
        for kind in ("COPY_LOCATION", "COPY_ROTATION") if bone.parent is None else ("COPY_ROTATION",):
            constraint = bone.constraints.new(kind)
            constraint.target, constraint.subtarget = leader, bone.name
    bpy.context.view_layer.objects.active = rig
    rig.select_set(True)
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.select_all(action="SELECT")
    watch = Stopwatch()
    bpy.ops.nla.bake(
        frame_start=1, frame_end=num_frames, visual_keying=True, clear_constraints=True, bake_types={"POSE"}
    )
    return watch.read()


def time_insert(num_frames: int) -> tuple[float, float]:
    """Return s for the same keys with keyframe_insert."""
    rig, curves = make_rig("Inserted"), make_curves(num_frames)
    watch = Stopwatch()
    for number, frame in enumerate(curves.frames):
        for name, quats in curves.rotations.items():
            bone = rig.pose.bones[name]
            bone.rotation_quaternion = quats[number]
            bone.keyframe_insert("rotation_quaternion", frame=frame)
        rig.pose.bones["bone.00"].location = curves.locations["bone.00"][number]
        rig.pose.bones["bone.00"].keyframe_insert("location", frame=frame)
    return watch.read()


def saved_megabytes(*, compress: bool) -> float:
    """Return the size of the file as it is now, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keys.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=compress, copy=True)
        return path.stat().st_size / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--bake-frames", type=int, default=1_000)
    parser.add_argument("--insert-frames", type=int, default=200)
    options = parser.parse_args(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:])

    def fresh() -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)

    print(f"Blender {bpy.app.version_string}, {BONES} bones, {4 * BONES + 3} channels, all moving")
    fresh()
    (clock_s, processor_s), _ = time_ours(options.frames)
    rate = options.frames * (4 * BONES + 3) / processor_s / 1e6
    print(f"write_curves, {options.frames} frames: {clock_s:.2f} s, processor {processor_s:.2f} s")
    print(f"  {rate:.1f} million keys a second of the processor")
    plain, packed = saved_megabytes(compress=False), saved_megabytes(compress=True)
    print(f".blend of that run {plain:.0f} MB, compressed {packed:.0f} MB")
    for name, measure, frames in (
        ("nla.bake", time_bake, options.bake_frames),
        ("keyframe_insert", time_insert, options.insert_frames),
    ):
        fresh()
        ours, _ = time_ours(frames)
        fresh()
        theirs = measure(frames)
        print(f"{name}, {frames} frames: {theirs[0]:.2f} s, processor {theirs[1]:.2f} s")
        print(f"  ours: {ours[0]:.3f} s, processor {ours[1]:.3f} s;", end=" ")
        print(f"{theirs[0] / ours[0]:.0f} times faster, {theirs[1] / ours[1]:.0f} times by the processor")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # Blender 4.5 hangs at exit
