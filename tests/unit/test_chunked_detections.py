# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from vp3d_core.capture.chunked_detections import ChunkedDetections
from vp3d_core.capture.stage_values import pack_chunk
from vp3d_core.keypoints import Detections2D
from vp3d_core.skeletons import SLOTS


def detections(people: int, seed: int) -> Detections2D:
    rng = np.random.default_rng(seed)
    points = len(SLOTS.points)
    return Detections2D(
        rng.normal(size=(people, 4)),
        rng.random(people),
        rng.normal(size=(people, points, 2)),
        rng.random((people, points)),
        SLOTS,
    )


def test_frames_come_out_as_they_were_put_in() -> None:
    frames = [detections(people, seed) for seed, people in enumerate((2, 0, 1, 0, 0, 3, 1))]
    chunked = ChunkedDetections(SLOTS)
    for part in (frames[:3], frames[3:5], frames[5:], []):  # of the second nobody was seen, the last has none
        chunked.append(pack_chunk(range(len(part)), [0.0] * len(part), part, complete=False))
    assert len(chunked) == len(frames)
    for found, expected in zip(chunked, frames, strict=True):
        for name in ("boxes_xyxy", "scores", "keypoints_xy", "keypoint_scores"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name).astype(np.float32))
    assert [len(found.scores) for found in chunked[-2:]] == [3, 1]
    with pytest.raises(IndexError):
        chunked[len(frames)]
