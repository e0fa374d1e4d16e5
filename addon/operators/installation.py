# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker environment and weights: install, examine, fetch, import."""

from __future__ import annotations

import bpy

from ...vp3d_core.errors import InputError
from .. import job_runner
from ..extension import ROOT_PACKAGE
from ..installing import check_online, start_installer
from ..preferences import choices
from .reporting import invoke_reports_errors, reports_errors

__all__ = ["register", "unregister"]


class VP3D_OT_install_worker(bpy.types.Operator):
    """Install what captures need into a folder of its own, 2 GB or more; Blender's Python stays as it is"""

    bl_idname = "vp3d.install_worker"
    bl_label = "Install Worker Environment"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One installation at a time."""
        return not_installing(cls, "install")

    @invoke_reports_errors
    def invoke(self, _context: bpy.types.Context, _event: bpy.types.Event) -> None:
        """Start it and return at once."""
        check_online()
        start_installer("install", "install")

    @reports_errors
    def execute(self, _context: bpy.types.Context) -> None:
        """Wait until it is installed."""
        check_online()
        job_runner.wait(start_installer("install", "install"))


class VP3D_OT_examine_worker(bpy.types.Operator):
    """Start the worker's Python and look at its packages, its device and the weights"""

    bl_idname = "vp3d.examine_worker"
    bl_label = "Check"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Not during an installation."""
        return not_installing(cls, "install")

    @invoke_reports_errors
    def invoke(self, _context: bpy.types.Context, _event: bpy.types.Event) -> None:
        """Start it and return at once."""
        start_installer("install", *examine_words())

    @reports_errors
    def execute(self, _context: bpy.types.Context) -> None:
        """Wait for what it finds."""
        job_runner.wait(start_installer("install", *examine_words()))
        self.report({"INFO"}, "Everything that captures need is there")


class VP3D_OT_fetch_weights(bpy.types.Operator):
    """Download the weights of the MMPose detector, 60 MB"""

    bl_idname = "vp3d.fetch_weights"
    bl_label = "Download"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One at a time."""
        return not_installing(cls, "weights")

    @invoke_reports_errors
    def invoke(self, _context: bpy.types.Context, _event: bpy.types.Event) -> None:
        """Start it and return at once."""
        check_online()
        start_installer("weights", "fetch-weights")

    @reports_errors
    def execute(self, _context: bpy.types.Context) -> None:
        """Wait until they are here."""
        check_online()
        job_runner.wait(start_installer("weights", "fetch-weights"))


class VP3D_OT_import_weights(bpy.types.Operator):
    """Import weights of the MMPose detector from a file that was fetched elsewhere"""

    bl_idname = "vp3d.import_weights"
    bl_label = "Import from File"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.pth;*.safetensors", options={"HIDDEN"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One at a time."""
        return not_installing(cls, "weights")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reports_errors
    def execute(self, _context: bpy.types.Context) -> None:
        """Import it; small enough to wait for."""
        if not self.filepath:
            raise InputError("No file was chosen", hint="Choose a .pth or .safetensors file.")
        job_runner.wait(start_installer("weights", "import-weights", bpy.path.abspath(self.filepath)))


class VP3D_OT_open_preferences(bpy.types.Operator):
    """Open the add-on's preferences"""

    bl_idname = "vp3d.open_preferences"
    bl_label = "Preferences"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Open them."""
        if bpy.app.background:
            return {"CANCELLED"}
        return bpy.ops.preferences.addon_show(module=ROOT_PACKAGE)


def not_installing(operator: type[bpy.types.Operator], kind: str) -> bool:
    """Return whether no installer of a kind runs, and tell when one does."""
    if job_runner.running(kind) is None:
        return True
    operator.poll_message_set("It is running already")
    return False


def examine_words() -> tuple[str, ...]:
    """Return the installer's words for a look at the worker's Python."""
    chosen = choices()
    return ("examine", "--python", str(chosen.worker_python)) if chosen.own_worker else ("examine",)


register, unregister = bpy.utils.register_classes_factory(
    (
        VP3D_OT_install_worker,
        VP3D_OT_examine_worker,
        VP3D_OT_fetch_weights,
        VP3D_OT_import_weights,
        VP3D_OT_open_preferences,
    )
)
