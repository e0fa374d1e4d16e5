# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: worker environment, weights, device, folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..vp3d_core.settings import DEVICES
from ..vp3d_core.user_folders import worker_python
from .extension import ROOT_PACKAGE, default_jobs_folder
from .job_drawing import draw_job, draw_message

__all__ = ["Choices", "choices", "register", "unregister"]

WORKER_VARIABLE = "VP3D_WORKER_PYTHON"
DEVICE_LABELS = {
    "auto": ("Automatic", "A GPU where PyTorch finds one, else the CPU"),
    "cpu": ("CPU", "Works everywhere"),
    "cuda": ("NVIDIA GPU", "CUDA"),
    "mps": ("Apple GPU", "Metal"),
}
DEVICE_ITEMS = [(device, *DEVICE_LABELS[device]) for device in DEVICES]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose in the preferences, or the defaults where there are none.

    Attributes:
        worker_python: The Python that captures run in; it need not exist.
        own_worker: Whether the user named that Python.
        jobs_folder: Where captures are kept.
        device: See ``CaptureSettings``.
        threads: CPU threads, 0 for as many as the models want.
        import_when_done: Whether a finished capture comes into the scene by itself.
        installer_python: Python to make the worker environment with, or "".
    """

    worker_python: Path
    own_worker: bool
    jobs_folder: Path
    device: str = "auto"
    threads: int = 0
    import_when_done: bool = True
    installer_python: str = ""


def choices() -> Choices:
    """Return the user's choices; also where the add-on runs without preferences."""
    addon = bpy.context.preferences.addons.get(ROOT_PACKAGE)
    own = addon.preferences if addon is not None else None
    named = os.environ.get(WORKER_VARIABLE, "")
    if own is None:
        return Choices(Path(named) if named else worker_python(), bool(named), default_jobs_folder())
    named = own.worker_python or named
    folder = own.jobs_folder
    return Choices(
        worker_python=Path(bpy.path.abspath(named)) if named else worker_python(),
        own_worker=bool(named),
        jobs_folder=Path(bpy.path.abspath(folder)) if folder else default_jobs_folder(),
        device=own.device,
        threads=own.threads,
        import_when_done=own.import_when_done,
        installer_python=own.installer_python,
    )


def _check_worker(_preferences: bpy.types.AddonPreferences, _context: bpy.types.Context) -> None:
    from .worker_environment import refresh_worker_state

    refresh_worker_state()


def _list_jobs(_preferences: bpy.types.AddonPreferences, _context: bpy.types.Context) -> None:
    from .job_list import refresh_jobs

    refresh_jobs()


class VP3DPreferences(bpy.types.AddonPreferences):
    """Preferences of the add-on."""

    bl_idname = ROOT_PACKAGE

    worker_python: bpy.props.StringProperty(
        name="Worker's Python",
        description="A Python of your own that has PyTorch, MediaPipe and MMPose; empty takes the worker "
        "environment that the button above installs",
        subtype="FILE_PATH",
        update=_check_worker,
    )
    installer_python: bpy.props.StringProperty(
        name="Install with Python",
        description="Python 3.10 to 3.12 to make the worker environment with; empty looks for one",
        subtype="FILE_PATH",
    )
    jobs_folder: bpy.props.StringProperty(
        name="Captures",
        description="Folder in which captures are kept; empty takes the extension's own folder",
        subtype="DIR_PATH",
        update=_list_jobs,
    )
    device: bpy.props.EnumProperty(
        name="Device",
        description="Where the models run",
        items=DEVICE_ITEMS,
    )
    threads: bpy.props.IntProperty(
        name="CPU Threads",
        description="Threads of the models; 0 takes as many as they want. Fewer leave more for Blender",
        min=0,
        max=256,
    )
    import_when_done: bpy.props.BoolProperty(
        name="Import When Done",
        description="Bring a finished capture into the scene by itself, if the same file is still open",
        default=True,
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the worker environment, then the choices."""
        layout = self.layout
        session = context.window_manager.vp3d
        self._draw_worker(layout.box(), session)
        self._draw_weights(layout.box(), session)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(self, "device")
        column.prop(self, "threads")
        column.prop(self, "import_when_done")
        column.prop(self, "jobs_folder", placeholder=session.jobs_folder_default)
        column.separator()
        column.prop(self, "installer_python")
        column.prop(self, "worker_python")

    def _draw_worker(self, box: bpy.types.UILayout, session: bpy.types.PropertyGroup) -> None:
        ready = session.worker_state == "READY"
        row = box.row()
        row.label(text="Worker environment", icon="CHECKMARK" if ready else "ERROR")
        row.label(text=session.worker_text)
        if draw_job(box, "install"):
            return
        row = box.row()
        row.operator("vp3d.install_worker", text="Update" if ready else "Install", icon="IMPORT")
        row.operator("vp3d.examine_worker", icon="VIEWZOOM")
        row.operator("vp3d.show_log", text="Log", icon="TEXT").kind = "install"
        if not bpy.app.online_access:
            column = box.column(align=True)
            text = "Online access is off; downloads need it (System, Network)"
            column.label(text=text, icon="INTERNET_OFFLINE")
            column.operator("screen.userpref_show", text="Open System Preferences").section = "SYSTEM"
        draw_message(box, session, "install")

    def _draw_weights(self, box: bpy.types.UILayout, session: bpy.types.PropertyGroup) -> None:
        row = box.row()
        here = not session.weights_missing
        row.label(text="MMPose's weights", icon="CHECKMARK" if here else "INFO")
        row.label(text="Here" if here else "Not here: MediaPipe is used")
        if draw_job(box, "weights"):
            return
        row = box.row()
        row.operator("vp3d.fetch_weights", icon="IMPORT")
        row.operator("vp3d.import_weights", icon="FILEBROWSER")
        draw_message(box, session, "weights")


register, unregister = bpy.utils.register_classes_factory((VP3DPreferences,))
