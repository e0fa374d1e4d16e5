# SPDX-License-Identifier: GPL-3.0-or-later
"""The two networks inside MediaPipe's pose solution, each as a function of its own.

MediaPipe 0.10.21's solution chains a person finder and a landmark model and keeps the region between
frames to itself, so that nothing outside can tell a person from the ghost that is left when they walk out.
Here the shipped graph (``pose_landmark_cpu.binarypb``) is cut in two and the region is passed in:
``PersonFinder`` answers where people are in a picture, ``LandmarkModel`` where the landmarks are in a
region. Both are stateless. The same models, weights and calculators run as in the solution.

Only mediapipe_detector.py imports this module. MediaPipe is imported inside the functions.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..errors import WorkerNotInstalled

if TYPE_CHECKING:
    from mediapipe.python.solution_base import SolutionBase

__all__ = ["LandmarkModel", "PersonFinder", "PoseLandmarks", "Region"]

NUM_LANDMARKS = 33
GRAPH_FILE = "mediapipe/modules/pose_landmark/pose_landmark_cpu.binarypb"
# RectTransformationCalculator of both posedetectiontoroi and poselandmarkstoroi in that graph.
REGION_SCALE = 1.25
_TO_LANDMARKS = "poselandmarkbyroicpu__tensorstoposelandmarksandsegmentation"
_PRESENCE_STREAM = f"{_TO_LANDMARKS}__pose_presence_score"


@dataclass(frozen=True, slots=True)
class Region:
    """A rotated square that holds one whole person.

    Attributes:
        x: Centre (the hips), px.
        y: Centre (the hips), px.
        size: Side, px.
        angle_rad: Clockwise turn in the picture that takes "up" to the person's hip-to-head direction.
        score: How sure the finder is, in [0, 1]; the landmark model's presence for a followed region.
    """

    x: float
    y: float
    size: float
    angle_rad: float
    score: float

    @classmethod
    def from_points(cls, hips_xy: Array, top_xy: Array, score: float) -> Region:
        """Build the region from the hips and the point on the circle around the body, (2,) px each.

        Source: AlignmentPointsRectsCalculator and RectTransformationCalculator of MediaPipe.
        """
        along = np.asarray(top_xy, np.float64) - hips_xy
        size = 2.0 * REGION_SCALE * float(np.hypot(*along))
        angle_rad = float(np.pi / 2 - np.arctan2(-along[1], along[0]))
        angle_rad = (angle_rad + np.pi) % (2.0 * np.pi) - np.pi
        return cls(float(hips_xy[0]), float(hips_xy[1]), size, angle_rad, score)


@dataclass(frozen=True, slots=True, eq=False)
class PoseLandmarks:
    """What the landmark model says about one region.

    Attributes:
        presence: Whether there is a person in the region, in [0, 1].
        xy: (33, 2) px.
        visibility: (33,) in [0, 1], low where hidden.
        in_picture: (33,) in [0, 1], low where cut off by the picture's edge (MediaPipe's "presence").
        world: (33, 3) m, camera axes, hips at the origin.
        next_region: Where to look in the next frame.
    """

    presence: float
    xy: Array
    visibility: Array
    in_picture: Array
    world: Array
    next_region: Region

    @classmethod
    def unknown(cls, region: Region) -> PoseLandmarks:
        """Return what stands for landmarks that are not known any more, in a region that is."""
        blank, none = np.full((NUM_LANDMARKS, 3), np.nan), np.zeros(NUM_LANDMARKS)
        return cls(region.score, blank[:, :2], none, none, blank, region)


class PersonFinder:
    """MediaPipe's person detector.

    Args:
        min_score: Lowest score that is returned, in [0, 1].
        threads: CPU threads of the network, >= 1.
    """

    def __init__(self, *, min_score: float, threads: int) -> None:
        graph = _cut(
            _shipped_graph(threads), inputs={"image_for_pose_detection": "IMAGE"}, outputs=["pose_detections"]
        )
        self._graph = _start(
            graph,
            side_inputs={},
            options={"posedetectioncpu__TensorsToDetectionsCalculator.min_score_thresh": min_score},
        )

    def find(self, rgb: npt.NDArray[np.uint8]) -> list[Region]:
        """Return the regions of the people in a picture (H, W, 3), best first."""
        results = self._graph.process(np.ascontiguousarray(rgb))
        size = np.array([rgb.shape[1], rgb.shape[0]], np.float64)
        regions: list[Region] = []
        for detection in results.pose_detections or ():  # type: ignore[attr-defined]
            points = detection.location_data.relative_keypoints
            hips, top = (np.array([point.x, point.y]) * size for point in points[:2])
            region = Region.from_points(hips, top, float(detection.score[0]))
            if np.isfinite(region.size) and region.size >= 1.0:
                regions.append(region)
        return sorted(regions, key=lambda region: -region.score)

    def close(self) -> None:
        """Free the network."""
        self._graph.close()


class LandmarkModel:
    """MediaPipe's pose landmark model of complexity 1 (the one that ships in the wheel).

    Args:
        min_presence: Presence below which there is no answer, in [0, 1].
        threads: CPU threads of the network, >= 1.
    """

    def __init__(self, *, min_presence: float, threads: int) -> None:
        graph = _cut(
            _shipped_graph(threads),
            inputs={"image": "IMAGE", "pose_rect": "ROI"},
            outputs=[
                "unfiltered_pose_landmarks",
                "unfiltered_auxiliary_landmarks",
                "unfiltered_world_landmarks",
                _PRESENCE_STREAM,
            ],
        )
        graph.input_side_packet.append("MODEL_COMPLEXITY:model_complexity")
        self._graph = _start(
            graph,
            side_inputs={"model_complexity": 1},
            options={f"{_TO_LANDMARKS}__ThresholdingCalculator.threshold": min_presence},
        )

    def landmarks(self, rgb: npt.NDArray[np.uint8], region: Region) -> PoseLandmarks | None:
        """Return the landmarks in a region of a picture (H, W, 3), or None when nobody is there."""
        from mediapipe.framework.formats import rect_pb2

        height, width = rgb.shape[:2]
        rect = rect_pb2.NormalizedRect(  # pyright: ignore[reportAttributeAccessIssue]
            x_center=region.x / width,
            y_center=region.y / height,
            width=region.size / width,
            height=region.size / height,
            rotation=region.angle_rad,
        )
        results: Any = self._graph.process({"image": np.ascontiguousarray(rgb), "pose_rect": rect})
        if results.unfiltered_pose_landmarks is None:
            return None
        presence = float(getattr(results, _PRESENCE_STREAM))
        size = np.array([width, height], np.float64)
        points = results.unfiltered_pose_landmarks.landmark
        values = np.array([[p.x, p.y, p.visibility, p.presence] for p in points], np.float64)
        hips, top = (np.array([p.x, p.y]) * size for p in results.unfiltered_auxiliary_landmarks.landmark[:2])
        return PoseLandmarks(
            presence=presence,
            xy=values[:, :2] * size,
            visibility=values[:, 2],
            in_picture=values[:, 3],
            world=np.array(
                [[p.x, p.y, p.z] for p in results.unfiltered_world_landmarks.landmark], np.float64
            ),
            next_region=Region.from_points(hips, top, presence),
        )

    def close(self) -> None:
        """Free the network."""
        self._graph.close()


def _shipped_graph(threads: int) -> Any:
    """Read the solution's graph out of the installed package and set the networks' threads."""
    # MediaPipe logs through glog to stderr; warnings about its own models say nothing to a user.
    os.environ.setdefault("GLOG_minloglevel", "2")
    try:
        import mediapipe
        from mediapipe.calculators.tensor import inference_calculator_pb2
        from mediapipe.framework import calculator_pb2
        from mediapipe.python._framework_bindings import resource_util, validated_graph_config
    except ImportError as error:
        raise WorkerNotInstalled(
            f"MediaPipe cannot be imported: {error}",
            hint="Run 'python install.py install' again; it installs mediapipe 0.10.21.",
        ) from error
    root = Path(mediapipe.__file__).resolve().parent.parent
    resource_util.set_resource_dir(str(root))
    validated = validated_graph_config.ValidatedGraphConfig()
    validated.initialize(binary_graph_path=str(root / GRAPH_FILE))
    graph = calculator_pb2.CalculatorGraphConfig()  # pyright: ignore[reportAttributeAccessIssue]
    graph.ParseFromString(validated.binary_config)
    options = inference_calculator_pb2.InferenceCalculatorOptions.ext  # pyright: ignore[reportAttributeAccessIssue]
    for node in graph.node:
        if node.calculator == "InferenceCalculatorCpu":
            node.options.Extensions[options].delegate.xnnpack.num_threads = threads
    return graph


def _cut(graph: Any, *, inputs: dict[str, str], outputs: Sequence[str]) -> Any:
    """Return the part of a graph that computes some streams from others.

    Args:
        graph: A CalculatorGraphConfig without subgraphs.
        inputs: Stream name to tag of the new graph's inputs.
        outputs: Names of the streams to compute.
    """
    makers = {name: node for node in graph.node for name in _names(node.output_stream)}
    side_makers = {name: node for node in graph.node for name in _names(node.output_side_packet)}
    needed: list[int] = []
    open_streams, open_packets = [name for name in outputs if name not in inputs], [""]
    while open_streams or open_packets:
        name_is_stream = bool(open_streams)
        node = (makers if name_is_stream else side_makers).get((open_streams or open_packets).pop())
        if node is None or id(node) in needed:
            continue
        needed.append(id(node))
        open_streams += [name for name in _names(node.input_stream) if name not in inputs]
        open_packets += _names(node.input_side_packet)
    part = type(graph)()
    part.node.extend(node for node in graph.node if id(node) in needed)
    part.input_stream.extend(f"{tag}:{name}" for name, tag in inputs.items())
    part.output_stream.extend(outputs)
    return part


def _names(tagged: Sequence[str]) -> list[str]:
    """Return the names of ``TAG:index:name`` entries."""
    return [entry.split(":")[-1] for entry in tagged]


def _start(graph: Any, *, side_inputs: dict[str, object], options: dict[str, float]) -> SolutionBase:
    from mediapipe.python.solution_base import SolutionBase

    return SolutionBase(graph_config=graph, side_inputs=side_inputs, calculator_params=options)
