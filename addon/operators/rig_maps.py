# SPDX-License-Identifier: GPL-3.0-or-later
"""The map of the target's bones: found, edited, saved and loaded."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...vp3d_core.errors import InputError
from ...vp3d_core.retarget import rig_map as rig_map_file
from ..armature import read_rig
from ..rig_mapping import add_bone, find_map, map_of, remove_bone, show_map
from .reporting import reports_errors

__all__ = ["register", "unregister"]


def has_target(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Return whether a target was chosen, and tell when none was."""
    if context.scene.vp3d.retarget.target is not None:
        return True
    operator.poll_message_set("Choose a target first")
    return False


def has_map(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Return whether a map is shown with a line chosen, and tell when not."""
    chosen = context.scene.vp3d.retarget
    if chosen.target is not None and 0 <= chosen.bone_index < len(chosen.bones):
        return True
    operator.poll_message_set("Find the map first")
    return False


class VP3D_OT_guess_map(bpy.types.Operator):
    """Find out which bone of the target plays which part"""

    bl_idname = "vp3d.guess_map"
    bl_label = "Find Bones"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a target."""
        return has_target(cls, context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Find and show the map, and say what is missing."""
        rig_map = find_map(context.scene.vp3d.retarget)
        if rig_map.missing:
            self.report({"WARNING"}, f"Not found: {', '.join(rig_map.missing)}. Choose them in the list.")


class VP3D_OT_add_map_bone(bpy.types.Operator):
    """Add one more bone to the chosen part, such as another bone of the spine"""

    bl_idname = "vp3d.add_map_bone"
    bl_label = "Add Bone"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a map."""
        return has_map(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add a line."""
        add_bone(context.scene.vp3d.retarget)
        return {"FINISHED"}


class VP3D_OT_remove_map_bone(bpy.types.Operator):
    """Take the chosen bone out of the map"""

    bl_idname = "vp3d.remove_map_bone"
    bl_label = "Remove Bone"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a map."""
        return has_map(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove the line."""
        remove_bone(context.scene.vp3d.retarget)
        return {"FINISHED"}


class MapFileOperator:
    """Asks for a JSON file."""

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def map_path(self) -> Path:
        """Return the file that was chosen.

        Raises:
            InputError: If none was.
        """
        if not self.filepath:
            raise InputError("No file was chosen", hint="Choose a .json file.")
        return Path(bpy.path.abspath(self.filepath))


class VP3D_OT_save_map(MapFileOperator, bpy.types.Operator):
    """Save the map of the target's bones to a file"""

    bl_idname = "vp3d.save_map"
    bl_label = "Save Rig Map"

    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a map."""
        return has_map(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        self.filepath = bpy.path.clean_name(context.scene.vp3d.retarget.target.name) + ".json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Save it."""
        path = self.map_path()
        path = path if path.suffix.lower() == ".json" else path.with_name(path.name + ".json")
        rig_map_file.save(path, map_of(context.scene.vp3d.retarget))
        self.report({"INFO"}, f"Saved {path}")


class VP3D_OT_load_map(MapFileOperator, bpy.types.Operator):
    """Load the map of the target's bones from a file"""

    bl_idname = "vp3d.load_map"
    bl_label = "Load Rig Map"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a target."""
        return has_target(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reports_errors
    def execute(self, context: bpy.types.Context) -> None:
        """Load and show it, if it fits the target."""
        chosen = context.scene.vp3d.retarget
        rig_map = rig_map_file.load(self.map_path())
        rig_map.check(read_rig(chosen.target))
        show_map(chosen, rig_map)


register, unregister = bpy.utils.register_classes_factory(
    (
        VP3D_OT_guess_map,
        VP3D_OT_add_map_bone,
        VP3D_OT_remove_map_bone,
        VP3D_OT_save_map,
        VP3D_OT_load_map,
    )
)
