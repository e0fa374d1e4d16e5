# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the headless command. Standard library only."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from ..capture.options import add_camera_options, add_choices
from ..errors import InputError
from .batch_file import BatchPlan, BatchRequest, ClipRequest, load_batch_file, plan_batch
from .claims import EXPIRY_S
from .clips import read_list
from .parts import RunPolicy
from .scene_choice import EXPORT_FORMATS

__all__ = ["make_parser", "plan_from_options", "policy_from_options"]

HELP_TEXT = """\
Capture many videos, and make of each a .blend and, if asked, FBX, GLB, BVH or USD, with the motion on a rig.

Give videos, folders, patterns ("clips/*.mp4"), a list (--list) or a job file (--job). Without a rig each
motion gets an armature of its own, with a camera that matches the footage. With a rig (the opened .blend, or
--rig) it is retargeted onto it: the map of its bones is found, or given with --rig-map.
"""
FILES_TEXT = """\
Files in OUT:
  CLIP/CLIP.blend, .fbx, .glb, .bvh, .usd   the scene and its exports; CLIP-1, CLIP-2 ... for several people
  CLIP/motion.npz, report.html, ...         the capture, see: vp3d capture --help
  CLIP/clip.json                            what was done, so that the next run does nothing twice
  summary.json                              how each clip stands
  logs/                                     what Blender and its exporters printed

A clip that fails does not stop the others; the table at the end says which and why. The same command goes
on where a run was stopped: finished clips are kept, failed ones tried again, and what changed (the video, a
setting, the rig) is done again. Several machines that see one OUT share the clips out between them: start the
same command on each.

Job file, all keys optional, paths relative to it:
  {"clips": ["footage", {"path": "tall.mp4", "settings": {"height_m": 1.95}}], "out": "captures",
   "settings": {"fov_deg": 65}, "scene": {"rig": "rig.blend", "export": ["fbx"], "retarget": {"limbs": "ik"}}}

Exit codes: 0 all done, 1 a clip failed or nothing could go on, 2 wrong options, 130 stopped (Ctrl-C).
"""
# Option to the field of CaptureSettings.
SETTING_NAMES = {
    "detector": "detector", "height": "height_m", "start": "start_s", "end": "end_s", "fps": "fps",
    "smooth": "smooth", "device": "device", "threads": "threads", "lifter": "lifter",
    "fov": "fov_deg", "focal_mm": "focal_mm", "focal_px": "focal_px",
}  # fmt: skip
SCENE_NAMES = ("armature", "deform_only", "meshes", "footage", "first_frame", "current_pose")
RETARGET_NAMES = ("root_motion", "root_heading", "scale", "plant_feet", "limbs")


def make_parser(prog: str, *, usage: str | None = None) -> argparse.ArgumentParser:
    """Return the parser; an option that was not given is missing from what it returns.

    Args:
        prog: The command as the user types it.
        usage: Instead of the one that is made from all options.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        usage=usage,
        description=HELP_TEXT,
        epilog=FILES_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("clips", metavar="CLIP", nargs="*", default=[], help="videos, folders of videos, or patterns")
    add("--list", metavar="FILE", type=Path, help="text file with a video, folder or pattern a line")
    add("--job", metavar="FILE", type=Path, help="JSON job file; options win over it")
    add("-o", "--out", metavar="OUT", type=Path, help="output folder")
    add("-r", "--recursive", action="store_true", help="folders below the folders, too")
    _add_scene_options(parser.add_argument_group("scene"))
    _add_retarget_options(parser.add_argument_group("retargeting"))
    _add_run_options(parser.add_argument_group("run"))
    captures = parser.add_argument_group("captures")
    add_choices(captures)
    add_camera_options(captures)
    for action in parser._actions:  # noqa: SLF001  the only way to tell a default from a choice
        if action.dest != "clips":
            action.default = argparse.SUPPRESS
    return parser


def _add_scene_options(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    add = group.add_argument
    add("--rig", metavar="FILE", type=Path, help=".blend file with the rig (default: the one that is open)")
    add("--no-rig", action="store_true", help="an armature of our own, even if a .blend is open")
    add("--armature", metavar="NAME", help="the armature object in it, if there are several")
    add("--rig-map", metavar="FILE", type=Path, help="rig map (JSON); default: found by itself")
    formats = f"{', '.join(EXPORT_FORMATS)}; several with commas or several times"
    add("--export", metavar="FORMAT", action="append", help=formats)
    add("--deform-only", action="store_true", help="export only bones that deform")
    add("--no-meshes", dest="meshes", action="store_false", help="export the skeleton only")
    add("--footage", action="store_true", help="with a rig: add the captured armature, camera and video")
    add(
        "--first-frame",
        metavar="N",
        type=int,
        help="scene frame of the first key, or of the video (default: 1)",
    )


def _add_retarget_options(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    add = group.add_argument
    where = "what carries the way over the floor: hips, root_bone or object (default: hips)"
    add("--root-motion", choices=("hips", "root_bone", "object"), help=where)
    add("--root-axes", metavar="AXES", help="axes of the way that are kept, such as xyz, z, or none")
    add("--in-place", dest="root_axes", action="store_const", const="z", help="the same as --root-axes z")
    add("--root-heading", action="store_true", help="the root bone or object turns with the body")
    add("--scale", metavar="X", type=float, help="of the way (default: from the legs' lengths)")
    add("--arm-spread", metavar="DEG", type=float, help="turn the arms away from the body (-28 to 28)")
    add("--no-plant-feet", dest="plant_feet", action="store_false", help="let standing feet slide")
    pose = "match the motion's rest pose with the pose that the rig stands in, not with its rest pose"
    add("--current-pose", action="store_true", help=pose)
    add("--limbs", choices=("fk", "ik", "both"), help="controls to key, where the rig has both")


def _add_run_options(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    add = group.add_argument
    add("--overwrite", action="store_true", help="do finished clips again, from scratch")
    add("--skip-failed", action="store_true", help="leave clips alone that failed before")
    add("--wait", action="store_true", help="wait for clips that other machines work on")
    minutes = f"take a clip over when its machine was silent for so long (default: {EXPIRY_S / 60:g})"
    add("--claim-expiry", metavar="MIN", type=float, help=minutes)
    add("--worker-python", metavar="FILE", type=Path, help="Python of another worker environment")
    add("--json", action="store_true", help="print JSON lines instead of text")


def plan_from_options(options: argparse.Namespace, *, open_file: str = "") -> BatchPlan:
    """Return what the options, and the job file that they name, ask for.

    Args:
        options: As ``make_parser`` parsed them.
        open_file: The .blend that is open, or "".

    Raises:
        InputError: If something is missing or wrong.
    """
    chosen = vars(options)
    here = Path.cwd()
    entries = [ClipRequest(entry, here) for entry in chosen["clips"]]
    if "list" in chosen:
        base = chosen["list"].absolute().parent
        entries += [ClipRequest(entry, base) for entry in read_list(chosen["list"])]
    request = BatchRequest(
        tuple(entries),
        chosen.get("out"),
        chosen.get("recursive"),
        settings=_settings(chosen),
        scene=_scene(chosen),
    )
    file = load_batch_file(chosen["job"]) if "job" in chosen else None
    default_scene = {"rig": open_file} if open_file else {}
    return plan_batch(request, file, default_scene=default_scene)


def policy_from_options(options: argparse.Namespace) -> RunPolicy:
    """Return how to go through the clips."""
    chosen = vars(options)
    expiry_s = 60 * chosen["claim_expiry"] if "claim_expiry" in chosen else EXPIRY_S
    flags = {name: chosen.get(name, False) for name in ("overwrite", "skip_failed", "wait")}
    return RunPolicy(**flags, expiry_s=expiry_s)


def _settings(chosen: dict[str, object]) -> dict[str, object]:
    settings = {name: chosen[option] for option, name in SETTING_NAMES.items() if option in chosen}
    people = chosen.get("person")
    if isinstance(people, list):
        settings["person"] = [who.strip() for entry in people for who in str(entry).split(",")]
    return settings


def _scene(chosen: dict[str, object]) -> dict[str, object]:
    scene = {name: chosen[name] for name in SCENE_NAMES if name in chosen}
    for option, name in (("rig", "rig"), ("rig_map", "map")):
        if option in chosen:
            scene[name] = str(Path(str(chosen[option])).expanduser().absolute())
    if chosen.get("no_rig"):
        scene["rig"] = None
    formats = chosen.get("export")
    if isinstance(formats, list):
        words = ",".join(map(str, formats)).split(",")
        scene["export"] = [word.strip().lower() for word in words if word.strip()]
    retarget: dict[str, object] = {name: chosen[name] for name in RETARGET_NAMES if name in chosen}
    if "arm_spread" in chosen:
        retarget["arm_spread_rad"] = math.radians(float(str(chosen["arm_spread"])))
    if "root_axes" in chosen:
        retarget["root_axes"] = _axes(str(chosen["root_axes"]))
    if retarget:
        scene["retarget"] = retarget
    return scene


def _axes(text: str) -> Sequence[bool]:
    letters = "" if text.lower() == "none" else text.lower()
    if set(letters) - set("xyz"):
        raise InputError(f"Axes {text!r} are unknown", hint="Give some of x, y and z, or none.")
    return [axis in letters for axis in "xyz"]
