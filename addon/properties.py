# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scene keeps of a capture's settings; values leave as CaptureSettings."""

from __future__ import annotations

import bpy

from ..vp3d_core.errors import InputError
from ..vp3d_core.settings import CaptureSettings
from .preferences import choices
from .retarget_properties import RetargetChoices

__all__ = ["FoundPersonItem", "SceneChoices", "capture_settings", "register", "unregister"]

VIDEO_FILTER = "*.mp4;*.mov;*.m4v;*.mkv;*.webm;*.avi;*.mpg;*.mpeg;*.wmv;*.mts;*.m2ts;*.3gp;*.ogv;*.flv"


def _video_changed(scene_choices: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    from .preview import video_changed

    video_changed(scene_choices)


class FoundPersonItem(bpy.types.PropertyGroup):
    """Somebody whom the quick pass found."""

    chosen: bpy.props.BoolProperty(name="Capture", description="Capture this person", default=True)
    picture: bpy.props.StringProperty()
    confidence: bpy.props.FloatProperty()
    when: bpy.props.StringProperty()
    places: bpy.props.StringProperty()


class SceneChoices(bpy.types.PropertyGroup):
    """The user's choices for the next capture."""

    video_path: bpy.props.StringProperty(
        name="Video",
        description="The video to capture",
        subtype="FILE_PATH",
        update=_video_changed,
    )
    scrub: bpy.props.FloatProperty(
        name="Preview",
        description="Part of the video to show",
        subtype="PERCENTAGE",
        min=0.0,
        max=100.0,
        precision=0,
    )
    people: bpy.props.CollectionProperty(type=FoundPersonItem)
    people_video: bpy.props.StringProperty()
    who: bpy.props.EnumProperty(
        name="Who",
        description="Whom to capture",
        items=[
            ("all", "Everybody", "All the people who are seen well enough"),
            ("largest", "Largest", "Who is largest in the picture"),
            ("longest", "Longest Seen", "Who is seen for the longest time"),
        ],
    )
    know_height: bpy.props.BoolProperty(
        name="Height", description="Give the person's height; otherwise 1.70 m is taken"
    )
    height_m: bpy.props.FloatProperty(
        name="Height",
        description="Height of the person, standing, with shoes",
        subtype="DISTANCE",
        unit="LENGTH",
        min=0.5,
        max=2.5,
        default=1.7,
        precision=2,
    )
    lens: bpy.props.EnumProperty(
        name="Lens",
        description="What is known of the camera's lens",
        items=[
            ("ESTIMATE", "Estimate", "Take a usual lens; the pose hardly depends on it"),
            ("FOCAL_MM", "Focal Length", "35 mm equivalent, as phones and cameras state it; phones 24 to 30"),
            ("FOV", "Field of View", "Horizontal angle; phones: about 70 degrees, held upright about 43"),
            ("FOCAL_PX", "Focal Length (px)", "In pixels, from a calibration"),
        ],
    )
    focal_mm: bpy.props.FloatProperty(
        name="35 mm Equivalent", min=3.0, max=2000.0, default=26.0, subtype="NONE", precision=1
    )
    fov_deg: bpy.props.FloatProperty(name="Degrees", min=5.0, max=170.0, default=65.0, precision=1)
    focal_px: bpy.props.FloatProperty(name="Pixels", min=1.0, max=1e6, default=1500.0, precision=1)
    detector: bpy.props.EnumProperty(
        name="Detector",
        description="What finds people and their joints in the pictures",
        items=[
            ("auto", "Automatic", "MMPose where its weights are installed, else MediaPipe"),
            ("mediapipe", "MediaPipe", "Fast, up to four people, needs no further download"),
            ("mmpose", "MMPose", "More accurate, slower without a GPU; needs its weights"),
            ("FILE", "Keypoint File", "2D keypoints that were detected elsewhere"),
        ],
    )
    keypoints_path: bpy.props.StringProperty(
        name="Keypoints", description="File or folder of 2D keypoints", subtype="FILE_PATH"
    )
    smooth: bpy.props.BoolProperty(
        name="Smooth",
        description="Smooth keypoints and motion, as far as the noise in them asks for",
        default=True,
    )
    mirror: bpy.props.BoolProperty(
        name="Mirrored Pass",
        description="Lift mirrored keypoints too: a little more accurate, twice the lifting time",
    )
    use_range: bpy.props.BoolProperty(
        name="Part of the Video", description="Capture a part of the video only"
    )
    start_s: bpy.props.FloatProperty(
        name="From", min=0.0, max=1e7, precision=2, step=10, unit="TIME_ABSOLUTE"
    )
    end_s: bpy.props.FloatProperty(
        name="To", min=0.0, max=1e7, default=10.0, precision=2, step=10, unit="TIME_ABSOLUTE"
    )
    rate: bpy.props.EnumProperty(
        name="Keys",
        description="How many keys a second; the duration is kept in any case",
        items=[
            ("SCENE", "Scene's Rate", "One key on each frame of the scene"),
            ("VIDEO", "Video's Rate", "One key for each picture of the video"),
        ],
    )
    retarget: bpy.props.PointerProperty(type=RetargetChoices)


def capture_settings(scene: bpy.types.Scene) -> CaptureSettings:
    """Return a scene's choices, with device and threads of the preferences.

    Raises:
        InputError: If they contradict each other.
    """
    chosen = scene.vp3d
    own = choices()
    file = bpy.path.abspath(chosen.keypoints_path)
    return CaptureSettings(
        detector=file if chosen.detector == "FILE" else chosen.detector,
        person=_person(chosen),
        height_m=chosen.height_m if chosen.know_height else None,
        start_s=chosen.start_s if chosen.use_range else None,
        end_s=chosen.end_s if chosen.use_range else None,
        fps=scene.render.fps / scene.render.fps_base if chosen.rate == "SCENE" else None,
        device=own.device,
        smooth=chosen.smooth,
        mirror=chosen.mirror,
        threads=own.threads,
        focal_mm=chosen.focal_mm if chosen.lens == "FOCAL_MM" else None,
        fov_deg=chosen.fov_deg if chosen.lens == "FOV" else None,
        focal_px=chosen.focal_px if chosen.lens == "FOCAL_PX" else None,
    )


def _person(chosen: bpy.types.PropertyGroup) -> tuple[str, ...]:
    if not chosen.people or chosen.people_video != chosen.video_path:
        return (chosen.who,)
    if all(person.chosen for person in chosen.people):
        return ("all",)
    ticked = [person for person in chosen.people if person.chosen]
    if not ticked:
        raise InputError("None of the people is ticked", hint="Tick those to capture.")
    return tuple(place for person in ticked for place in person.places.split())


_register_classes, _unregister_classes = bpy.utils.register_classes_factory((FoundPersonItem, SceneChoices))


def register() -> None:
    """Add the choices to scenes."""
    _register_classes()
    bpy.types.Scene.vp3d = bpy.props.PointerProperty(type=SceneChoices)


def unregister() -> None:
    """Take them away again; what files hold of them stays in the files."""
    del bpy.types.Scene.vp3d
    _unregister_classes()
