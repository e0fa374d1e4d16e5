# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of a batch is put together from: how, who makes scenes, who is told. Standard library only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..protocol import Event
from .claims import EXPIRY_S
from .clips import Clip
from .summary import ClipResult

__all__ = ["BatchView", "RunPolicy", "SceneMaker"]

WAIT_S = 5.0  # between looks at what other processes do


class SceneMaker(Protocol):
    """Makes files of captured motions, such as .blend and .fbx."""

    @property
    def key(self) -> str:
        """All that the files depend on besides the motions."""
        ...

    def make(
        self, clip: Clip, folder: Path, motions: list[Path], progress: Callable[[str], None]
    ) -> list[Path]:
        """Make the files of one clip in its folder and return them; VP3DError when it cannot be done."""
        ...


class BatchView(Protocol):
    """Is told what happens."""

    def begin_clip(self, clip: Clip, index: int, count: int, folder: Path) -> None:
        """Work on a clip begins; index counts from 1."""
        ...

    def show_event(self, clip: Clip, event: Event) -> None:
        """The clip's worker said something."""
        ...

    def show_step(self, clip: Clip, text: str) -> None:
        """Something of the clip's scene is being made."""
        ...

    def end_clip(self, clip: Clip, result: ClipResult, index: int, count: int) -> None:
        """A clip was done, failed, or needs nothing."""
        ...


@dataclass(frozen=True, slots=True)
class RunPolicy:
    """How a batch is gone through.

    Attributes:
        overwrite: Whether finished clips are done again, from scratch.
        skip_failed: Whether clips that failed in an earlier run are left alone.
        wait: Whether to wait for clips that other processes work on.
        expiry_s: Seconds without a sign of life after which another process's clip is taken over.
        wait_s: Seconds between looks at what other processes do.
    """

    overwrite: bool = False
    skip_failed: bool = False
    wait: bool = False
    expiry_s: float = EXPIRY_S
    wait_s: float = WAIT_S
