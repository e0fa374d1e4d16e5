# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch as it goes, for a person at a terminal or a log, or as JSON lines for a program.

JSON lines: what a worker says (``protocol``) with the key "clip", and besides
batch{clips, out}, clip{clip, index, count, state, ...}, step{clip, text} and, last, summary{...}.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import IO

from ..capture.console import Console, format_duration
from ..errors import VP3DError
from ..protocol import ErrorEvent, Event, HelloEvent, ResultEvent, encode_event
from .batch_file import BatchPlan
from .clips import Clip
from .records import ClipState
from .summary import BatchSummary, ClipResult, describe_files, format_table

__all__ = ["BatchConsole", "JsonLines"]


class BatchConsole:
    """Text for people: a heading for each clip, its stages, how it ended.

    Args:
        stream: Where to write.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._console = Console(stream)

    def begin_batch(self, plan: BatchPlan) -> None:
        """Say what is to be done."""
        count = len(plan.clips)
        self._write(f"{count} clip{'' if count == 1 else 's'} -> {plan.out_dir}\n")

    def begin_clip(self, clip: Clip, index: int, count: int, folder: Path) -> None:
        """Write the clip's heading."""
        del folder
        self._write(f"\nClip {index} of {count}: {clip.name} ({clip.video})\n")

    def show_event(self, clip: Clip, event: Event) -> None:
        """Show a stage, progress or a warning."""
        del clip
        if isinstance(event, ResultEvent):
            self._console.end_stage()
        elif isinstance(event, ErrorEvent):
            self._console.break_off()
        elif not isinstance(event, HelloEvent):
            self._console.show(event)

    def show_step(self, clip: Clip, text: str) -> None:
        """Say what is being made."""
        del clip
        self._write(f"{text}\n")

    def end_clip(self, clip: Clip, result: ClipResult, index: int, count: int) -> None:
        """Say how a clip ended."""
        self._console.break_off()
        if result.state == ClipState.DONE:
            made = describe_files(result.files or result.motions)
            self._write(f"Done in {format_duration(result.seconds)}: {made}\n")
        elif result.state == ClipState.FAILED:
            self._write(f"FAILED: {clip.name}: {result.text}\n{result.hint}".rstrip() + "\n")
        elif result.state == ClipState.KEPT:
            self._write(f"Clip {index} of {count}: {clip.name} was done before\n")
        else:
            self._write(f"Clip {index} of {count}: {clip.name} is in work {result.text}\n")

    def end_batch(self, summary: BatchSummary, path: Path | None) -> None:
        """Write the table."""
        self._console.break_off()
        self._write("\n" + format_table(summary))
        if summary.fatal is not None:
            self._write(f"Stopped: {summary.fatal.message}\n{summary.fatal.hint}".rstrip() + "\n")
        if summary.cancelled:
            self._write("Cancelled. What is done is kept; the same command goes on from there.\n")
        if path is not None:
            self._write(f"Summary: {path}\n")

    def refuse(self, error: VP3DError) -> None:
        """Say why nothing was begun."""
        self._write(f"Error: {error.message}\n{error.hint}".rstrip() + "\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class JsonLines:
    """One JSON object a line, in ASCII.

    Args:
        stream: Where to write.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def begin_batch(self, plan: BatchPlan) -> None:
        """Write the batch line."""
        self._write({"event": "batch", "clips": [clip.name for clip in plan.clips], "out": str(plan.out_dir)})

    def begin_clip(self, clip: Clip, index: int, count: int, folder: Path) -> None:
        """Write a clip line with the state "started"."""
        values = {"clip": clip.name, "index": index, "count": count, "state": "started"}
        self._write({"event": "clip", **values, "video": str(clip.video), "folder": str(folder)})

    def show_event(self, clip: Clip, event: Event) -> None:
        """Write a worker's event."""
        self._write({"clip": clip.name, **json.loads(encode_event(event))})

    def show_step(self, clip: Clip, text: str) -> None:
        """Write a step line."""
        self._write({"event": "step", "clip": clip.name, "text": text})

    def end_clip(self, clip: Clip, result: ClipResult, index: int, count: int) -> None:
        """Write a clip line with how it ended."""
        del clip
        values = {**dataclasses.asdict(result), "state": result.state.value}
        values["clip"] = values.pop("name")
        self._write({"event": "clip", "index": index, "count": count, **values})

    def end_batch(self, summary: BatchSummary, path: Path | None) -> None:
        """Write the summary line."""
        place = None if path is None else str(path)
        self._write({"event": "summary", "path": place, **summary.to_json()})

    def refuse(self, error: VP3DError) -> None:
        """Write an error line."""
        self._write({"event": "error", "code": error.code, "text": error.message, "hint": error.hint})

    def _write(self, values: dict[str, object]) -> None:
        self._stream.write(json.dumps(values) + "\n")
        self._stream.flush()
