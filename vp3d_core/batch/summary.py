# SPDX-License-Identifier: GPL-3.0-or-later
"""How a batch ended: a table for people, ``summary.json`` for programs, an exit code."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..capture.console import format_duration
from ..errors import VP3DError
from ..output_file import replaced_when_done
from .records import ClipState

__all__ = ["SUMMARY_NAME", "BatchSummary", "ClipResult", "describe_files", "format_table", "write_summary"]

SUMMARY_NAME = "summary.json"
MAX_SHOWN = 4  # people whose files the table names
EXIT_DONE, EXIT_FAILED, EXIT_CANCELLED = 0, 1, 130
STATE_TEXTS = {
    ClipState.DONE: "done",
    ClipState.KEPT: "done before",
    ClipState.FAILED: "FAILED",
    ClipState.ELSEWHERE: "in work",
    ClipState.PENDING: "not begun",
}


@dataclass(frozen=True, slots=True)
class ClipResult:
    """How one clip stands.

    Attributes:
        name: The clip's folder below the output folder.
        video: The video file.
        state: How it stands.
        text: What went wrong, or who works on it.
        hint: What to do.
        code: Of the error, or "".
        motions: Motion files in the clip's folder.
        files: Scene files in the clip's folder.
        seconds: The work took.
        host: The machine that did it.
        warnings: Of the capture.
    """

    name: str
    video: str
    state: ClipState
    text: str = ""
    hint: str = ""
    code: str = ""
    motions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    seconds: float = 0.0
    host: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """How all clips stand.

    Attributes:
        clips: In the batch's order.
        seconds: The run took.
        cancelled: Whether the user stopped it.
        fatal: Why nothing could go on, or None.
    """

    clips: tuple[ClipResult, ...]
    seconds: float
    cancelled: bool = False
    fatal: VP3DError | None = None

    def count(self, state: ClipState) -> int:
        """Return how many clips stand so."""
        return sum(clip.state == state for clip in self.clips)

    @property
    def exit_code(self) -> int:
        """0, 1 when a clip failed or nothing could go on, 130 when cancelled."""
        if self.cancelled:
            return EXIT_CANCELLED
        return EXIT_FAILED if self.fatal is not None or self.count(ClipState.FAILED) else EXIT_DONE

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "exit_code": self.exit_code,
            "cancelled": self.cancelled,
            "error": None if self.fatal is None else _error(self.fatal),
            "seconds": round(self.seconds, 1),
            "counts": {state.value: self.count(state) for state in ClipState},
            "clips": [{**dataclasses.asdict(clip), "state": clip.state.value} for clip in self.clips],
        }


def _error(error: VP3DError) -> dict[str, str]:
    return {"code": error.code, "text": error.message, "hint": error.hint}


def write_summary(summary: BatchSummary, out_dir: Path) -> Path:
    """Write ``summary.json`` into the output folder and return its path.

    Raises:
        OutputError: If it cannot be written.
    """
    path = out_dir / SUMMARY_NAME
    with replaced_when_done(path) as temporary:
        text = json.dumps(summary.to_json(), indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def describe_files(names: tuple[str, ...]) -> str:
    """Return file names in short, such as "walk (.blend), walk-1, walk-2 (.fbx .glb)"."""
    suffixes: dict[str, str] = {}
    for path in map(PurePosixPath, names):
        suffixes[path.stem] = f"{suffixes.get(path.stem, '')} {path.suffix}".strip()
    groups: dict[str, list[str]] = {}
    for stem, ends in suffixes.items():
        groups.setdefault(ends, []).append(stem)
    for stems in groups.values():
        if len(stems) > MAX_SHOWN:
            stems[MAX_SHOWN - 1 : -1] = ["..."]
    return ", ".join(f"{', '.join(stems)} ({ends})" for ends, stems in groups.items())


def format_table(summary: BatchSummary) -> str:
    """Return a line for each clip, what failed and why, and a line of counts."""
    width = max([len(clip.name) for clip in summary.clips] + [4])
    lines = [f"{'clip':{width}}  {'state':11}  {'people':>6}  {'time':>9}  files"]
    for clip in summary.clips:
        people = str(len(clip.motions)) if clip.motions else ""
        duration = format_duration(clip.seconds) if clip.seconds else ""
        said = describe_files(clip.files or clip.motions) if not clip.code else clip.text
        said = clip.text if clip.state == ClipState.ELSEWHERE else said
        lines.append(
            f"{clip.name:{width}}  {STATE_TEXTS[clip.state]:11}  {people:>6}  {duration:>9}  {said}".rstrip()
        )
    lines += [f"  {clip.name}: {clip.hint}" for clip in summary.clips if clip.code and clip.hint]
    counts = [
        f"{summary.count(state)} {text.lower()}"
        for state, text in STATE_TEXTS.items()
        if summary.count(state)
    ]
    lines.append(f"{len(summary.clips)} clips: {', '.join(counts)}; {format_duration(summary.seconds)}")
    return "\n".join(lines) + "\n"
