# SPDX-License-Identifier: GPL-3.0-or-later
"""From pixels to motion: captures of rendered clips against their exact truth, beside MediaPipe's own 3D.

    python benchmarks/end_to_end.py                           # where all clips are in the cache
    python benchmarks/end_to_end.py --bpy-python PYTHON --assets HUMAN --mocap MOCAP   # renders them first

The clips (benchmarks/end_to_end_clips.py) are rendered once by tools/render_person, with a Python that has
Blender's module, and kept in the user's cache or in --cache FOLDER. Each is captured with MediaPipe as
detector: once with nothing told (the usual field of view and 1.70 m are assumed), once with the true focal
length and height. Poses are compared in camera axes, relative to the middle of the hips, on the 19 joints
that our skeleton and MediaPipe's both define (nose, ears, shoulders, elbows, wrists, hips, knees, ankles,
heels, toes).

"found": share of the frames with the person in the picture that have a pose. "path": error of the pelvis's
place, with the camera above the origin; "aligned": at the first frame in position and heading. "slide": speed
of heels and toes over the floor while they truly stand. "foot height": its error then. "in floor": mean depth
of the lowest foot point below its standing height. "up": error of the vertical.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.balance import RecordingDetector
from benchmarks.end_to_end_clips import CLIPS
from benchmarks.end_to_end_results import (
    MEDIAPIPE,
    METHODS,
    PLAIN,
    TOLD,
    ClipResult,
    MethodResult,
    markdown_table,
    save_json,
    summary_table,
    text_table,
)
from tools.render_person.process import ClipFiles, clip_files, is_rendered, render_clips
from tools.render_person.scene import SceneDescription
from vp3d_core.accuracy.comparison import Accuracy, compare_motion, joints_at
from vp3d_core.accuracy.ground_truth import GroundTruth, load_truth
from vp3d_core.accuracy.pose_errors import COMMON_JOINTS, pose_errors
from vp3d_core.accuracy.world_errors import from_camera_footing
from vp3d_core.arrays import Array
from vp3d_core.capture.progress import Progress
from vp3d_core.errors import NoPersonFound
from vp3d_core.lift.lifter import Lifter
from vp3d_core.motion import Motion
from vp3d_core.pipeline import CAPTURE_STAGES, Capture, capture_people
from vp3d_core.settings import CaptureSettings
from vp3d_core.skeletons import BLAZEPOSE_33, JOINTS

LANDMARK_NAMES = {"left_toe": "left_big_toe", "right_toe": "right_big_toe"}
LANDMARKS = [BLAZEPOSE_33.index(LANDMARK_NAMES.get(joint, joint)) for joint in COMMON_JOINTS]
COMMON = [JOINTS.index(joint) for joint in COMMON_JOINTS]


def default_cache() -> Path:
    """Return where rendered clips are kept when no folder is named."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "vp3d" / "end_to_end"


def measure(scene: SceneDescription, files: ClipFiles, lifter: Lifter, *, threads: int) -> ClipResult:
    """Capture a clip in both ways and compare all methods with the truth."""
    truth = load_truth(files.truth)
    told = CaptureSettings(
        person=("largest",),
        threads=threads,
        focal_px=float(truth.camera.intrinsics[0, 0]),
        height_m=scene.people[0].height_m,
    )
    plain = replace(told, focal_px=None, height_m=None)
    detector = RecordingDetector(threads=threads)
    methods: dict[str, MethodResult | None] = {}
    paths = {"true": _path(truth.joints_world, truth.camera.world_from_camera)}
    with tempfile.TemporaryDirectory() as job_dir:  # detection is done once
        for name, settings in ((PLAIN, plain), (TOLD, told)):
            found = _capture(files.video, settings, detector, lifter, Path(job_dir))
            motion = None if found is None else longest(found)
            methods[name] = None if motion is None else _result(compare_motion(motion, truth))
            if motion is not None:
                joints, camera, covered = joints_at(motion, truth.times_s)
                paths[name] = _path(joints[covered], camera.world_from_camera[covered])
            if name == PLAIN:
                methods[MEDIAPIPE] = None if found is None else own_result(found, detector.world, truth)
    detector.close()
    return ClipResult(scene.name, methods, paths)


def _capture(
    video: Path, settings: CaptureSettings, detector: RecordingDetector, lifter: Lifter, job_dir: Path
) -> Capture | None:
    try:
        return capture_people(
            video,
            settings,
            Progress(None, CAPTURE_STAGES),
            job_dir=job_dir,
            detector=detector,
            lifter=lifter,
        )
    except NoPersonFound:
        return None


def longest(found: Capture) -> Motion:
    """Return the longest motion; a person who was lost for a while has several."""
    return max((person.motion for person in found.people), key=lambda motion: len(motion.root_positions))


def own_result(found: Capture, landmarks: list[Array], truth: GroundTruth) -> MethodResult | None:
    """Compare MediaPipe's own 3D landmarks of the followed person, frame by frame."""
    track = next(track for track in found.tracks if track.track_id == found.people[0].track_id)
    joints = np.full((len(truth.times_s), len(LANDMARKS), 3), np.nan)
    for row, detection in zip(track.frames, track.detection_index, strict=True):
        frame = round(float(found.times_s[row]) * truth.frame_rate_hz)
        if detection >= 0 and frame < len(joints):
            joints[frame] = landmarks[row][detection][LANDMARKS]
    true = truth.camera.camera_points(truth.joints_world)[:, COMMON]
    visible = truth.in_picture() >= 0.5
    seen = np.isfinite(joints).all((1, 2)) & visible
    joints[~seen] = np.nan
    if seen.sum() < 4:
        return None
    errors = pose_errors(joints, true, rate_hz=truth.frame_rate_hz)
    return MethodResult(int(seen.sum()), float(seen.sum() / visible.sum()), errors, None)


def _result(found: Accuracy) -> MethodResult:
    return MethodResult(found.frames, found.coverage, found.pose, found.world)


def _path(joints_world: Array, world_from_camera: Array) -> list[tuple[float, float]]:
    placed = from_camera_footing(joints_world[:, :1], world_from_camera[0])[:, 0]
    return [(round(float(x), 4), round(float(y), 4)) for x, y, _ in placed]


def rendered(options: argparse.Namespace, scenes: list[SceneDescription]) -> list[ClipFiles]:
    """Return the clips' files, rendering those that the cache lacks."""
    missing = [scene.name for scene in scenes if not is_rendered(scene, options.cache)]
    if not missing:
        return [clip_files(scene, options.cache) for scene in scenes]
    if not (options.bpy_python and options.assets and options.mocap):
        sys.exit(f"{', '.join(missing)} must be rendered: give --bpy-python, --assets and --mocap (--help)")
    print(f"rendering {len(missing)} of {len(scenes)} clips into {options.cache} ...", flush=True)
    return render_clips(
        scenes, options.cache, python=options.bpy_python, assets=options.assets, mocap=options.mocap
    )


def write(options: argparse.Namespace, results: list[ClipResult], about: dict[str, object]) -> None:
    """Write tables, plot and JSON, and print the tables."""
    from benchmarks.end_to_end_plot import save_plot

    parts = [f"Lifter {about['lifter']}, detector MediaPipe, {len(results)} clips.", summary_table(results)]
    for method in METHODS:
        parts += [f"### {method}", markdown_table(results, method)]
        print(f"\n{method}\n{text_table(results, method)}")
    options.out.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join(parts) + "\n"
    (options.out / "end_to_end.md").write_text(text, encoding="utf-8", newline="\n")
    save_json(options.out / "end_to_end.json", results, about=about)
    save_plot(options.out / "end_to_end.png", results)
    print(f"\n{options.out / 'end_to_end.md'}, end_to_end.json, end_to_end.png")


def main() -> None:
    """Render what is missing, capture, compare, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--cache", type=Path, default=default_cache(), help="folder of the clips (default: %(default)s)")
    add("--bpy-python", type=Path, help="a Python with Blender's module, to render with")
    add("--assets", type=Path, help="the body's files, see tools/render_person/README.md")
    add("--mocap", type=Path, help="folder with the mocap archives, unpacked")
    add("--out", type=Path, default=Path("end_to_end"), help="folder of the results (default: %(default)s)")
    add("--only", metavar="CLIP", action="append", help="this clip only; repeatable")
    add("--lifter", help="other weights for the lifting")
    add("--threads", type=int, default=0, help="CPU threads of the models")
    options = parser.parse_args()
    scenes = [scene for scene in CLIPS if not options.only or scene.name in options.only]
    files = rendered(options, scenes)
    started_s = time.perf_counter()
    lifter = Lifter.load(options.lifter, device="cpu")
    results: list[ClipResult] = []
    for scene, each in zip(scenes, files, strict=True):
        results.append(measure(scene, each, lifter, threads=options.threads))
        print(f"{scene.name}: {time.perf_counter() - started_s:.0f} s", flush=True)
    write(options, results, {"lifter": lifter.model_id, "clips": [scene.name for scene in scenes]})


if __name__ == "__main__":
    main()
