# SPDX-License-Identifier: GPL-3.0-or-later
import contextlib

from hypothesis import given
from hypothesis import strategies as st

from vp3d_core.errors import ProtocolError
from vp3d_core.protocol import (
    ErrorEvent,
    Event,
    HelloEvent,
    ProgressEvent,
    ResultEvent,
    StageEvent,
    WarningEvent,
    decode_event,
    encode_event,
)

# Lone surrogates too: that is how Python shows a file name that is not valid UTF-8.
text = st.text(st.characters(exclude_categories=()))
whole = st.integers()
finite = st.floats(allow_nan=False, allow_infinity=False)
events = st.one_of(
    st.builds(HelloEvent, whole, text, text),
    st.builds(StageEvent, text, whole, whole),
    st.builds(ProgressEvent, text, whole, st.none() | whole, text, st.none() | finite),
    st.builds(WarningEvent, text, text, st.none() | whole),
    st.builds(ResultEvent, text),
    st.builds(ErrorEvent, text, text, text, text),
)
json_values = st.recursive(
    st.none() | st.booleans() | whole | finite | text,
    lambda inner: st.lists(inner) | st.dictionaries(text, inner),
    max_leaves=8,
)


@given(events)
def test_decode_inverts_encode(event: Event) -> None:
    line = encode_event(event)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert decode_event(line) == event


@given(text)
def test_any_line_is_an_event_or_a_protocol_error(line: str) -> None:
    with contextlib.suppress(ProtocolError):
        decode_event(line)


@given(
    st.sampled_from(["hello", "stage", "progress", "warning", "result", "error"]), json_values, json_values
)
def test_wrong_values_are_protocol_errors(kind: str, first: object, second: object) -> None:
    import json

    values = {
        "event": kind,
        "name": first,
        "path": first,
        "code": second,
        "text": first,
        "stage": second,
        "done": first,
    }
    with contextlib.suppress(ProtocolError):
        decode_event(json.dumps(values))
