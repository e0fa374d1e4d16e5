# SPDX-License-Identifier: GPL-3.0-or-later
"""``vp3d`` with a detector that knows the answer, and with accidents that are told by VP3D_FAKE (JSON).

Run as ``python -m tests.worker.fake_worker capture ...``. Everything but the detector is real.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
import time
from collections.abc import Sequence

import numpy as np

from tests import synthetic
from vp3d_core import cli
from vp3d_core.capture import detection_stage, progress
from vp3d_core.detect.detector import no_detections
from vp3d_core.keypoints import Detections2D, Frame
from vp3d_core.skeletons import HALPE_26

NUM_FRAMES = 60
IMAGE_SIZE = (320, 180)


class FakeDetector:
    """Sees the synthetic walker, whatever is in the picture.

    Args:
        frame_s: Seconds that a frame takes.
        noisy: Whether it prints as libraries do.
        crash_at: Frame at which the process dies, or None.
        interrupt_at: Frame at which somebody presses Ctrl-C, or None.
        nobody: Whether it sees nobody at all.
        fail_with: Name of a built-in exception to raise, or None.
    """

    name = "fake"
    model_id = "fake-1"
    skeleton = HALPE_26
    batch_size = 8

    def __init__(
        self,
        *,
        frame_s: float = 0.0,
        noisy: bool = False,
        crash_at: int | None = None,
        interrupt_at: int | None = None,
        nobody: bool = False,
        fail_with: str | None = None,
    ) -> None:
        motion = synthetic.walking_motion(3, num_frames=NUM_FRAMES, image_size=IMAGE_SIZE)
        self._seen = synthetic.seen_keypoints(motion, 3, noise_px=0.3)
        self._frame_s, self._noisy, self._nobody, self._fail_with = frame_s, noisy, nobody, fail_with
        self._crash_at, self._interrupt_at = crash_at, interrupt_at

    def detect(self, frames: Sequence[Frame]) -> list[Detections2D]:
        """Return the walker in each frame."""
        indices = [frame.index for frame in frames]
        if self._noisy:
            sys.stdout.write("library: hello\n")
            os.write(1, b"C library: no line end")
        time.sleep(self._frame_s * len(frames))
        if self._crash_at in indices:
            os.abort()
        if self._fail_with is not None:
            raise getattr(__builtins__, self._fail_with, RuntimeError)("the detector's own words")
        if self._interrupt_at in indices:
            os.kill(os.getpid(), signal.SIGINT)
        return [self._walker(index) for index in indices]

    def close(self) -> None:
        """Do nothing."""

    def _walker(self, index: int) -> Detections2D:
        if self._nobody:
            return no_detections(HALPE_26)
        points = len(HALPE_26.points)
        xy, scores = self._seen.xy[index, :points], self._seen.scores[index, :points]
        low, high = np.nanmin(xy, axis=0), np.nanmax(xy, axis=0)
        return Detections2D(
            boxes_xyxy=np.concatenate([low, high])[None].astype(np.float32),
            scores=np.ones(1, np.float32),
            keypoints_xy=xy[None].astype(np.float32),
            keypoint_scores=scores[None].astype(np.float32),
            skeleton=HALPE_26,
        )


def main() -> int:
    """Run the command line with the accidents that VP3D_FAKE tells."""
    accidents = json.loads(os.environ.get("VP3D_FAKE", "{}"))
    interrupt_stage = accidents.pop("interrupt_stage", None)
    hold_stage = accidents.pop("hold_stage", None)
    if accidents.pop("hang_at_exit", False):  # as libraries that take themselves down do, for a while
        atexit.register(time.sleep, 3600.0)
    detection_stage.make_detector = lambda *_, **__: FakeDetector(**accidents)
    begin = progress.Progress.stage

    def stage(self: progress.Progress, name: str) -> None:
        begin(self, name)
        if name == interrupt_stage:
            os.kill(os.getpid(), signal.SIGINT)
        while name == hold_stage:
            time.sleep(0.01)

    progress.Progress.stage = stage
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
