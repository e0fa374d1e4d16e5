# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the files of captured motions: a .blend of each, with our own armature or a rig, and its exports."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable
from pathlib import Path

import bpy

from ...vp3d_core import motion_file
from ...vp3d_core.batch.clips import Clip
from ...vp3d_core.batch.scene_choice import SceneChoice
from ...vp3d_core.capture.stage_store import source_sha256
from ...vp3d_core.errors import InputError, OutputError, VP3DError
from ...vp3d_core.output_file import output_error, temporary_path
from .animated_rig import Animated, import_motion, open_rig, retarget_motion
from .exporters import SUFFIXES, Export, check_formats, export_rig

__all__ = ["BlenderScenes"]

log = logging.getLogger(__name__)


class BlenderScenes:
    """Makes scenes in this Blender; each replaces the file that is open.

    Args:
        choice: What is made of each motion.

    Raises:
        InputError: If the rig or the map cannot be read, or a format cannot be written.
    """

    def __init__(self, choice: SceneChoice) -> None:
        check_formats(choice.export)
        self._choice = choice
        self._key = _key(choice)

    @property
    def key(self) -> str:
        """All that the files depend on besides the motions."""
        return self._key

    def make(
        self, clip: Clip, folder: Path, motions: list[Path], progress: Callable[[str], None]
    ) -> list[Path]:
        """Make the files of one clip in its folder and return them.

        Raises:
            VP3DError: If the rig does not fit or a file cannot be written.
        """
        files: list[Path] = []
        for number, motion in enumerate(motions, start=1):
            stem = clip.stem if len(motions) == 1 else f"{clip.stem}-{number}"
            try:
                files += self._make_one(clip, motion, folder / stem, progress)
            except (VP3DError, KeyboardInterrupt):
                raise
            except RuntimeError as error:  # of an operator of Blender's
                if "KeyboardInterrupt" in str(error):
                    raise KeyboardInterrupt from error
                log.exception("%s", stem)
                raise OutputError(
                    f"Blender could not make {stem}: {error}", hint="Look at the log."
                ) from error
            except Exception as error:  # one clip must not stop the others
                log.exception("%s", stem)
                raise OutputError(
                    f"Something unexpected happened with {stem} ({type(error).__name__}: {error})",
                    hint="Please report it, with the log.",
                ) from error
        return files

    def _make_one(
        self, clip: Clip, motion_path: Path, base: Path, progress: Callable[[str], None]
    ) -> list[Path]:
        choice = self._choice
        motion = motion_file.load(motion_path)
        if choice.rig is None:
            animated = import_motion(motion, clip.video, name=base.name, first_frame=choice.first_frame)
        else:
            open_rig(choice.rig)
            animated = retarget_motion(motion, choice, video=clip.video, name=base.name)
        scene = bpy.context.scene
        scene.frame_start, scene.frame_end = animated.first_frame, animated.last_frame
        scene.frame_set(animated.first_frame)
        blend = base.with_name(f"{base.name}.blend")
        progress(f"Writing {blend.name}")
        _save(blend)
        return [blend, *self._exports(animated, base, progress)]

    def _exports(self, animated: Animated, base: Path, progress: Callable[[str], None]) -> list[Path]:
        choice = self._choice
        export = Export(animated.armature, meshes=choice.meshes, deform_only=choice.deform_only)
        files: list[Path] = []
        for kind in choice.export:
            path = base.with_name(base.name + SUFFIXES[kind])
            progress(f"Writing {path.name}")
            export_rig(export, path, kind=kind, scene=bpy.context.scene)
            files.append(path)
        return files


def _save(path: Path) -> None:
    """Save the open file under another name: whole or not at all, paths relative to where it will be."""
    temporary = temporary_path(path).with_suffix(".blend")
    try:
        bpy.ops.wm.save_as_mainfile(
            filepath=str(temporary), copy=True, compress=True, relative_remap=True, check_existing=False
        )
        temporary.replace(path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _key(choice: SceneChoice) -> str:
    """Return a text of the choice, with the content of its files instead of their paths."""
    values = dataclasses.asdict(choice)
    for name in ("rig", "map"):
        path = values[name]
        if path is None:
            continue
        try:
            values[name] = source_sha256(path, folder=None)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", hint="Check the path.") from error
    return json.dumps(values, sort_keys=True)
