# SPDX-License-Identifier: GPL-3.0-or-later
import io
import threading

import pytest

from vp3d_core.capture.console import Console, format_duration
from vp3d_core.capture.progress import Progress
from vp3d_core.protocol import Event, ProgressEvent, StageEvent, WarningEvent


def shown(events: list[Event], *, is_terminal: bool) -> str:
    stream = io.StringIO()
    console = Console(stream, is_terminal=is_terminal)
    for event in events:
        console.show(event)
    console.end_stage()
    return stream.getvalue()


def test_without_a_terminal_there_are_whole_lines_only() -> None:
    events: list[Event] = [
        StageEvent("detect", 2, 9),
        ProgressEvent("detect", 10, 20, "frames", 3.0),
        WarningEvent("truncated", "The video is cut short"),
        ProgressEvent("detect", 20, 20, "frames", 0.0),
        StageEvent("lift", 4, 9),
        ProgressEvent("lift", 1, 1, "people"),
    ]
    lines = shown(events, is_terminal=False).splitlines()
    assert lines[0] == "Warning: The video is cut short"
    assert lines[1].startswith("[2/9] Detecting people: 20 frames, ")
    assert lines[2].startswith("[4/9] Lifting to 3D: 1 person, ")
    assert "\x1b" not in "".join(lines)


def test_a_terminal_sees_a_bar_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vp3d_core.capture.console.REDRAW_S", 0.0)
    monkeypatch.setenv("COLUMNS", "120")
    events: list[Event] = [StageEvent("detect", 2, 9), ProgressEvent("detect", 12, 24, "frames", 65.0)]
    text = shown(events, is_terminal=True)
    assert "[2/9] Detecting people [############------------] 12 frames of 24" in text
    assert "1:05 min left" in text
    assert text.endswith("\n")


@pytest.mark.parametrize("columns", [20, 40, 60, 80])
def test_lines_fit_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr("vp3d_core.capture.console.REDRAW_S", 0.0)
    monkeypatch.setenv("COLUMNS", str(columns))
    events: list[Event] = [
        StageEvent("detect", 2, 9),
        ProgressEvent("detect", 12_000, 24_000, "frames", 65.0),
    ]
    drawn = shown(events, is_terminal=True).split("\r\x1b[K")[:-1]
    assert max(len(line) for line in drawn) < columns


def test_an_unknown_total_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vp3d_core.capture.console.REDRAW_S", 0.0)
    text = shown([StageEvent("detect", 2, 9), ProgressEvent("detect", 12)], is_terminal=True)
    assert "#" not in text
    assert "12 frames" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (60, "1:00 min"), (3599, "59:59 min"), (3661, "1:01:01 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_progress_sends_the_first_and_the_last_and_warns_once() -> None:
    events: list[Event] = []
    progress = Progress(events.append, ("a", "b"))
    progress.stage("a")
    for done in range(1000):
        progress.update(done, 999)
        progress.warn("c", "the same text")
    progress.stage("b")
    progress.update(5, 3)
    progress.flush()
    done = [(event.stage, event.done) for event in events if isinstance(event, ProgressEvent)]
    assert done[0] == ("a", 0)
    assert done[-2] == ("a", 999)
    assert len(done) < 900
    assert events[-1] == ProgressEvent("b", 5, 5, "frames", None)
    assert progress.warnings == ["the same text"]


def test_another_threads_warnings_are_told_by_the_thread_that_works() -> None:
    told: list[tuple[Event, int]] = []
    progress = Progress(lambda event: told.append((event, threading.get_ident())), ("a", "b"))
    progress.stage("a")
    reader = threading.Thread(target=lambda: [progress.warn("c", text) for text in ("one", "two", "one")])
    reader.start()
    reader.join()
    assert [event for event, _ in told] == [StageEvent("a", 1, 2)]
    progress.stage("b")
    assert [event for event, _ in told[1:]] == [
        WarningEvent("c", "one"),
        WarningEvent("c", "two"),
        StageEvent("b", 2, 2),
    ]
    assert {thread for _, thread in told} == {threading.get_ident()}
    assert progress.warnings == ["one", "two"]


def test_what_the_listener_raises_stops_the_work() -> None:
    def refuse(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Progress(refuse, ("a",)).stage("a")
    Progress(None, ("a",)).stage("a")
