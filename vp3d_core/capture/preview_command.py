# SPDX-License-Identifier: GPL-3.0-or-later
"""``vp3d preview``: what is known of a video, and some small pictures of it. No model is loaded.

In the output folder: ``preview.json`` with width, height, frame_rate_hz, duration_s, frame_count, codec,
rotation_deg and frames, a list of {file, time_s}. The pictures are there before the list.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

from .. import __version__
from ..output_file import replaced_when_done
from ..protocol import PROTOCOL_VERSION, Event, HelloEvent
from .job_file import CaptureJob

__all__ = ["PREVIEW_FRAMES", "PREVIEW_NAME", "write_preview"]

PREVIEW_NAME = "preview.json"
PREVIEW_FRAMES = 24
PREVIEW_SIDE_PX = 256  # of the square that a picture is fitted into


def write_preview(job: CaptureJob, job_dir: Path, emit: Callable[[Event], None]) -> None:
    """Write the preview of a job's video into its output folder.

    Args:
        job: Video and output folder; of the settings nothing is used.
        job_dir: Not used.
        emit: Receives the events.

    Raises:
        VideoReadError: If the video cannot be read.
        OutputError: If the folder cannot be written.
    """
    del job_dir
    from ..video import probe, read_sparse
    from .output_folder import make_folder
    from .pictures import fitted_square, save_picture
    from .progress import Progress

    emit(HelloEvent(PROTOCOL_VERSION, __version__, "cpu"))
    make_folder(job.out_dir)
    progress = Progress(emit, ("preview",))
    progress.stage("preview")
    info = probe(job.video)
    frames: list[dict[str, object]] = []
    for frame in read_sparse(job.video, PREVIEW_FRAMES, max_side=PREVIEW_SIDE_PX):
        name = f"frame-{len(frames):03d}.png"
        save_picture(job.out_dir / name, fitted_square(frame.rgb, side_px=PREVIEW_SIDE_PX))
        frames.append({"file": name, "time_s": round(frame.time_s, 4)})
        progress.update(len(frames), PREVIEW_FRAMES, unit="pictures")
    progress.flush()
    values = {name: value for name, value in dataclasses.asdict(info).items() if name != "path"}
    values["frame_rate_hz"] = values.pop("average_rate_hz")
    values["frames"] = frames
    with replaced_when_done(job.out_dir / PREVIEW_NAME) as temporary:
        temporary.write_text(json.dumps(values), encoding="utf-8")
