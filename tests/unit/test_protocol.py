# SPDX-License-Identifier: GPL-3.0-or-later
import io
import json

import pytest

from vp3d_core.errors import NoPersonFound, OutputError, ProtocolError, VP3DError
from vp3d_core.protocol import (
    ErrorEvent,
    EventWriter,
    HelloEvent,
    ProgressEvent,
    ResultEvent,
    StageEvent,
    WarningEvent,
    decode_event,
    encode_event,
    event_from_exception,
    exception_from_event,
)


def test_an_event_is_one_line_that_says_what_it_is() -> None:
    line = encode_event(ProgressEvent("detect", 3, 10, "frames", 1.5))
    assert "\n" not in line
    assert json.loads(line) == {
        "event": "progress", "stage": "detect", "done": 3, "total": 10, "unit": "frames", "eta_s": 1.5,
    }  # fmt: skip


def test_unknown_keys_are_ignored() -> None:
    assert decode_event(
        '{"event": "stage", "name": "lift", "index": 3, "count": 9, "new": [1]}'
    ) == StageEvent("lift", 3, 9)


def test_values_with_a_default_may_be_missing() -> None:
    assert decode_event('{"event": "warning", "code": "c", "text": "t"}') == WarningEvent("c", "t", None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "no JSON"),
        ("Downloading model 12 %", "no JSON"),
        ("[1, 2]", "no JSON object"),
        ("[" * 100_000, "no JSON"),
        ("{}", "Event None is unknown"),
        ('{"event": "dance"}', "Event 'dance' is unknown, expected one of hello, stage"),
        ('{"event": ["stage"]}', "is unknown"),
        ('{"event": "stage", "name": "lift", "index": 3}', "Event 'stage' lacks 'count'"),
        (
            '{"event": "stage", "name": "lift", "index": "3", "count": 9}',
            "'index' of event 'stage' is '3', expected int",
        ),
        ('{"event": "stage", "name": "lift", "index": true, "count": 9}', "is True, expected int"),
        ('{"event": "progress", "stage": "lift", "done": 1, "eta_s": NaN}', "is nan, expected float"),
        ('{"event": "result", "path": null}', "is None, expected str"),
    ],
)
def test_what_is_not_in_the_protocol_is_refused(line: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message) as caught:
        decode_event(line)
    assert len(str(caught.value)) < 400


def test_nan_is_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_event(ProgressEvent("detect", 1, 2, "frames", float("nan")))


def test_an_error_survives_the_way() -> None:
    event = decode_event(encode_event(event_from_exception(NoPersonFound("Nobody", hint="Look."), trace="T")))
    assert event == ErrorEvent("no_person", "Nobody", "Look.", "T")
    assert isinstance(event, ErrorEvent)
    error = exception_from_event(event)
    assert type(error) is NoPersonFound
    assert (error.message, error.hint) == ("Nobody", "Look.")


def test_codes_name_the_class() -> None:
    assert type(exception_from_event(ErrorEvent("output", "t"))) is OutputError
    assert type(exception_from_event(ErrorEvent("from_the_future", "t"))) is VP3DError


def test_the_writer_writes_lines_to_all_streams() -> None:
    first, second = io.StringIO(), io.StringIO()
    writer = EventWriter(first, second)
    writer.write(HelloEvent(1, "0.1.0", "cpu"))
    writer.write(ResultEvent("out"))
    assert first.getvalue() == second.getvalue()
    assert [decode_event(line) for line in first.getvalue().splitlines()] == [
        HelloEvent(1, "0.1.0", "cpu"),
        ResultEvent("out"),
    ]


@pytest.mark.parametrize("last", [ResultEvent("out"), ErrorEvent("input", "t")])
def test_nothing_follows_the_last_event(last: ResultEvent | ErrorEvent) -> None:
    writer = EventWriter(io.StringIO())
    writer.write(last)
    with pytest.raises(ValueError, match="after the last one"):
        writer.write(StageEvent("lift", 1, 2))


class FullDisk(io.StringIO):
    """A stream that holds nothing."""

    def write(self, text: str) -> int:
        """Refuse."""
        raise OSError(28, "No space left on device")


def test_a_stream_that_fails_is_told_once_and_the_others_go_on() -> None:
    good = io.StringIO()
    writer = EventWriter(FullDisk(), good)
    with pytest.raises(OSError, match="No space left"):
        writer.write(StageEvent("lift", 1, 2))
    writer.write(ErrorEvent("output", "The disk is full"))
    assert decode_event(good.getvalue()) == ErrorEvent("output", "The disk is full")
    EventWriter(FullDisk()).write(ErrorEvent("output", "nobody can be told"))
