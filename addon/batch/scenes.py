# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the files of captured motions: a .blend of each, with our own armature or a rig, and its exports."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable
from pathlib import Path

import bpy

from ...vp3d_core.batch.clips import Clip
from ...vp3d_core.batch.scene_choice import SceneChoice
from ...vp3d_core.capture.stage_store import source_sha256
from ...vp3d_core.errors import InputError, OutputError, VP3DError
from ...vp3d_core.output_file import output_error, temporary_path
from .animated_rig import Animated, check_rig, import_people, open_rig, retarget_motion
from .exporters import SUFFIXES, Export, check_formats, export_rig

__all__ = ["BlenderScenes"]

log = logging.getLogger(__name__)


class BlenderScenes:
    """Makes scenes in this Blender; each replaces the file that is open.

    Args:
        choice: What is made of each motion.

    Raises:
        VP3DError: If the rig or the map cannot be read or do not fit, or a format cannot be written.
    """

    def __init__(self, choice: SceneChoice) -> None:
        check_formats(choice.export)
        self._choice = choice
        self._key = _key(choice)
        check_rig(choice)

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
        stems = [clip.stem] if len(motions) == 1 else [f"{clip.stem}-{n + 1}" for n in range(len(motions))]
        try:
            if self._choice.rig is None:
                return self._make_own(clip, folder, motions, stems, progress)
            files: list[Path] = []
            for motion, stem in zip(motions, stems, strict=True):
                files += self._make_on_rig(clip, motion, folder / stem, progress)
            return files
        except VP3DError:
            raise
        except RuntimeError as error:  # of an operator of Blender's
            if "KeyboardInterrupt" in str(error):
                raise KeyboardInterrupt from error
            log.exception("%s", clip.name)
            raise OutputError(
                f"Blender could not make the scene: {str(error).strip()}", hint="Look at the log."
            ) from error
        except Exception as error:  # noqa: BLE001  one clip must not stop the others
            log.exception("%s", clip.name)
            raise OutputError(
                f"Something unexpected happened ({type(error).__name__}: {error})",
                hint="Please report it, with the log.",
            ) from error

    def _make_own(
        self, clip: Clip, folder: Path, motions: list[Path], stems: list[str], progress: Callable[[str], None]
    ) -> list[Path]:
        """Make one .blend with everybody in it, and exports of each."""
        people = import_people(motions, clip, first_frame=self._choice.first_frame)
        files = [_save(folder / f"{clip.stem}.blend", progress)]
        for animated, stem in zip(people, stems, strict=True):
            files += self._exports(animated, folder / stem, progress)
        return files

    def _make_on_rig(
        self, clip: Clip, motion: Path, base: Path, progress: Callable[[str], None]
    ) -> list[Path]:
        """Make a .blend with the rig that moves as one person does, and its exports."""
        assert self._choice.rig is not None
        open_rig(self._choice.rig)
        animated = retarget_motion(motion, clip, self._choice, name=base.name)
        _set_range(animated)
        bpy.context.scene.frame_set(animated.first_frame)
        blend = _save(base.with_name(f"{base.name}.blend"), progress)
        return [blend, *self._exports(animated, base, progress)]

    def _exports(self, animated: Animated, base: Path, progress: Callable[[str], None]) -> list[Path]:
        choice = self._choice
        _set_range(animated)
        export = Export(animated.armature, meshes=choice.meshes, deform_only=choice.deform_only)
        files: list[Path] = []
        for kind in choice.export:
            path = base.with_name(base.name + SUFFIXES[kind])
            progress(f"Writing {path.name}")
            export_rig(export, path, kind=kind, scene=bpy.context.scene)
            files.append(path)
        return files


def _set_range(animated: Animated) -> None:
    """Have the scene play, and exporters write, the motion from its first frame to its last."""
    scene = bpy.context.scene
    scene.use_preview_range = False
    scene.frame_start, scene.frame_end = animated.first_frame, animated.last_frame


def _save(path: Path, progress: Callable[[str], None]) -> Path:
    """Save the open file under another name: whole or not at all, paths relative to where it will be."""
    progress(f"Writing {path.name}")
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
    return path


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
