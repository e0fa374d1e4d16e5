# SPDX-License-Identifier: GPL-3.0-or-later
"""What the worker says to its parent: one JSON object a line on stdout. Standard library only.

hello{protocol, version, device}, then any of stage{name, index, count},
progress{stage, done, total, unit, eta_s} and warning{code, text, frame}, and at last exactly one of
result{path} or error{code, text, hint, trace}. The kind of event is under the key "event".
Unknown keys are ignored, so that a newer worker may say more.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, NoReturn, TypeAlias

from .errors import ProtocolError, VP3DError

__all__ = [
    "PROTOCOL_VERSION",
    "ErrorEvent",
    "Event",
    "EventWriter",
    "HelloEvent",
    "ProgressEvent",
    "ResultEvent",
    "StageEvent",
    "WarningEvent",
    "decode_event",
    "encode_event",
    "event_from_exception",
    "exception_from_event",
    "take_stdout",
]

PROTOCOL_VERSION = 1
SHOWN_LENGTH = 120  # characters of a bad line that a message repeats


@dataclass(frozen=True, slots=True)
class HelloEvent:
    """The first line: protocol number, version of vp3d, compute device."""

    protocol: int
    version: str
    device: str


@dataclass(frozen=True, slots=True)
class StageEvent:
    """A stage begins; index counts from 1 to count."""

    name: str
    index: int
    count: int


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """Work done within a stage; total and eta_s (seconds left) are None while unknown."""

    stage: str
    done: int
    total: int | None = None
    unit: str = "frames"
    eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class WarningEvent:
    """Something the user should know; frame is an index in the video, or None."""

    code: str
    text: str
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class ResultEvent:
    """The last line of a capture that worked: the folder with the outputs."""

    path: str


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """The last line of a capture that failed; trace is the worker's traceback or log, or ""."""

    code: str
    text: str
    hint: str = ""
    trace: str = ""


Event: TypeAlias = HelloEvent | StageEvent | ProgressEvent | WarningEvent | ResultEvent | ErrorEvent

_EVENT_CLASSES: dict[str, type[Event]] = {
    "hello": HelloEvent,
    "stage": StageEvent,
    "progress": ProgressEvent,
    "warning": WarningEvent,
    "result": ResultEvent,
    "error": ErrorEvent,
}
_EVENT_NAMES = {event_class: name for name, event_class in _EVENT_CLASSES.items()}
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "str": (str,),
    "int | None": (int, type(None)),
    "float | None": (int, float, type(None)),
}


def encode_event(event: Event) -> str:
    """Return the event as one line of JSON (ASCII), without the line end."""
    return json.dumps({"event": _EVENT_NAMES[type(event)], **dataclasses.asdict(event)}, allow_nan=False)


def decode_event(line: str) -> Event:
    """Read one line of the protocol.

    Raises:
        ProtocolError: If the line is no JSON object, names no known event, or a value is missing or
            of the wrong type.
    """
    values = _read_object(line)
    kind = values.get("event")
    event_class = _EVENT_CLASSES.get(kind) if isinstance(kind, str) else None
    if event_class is None:
        _refuse(f"Event {kind!r} is unknown, expected one of {', '.join(_EVENT_CLASSES)}", line)
    found: dict[str, object] = {}
    for field in dataclasses.fields(event_class):
        if field.name not in values:
            if field.default is dataclasses.MISSING:
                _refuse(f"Event {kind!r} lacks {field.name!r}", line)
            continue
        value = values[field.name]
        if not _fits(value, str(field.type)):
            _refuse(f"{field.name!r} of event {kind!r} is {value!r}, expected {field.type}", line)
        found[field.name] = value
    return event_class(**found)  # type: ignore[arg-type]


def _read_object(line: str) -> Mapping[str, object]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        _refuse("The worker said something that is no JSON", line)
    if not isinstance(values, dict):
        _refuse("The worker said something that is no JSON object", line)
    return values


def _fits(value: object, expected: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, _JSON_TYPES[expected]):
        return False
    return not isinstance(value, float) or math.isfinite(value)


def _refuse(text: str, line: str) -> NoReturn:
    shown = line if len(line) <= SHOWN_LENGTH else line[:SHOWN_LENGTH] + "…"
    raise ProtocolError(
        f"{text}: {shown!r}", hint="The worker and this program may be of different versions; install again."
    )


def _error_classes() -> dict[str, type[VP3DError]]:
    classes: dict[str, type[VP3DError]] = {}
    waiting: list[type[VP3DError]] = [VP3DError]
    while waiting:
        error_class = waiting.pop()
        classes[error_class.code] = error_class
        waiting += error_class.__subclasses__()
    return classes


def exception_from_event(event: ErrorEvent) -> VP3DError:
    """Return the exception an error event stands for; plain VP3DError when its code is unknown."""
    error_class = _error_classes().get(event.code, VP3DError)
    return error_class(event.text, hint=event.hint)


def event_from_exception(error: VP3DError, *, trace: str = "") -> ErrorEvent:
    """Return the error event that stands for an exception."""
    return ErrorEvent(code=error.code, text=error.message, hint=error.hint, trace=trace)


class EventWriter:
    """Writes events as lines to one or more text streams, and nothing after the last event."""

    def __init__(self, *streams: IO[str]) -> None:
        self._streams = list(streams)
        self._ended = False

    def write(self, event: Event) -> None:
        """Write one event and flush; a stream that cannot be written is not tried again.

        Raises:
            ValueError: If a result or an error was written before.
            OSError: If a stream cannot be written; not for the last event, after which nobody could tell.
        """
        if self._ended:
            raise ValueError(f"an event after the last one: {event}")
        self._ended = isinstance(event, ResultEvent | ErrorEvent)
        line = encode_event(event) + "\n"
        for stream in tuple(self._streams):
            try:
                stream.write(line)
                stream.flush()
            except OSError:
                self._streams.remove(stream)
                if not self._ended:
                    raise


def take_stdout() -> IO[str]:
    """Return a stream on a duplicate of fd 1, and point fd 1 at stderr.

    After this no library's print, in Python or in C, can break the protocol.
    """
    sys.stdout.flush()
    duplicate = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(duplicate, "w", encoding="utf-8", newline="\n")
