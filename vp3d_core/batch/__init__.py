# SPDX-License-Identifier: GPL-3.0-or-later
"""Many clips in a row: which, where to, what is done, who does what. No bpy; standard library and numpy.

``run_batch`` captures each clip with a worker and hands the motions to a scene maker, which is the add-on's
(``addon.batch``) or nobody. All state lies in the output folder, so that a run that was cut off goes on, and
several machines may work on one folder.
"""

from __future__ import annotations

from .batch_file import BatchPlan, load_batch_file, plan_batch
from .clips import VIDEO_SUFFIXES, Clip, find_clips, name_clips
from .console import BatchConsole, JsonLines
from .parts import BatchView, RunPolicy, SceneMaker
from .records import ClipRecord, ClipState
from .run import run_batch
from .summary import BatchSummary, write_summary
from .worker_capture import capture_with_worker

__all__ = [
    "VIDEO_SUFFIXES",
    "BatchConsole",
    "BatchPlan",
    "BatchSummary",
    "BatchView",
    "Clip",
    "ClipRecord",
    "ClipState",
    "JsonLines",
    "RunPolicy",
    "SceneMaker",
    "capture_with_worker",
    "find_clips",
    "load_batch_file",
    "name_clips",
    "plan_batch",
    "run_batch",
    "write_summary",
]
