# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes through the clips of a batch.

What is finished is kept, what another process does is left to it, and a clip that fails does not stop the
others.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import __version__
from ..capture.output_folder import make_folder
from ..capture.outputs import existing_outputs
from ..capture.stage_store import source_sha256
from ..errors import (
    OutputError,
    ProtocolError,
    VideoReadError,
    VP3DError,
    WeightsCorrupt,
    WeightsMissing,
    WorkerCrashed,
    WorkerNotInstalled,
)
from ..protocol import Event, WarningEvent
from .batch_file import BatchPlan
from .claims import Claim, claim_clip
from .clips import Clip
from .parts import BatchView, RunPolicy, SceneMaker
from .records import ClipRecord, ClipState, SourceStamp, capture_key, scene_key
from .summary import BatchSummary, ClipResult
from .worker_capture import CaptureClip

__all__ = ["run_batch"]

STAGES_NAME = "stages"
MAX_ATTEMPTS = 3  # of processes that died over a clip, before it counts as failed
# What is wrong with the installation is wrong for every clip.
FATAL = (WorkerNotInstalled, ProtocolError, WeightsMissing, WeightsCorrupt)

log = logging.getLogger(__name__)


def run_batch(
    plan: BatchPlan,
    *,
    capture: CaptureClip,
    scenes: SceneMaker | None,
    view: BatchView,
    policy: RunPolicy | None = None,
) -> BatchSummary:
    """Do all clips that are not done yet.

    Args:
        plan: The clips.
        capture: Captures one of them, see ``capture_with_worker``.
        scenes: Makes files of the motions, or None.
        view: Is told what happens.
        policy: How to go through them.

    Returns:
        How each clip stands; ``cancelled`` after Ctrl-C, ``fatal`` when nothing could go on.

    Raises:
        OutputError: If the output folder cannot be written.
    """
    make_folder(plan.out_dir)
    run = _Run(plan, capture, scenes, view, policy or RunPolicy())
    try:
        run.do_all()
    except KeyboardInterrupt:
        return run.summary(cancelled=True)
    except FATAL as error:
        return run.summary(fatal=error)
    return run.summary()


@dataclass
class _Run:
    plan: BatchPlan
    capture: CaptureClip
    scenes: SceneMaker | None
    view: BatchView
    policy: RunPolicy
    results: dict[str, ClipResult] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._wanted = "" if self.scenes is None else self.scenes.key
        self._begun_s = time.monotonic()
        records = {clip.name: ClipRecord.load(self.folder(clip)) for clip in self.plan.clips}
        self._before = {name: record for name, record in records.items() if record is not None}

    def folder(self, clip: Clip) -> Path:
        return self.plan.out_dir / clip.name

    def do_all(self) -> None:
        while True:
            worked = False
            waiting = 0
            for index, clip in enumerate(self.plan.clips, start=1):
                if clip.name in self.results and self.results[clip.name].state != ClipState.ELSEWHERE:
                    continue
                state = self._do(clip, index)
                worked |= state in (ClipState.DONE, ClipState.FAILED)
                waiting += state == ClipState.ELSEWHERE
            if not waiting or not (worked or self.policy.wait):
                return
            if not worked:
                time.sleep(self.policy.wait_s)

    def summary(self, *, cancelled: bool = False, fatal: VP3DError | None = None) -> BatchSummary:
        rows = [
            self.results.get(clip.name) or ClipResult(clip.name, str(clip.video), ClipState.PENDING)
            for clip in self.plan.clips
        ]
        seconds = time.monotonic() - self._begun_s
        return BatchSummary(tuple(rows), seconds, cancelled=cancelled, fatal=fatal)

    def _do(self, clip: Clip, index: int) -> ClipState:
        known = self._settled(clip)
        result = known or self._claim_and_do(clip, index)
        seen = self.results.get(clip.name)
        self.results[clip.name] = result
        if seen is None or seen.state != result.state:
            self.view.end_clip(clip, result, index, len(self.plan.clips))
        return result.state

    def _settled(self, clip: Clip) -> ClipResult | None:
        """Return how a clip stands that needs no work, or None."""
        record = ClipRecord.load(self.folder(clip))
        if record is None:
            return None
        new = record != self._before.get(clip.name)  # written during this run, by another process
        if record.error_code:
            left_alone = new or self.policy.skip_failed
            return _result(clip, record, ClipState.FAILED) if left_alone else None
        if self.policy.overwrite and not new:
            return None
        try:
            same = record.stamp == SourceStamp.of(clip.video)
            finished = same and self._is_finished(clip, record, record.sha256)
        except OSError:
            return None
        return _result(clip, record, ClipState.KEPT) if finished else None

    def _is_finished(self, clip: Clip, record: ClipRecord, sha256: str) -> bool:
        folder, key = self.folder(clip), capture_key(sha256, clip.settings)
        return record.has_capture(key, folder) and record.has_scenes(scene_key(key, self._wanted), folder)

    def _claim_and_do(self, clip: Clip, index: int) -> ClipResult:
        try:
            make_folder(self.folder(clip))
            claim = claim_clip(self.folder(clip), expiry_s=self.policy.expiry_s)
        except OutputError as error:
            return _result(clip, _failure(ClipRecord(str(clip.video)), error), ClipState.FAILED)
        if not isinstance(claim, Claim):
            return ClipResult(clip.name, str(clip.video), ClipState.ELSEWHERE, text=f"on {claim.host}")
        try:
            known = self._settled(clip)  # it may have been finished just before the claim
            return known or self._work(clip, index, claim)
        finally:
            claim.release()

    def _work(self, clip: Clip, index: int, claim: Claim) -> ClipResult:
        self.view.begin_clip(clip, index, len(self.plan.clips), self.folder(clip))
        started_s = time.monotonic()
        record = self._base_record(clip, claim)
        try:
            record = self._finish(clip, record, claim)
        except FATAL:
            raise
        except VP3DError as error:
            log.warning("%s failed: %s", clip.name, error.message, exc_info=error)
            record = _failure(self._kept_progress(clip, record), error)
        record = replace(record, seconds=round(time.monotonic() - started_s, 1))
        try:
            record.save(self.folder(clip))
        except OutputError as error:
            record = _failure(record, error)
        return _result(clip, record, ClipState.FAILED if record.error_code else ClipState.DONE)

    def _base_record(self, clip: Clip, claim: Claim) -> ClipRecord:
        old = ClipRecord.load(self.folder(clip))
        base = ClipRecord(str(clip.video)) if old is None or self.policy.overwrite else old
        return replace(
            base, video=str(clip.video), host=claim.holder.host, version=__version__,
            error_code="", error_text="", error_hint="",
        )  # fmt: skip

    def _kept_progress(self, clip: Clip, record: ClipRecord) -> ClipRecord:
        """Return the record of the finished part: a scene that fails does not undo the capture."""
        saved = ClipRecord.load(self.folder(clip))
        return saved if saved is not None and not saved.error_code else record

    def _finish(self, clip: Clip, record: ClipRecord, claim: Claim) -> ClipRecord:
        folder = self.folder(clip)
        if claim.holder.attempt > MAX_ATTEMPTS:
            raise WorkerCrashed(
                f"The program ended unexpectedly {MAX_ATTEMPTS} times over this clip",
                hint="Look at the logs in its folder; a shorter part may work: --start, --end.",
            )
        try:
            stamp = SourceStamp.of(clip.video)
            sha256 = source_sha256(clip.video, folder=folder / STAGES_NAME)
            key = capture_key(sha256, clip.settings)
        except OSError as error:
            raise VideoReadError(
                f"{error.filename or clip.video} cannot be read: {error.strerror}", hint="Check the path."
            ) from error
        record = replace(record, stamp=stamp, sha256=sha256)
        if not record.has_capture(key, folder):
            record = self._captured(clip, replace(record, capture_key="", motions=(), scene_key="", files=()))
            record = replace(record, capture_key=key)
            record.save(folder)
        wanted = scene_key(key, self._wanted)
        if self.scenes is None or record.has_scenes(wanted, folder):
            return record
        motions = [folder / name for name in record.motions]
        files = self.scenes.make(clip, folder, motions, lambda text: self.view.show_step(clip, text))
        _remove_old(folder, record.files, files)
        names = tuple(path.relative_to(folder).as_posix() for path in files)
        return replace(record, scene_key=wanted, files=names)

    def _captured(self, clip: Clip, record: ClipRecord) -> ClipRecord:
        folder = self.folder(clip)
        if self.policy.overwrite:
            for path in (folder / STAGES_NAME).glob("*/*.npz"):
                path.unlink(missing_ok=True)
        warnings: list[str] = []

        def on_event(event: Event) -> None:
            if isinstance(event, WarningEvent):
                warnings.append(event.text)
            self.view.show_event(clip, event)

        self.capture(clip, folder, on_event)
        motions = [path.name for path in existing_outputs(folder) if path.suffix == ".npz"]
        motions.sort(key=lambda name: (len(name), name))
        return replace(record, motions=tuple(motions), warnings=tuple(warnings))


def _remove_old(folder: Path, old: tuple[str, ...], new: list[Path]) -> None:
    """Remove what an earlier run made of a clip and this one did not."""
    for name in old:
        path = folder / name
        if path not in new:
            path.unlink(missing_ok=True)


def _failure(record: ClipRecord, error: VP3DError) -> ClipRecord:
    return replace(record, error_code=error.code, error_text=error.message, error_hint=error.hint)


def _result(clip: Clip, record: ClipRecord, state: ClipState) -> ClipResult:
    return ClipResult(
        clip.name,
        str(clip.video),
        state,
        text=record.error_text,
        hint=record.error_hint,
        code=record.error_code,
        motions=record.motions,
        files=record.files,
        seconds=record.seconds,
        host=record.host,
        warnings=record.warnings,
    )
