# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person types, and what they are told about it."""

from __future__ import annotations

import argparse

import pytest

from vp3d_core.batch.options import make_parser
from vp3d_core.capture.options import add_capture_options, settings_from_options
from vp3d_core.settings import CaptureSettings


def capture_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vp3d capture")
    add_capture_options(parser)
    return parser


def settings_of(*words: str) -> CaptureSettings:
    return settings_from_options(capture_parser().parse_args(["clip.mp4", *words]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--height 170", "--height: '170' cannot be used, expected metres from 0.5 to 2.5, such as 1.70"),
        ("--height 1,70", "--height: '1,70' cannot be used, expected metres from 0.5 to 2.5, such as 1.70"),
        ("--height nan", "--height: 'nan' cannot be used"),
        ("--fov 180", "--fov: '180' cannot be used, expected degrees from 5 to 170"),
        ("--focal-mm 1", "--focal-mm: '1' cannot be used, expected millimetres from 3 to 2,000"),
        ("--focal-px 0", "--focal-px: '0' cannot be used, expected pixels from 1 to 1,000,000"),
        (
            "--start a",
            "--start: 'a' cannot be used, expected seconds from 0 to 10,000,000, such as 12.5 or 1:02.5",
        ),
        ("--end -3", "--end: '-3' cannot be used, expected seconds"),
        ("--end 1:2:3:4", "--end: '1:2:3:4' cannot be used"),
        ("--end 1:-5", "--end: '1:-5' cannot be used"),
        ("--start 1:75", "--start: '1:75' cannot be used"),
        ("--start 1:60:00", "--start: '1:60:00' cannot be used"),
        ("--fps 0", "--fps: '0' cannot be used, expected frames per second from 1 to 240"),
        ("--threads 1.5", "--threads: '1.5' cannot be used, expected whole numbers from 0 to 256"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_its_option(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for parser in (capture_parser(), make_parser("vp3d")):
        with pytest.raises(SystemExit) as ended:
            parser.parse_args(words.split())
        assert ended.value.code == 2
        assert f"error: argument {message}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("12.5", 12.5), ("0:01", 1.0), ("1:02.5", 62.5), ("01:02:03", 3723.0), ("75:59", 4559.0), ("0", 0.0)],
)
def test_a_time_is_seconds_or_as_a_clock_shows_it(words: str, seconds: float) -> None:
    assert settings_of("--start", words).start_s == seconds


def test_numbers_become_settings() -> None:
    settings = settings_of(
        "--height", "1.8", "--focal-mm", "28", "--fps", "30", "--threads", "2", "--end", "9"
    )
    assert (settings.height_m, settings.focal_mm, settings.fps) == (1.8, 28.0, 30.0)
    assert (settings.threads, settings.end_s) == (2, 9.0)
    assert isinstance(settings.threads, int)
