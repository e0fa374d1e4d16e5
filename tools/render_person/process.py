# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering from an environment without bpy: one process of another Python for all scenes."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .scene import SceneDescription, load_scenes, save_scenes

__all__ = ["ClipFiles", "clip_files", "is_rendered", "render_clips"]

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class ClipFiles:
    """What a rendered scene leaves: the video, its truth (``truth.load``), and the scene it was made from."""

    video: Path
    truth: Path
    scene: Path


def clip_files(scene: SceneDescription, out: Path) -> ClipFiles:
    """Return the names of a scene's files in a folder."""
    return ClipFiles(out / f"{scene.name}.mp4", out / f"{scene.name}_truth.npz", out / f"{scene.name}.json")


def is_rendered(scene: SceneDescription, out: Path) -> bool:
    """Return whether the folder holds this scene's files, made from the same description."""
    files = clip_files(scene, out)
    if not all(path.is_file() for path in (files.video, files.truth, files.scene)):
        return False
    try:
        return load_scenes(files.scene) == [scene]
    except ValueError:
        return False


def render_clips(
    scenes: Sequence[SceneDescription], out: Path, *, python: Path, assets: Path, mocap: Path
) -> list[ClipFiles]:
    """Render scenes in one process of a Python that has bpy; those already rendered are kept.

    Args:
        scenes: With different names.
        out: Folder of the files; made when missing.
        python: Executable of the environment with bpy.
        assets: The body's files.
        mocap: The folder that motions are relative to.

    Returns:
        The files of each scene, in order.

    Raises:
        RuntimeError: when the process fails; the message ends with its last lines.
    """
    out.mkdir(parents=True, exist_ok=True)
    wanted = [scene for scene in scenes if not is_rendered(scene, out)]
    if wanted:
        list_file = out / "scenes_to_render.json"
        save_scenes(list_file, wanted)
        folders = ["--assets", str(assets), "--mocap", str(mocap), "--out", str(out.resolve())]
        command = [str(python), "-m", "tools.render_person", str(list_file.resolve()), *folders]
        done = subprocess.run(
            command, cwd=REPOSITORY, capture_output=True, text=True, check=False, errors="replace"
        )
        missing = [scene.name for scene in wanted if not is_rendered(scene, out)]
        if missing:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
            raise RuntimeError(f"{', '.join(missing)} not rendered (exit status {done.returncode}):\n{tail}")
        list_file.unlink()
    return [clip_files(scene, out) for scene in scenes]
