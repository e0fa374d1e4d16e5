# SPDX-License-Identifier: GPL-3.0-or-later
"""Time stamps of all kinds become times that increase."""

from __future__ import annotations

from fractions import Fraction

import pytest

from vp3d_core.video.presentation_clock import PresentationClock

Warning_ = tuple[str, str, "int | None"]


def times(
    stamps: list[int | None], dts: list[int | None] | None = None
) -> tuple[list[float], list[Warning_]]:
    """Run stamps in hundredths of a second through a clock of nominally 25 frames per second."""
    warnings: list[Warning_] = []
    clock = PresentationClock(Fraction(1, 100), 0.04, lambda *warning: warnings.append(warning))
    decoding = [None] * len(stamps) if dts is None else dts
    return [clock.tick(p, d, i) for i, (p, d) in enumerate(zip(stamps, decoding, strict=True))], warnings


def test_good_stamps_are_taken_as_they_are_from_the_first() -> None:
    result, warnings = times([500, 504, 540, 541])
    assert result == pytest.approx([0.0, 0.04, 0.40, 0.41])
    assert warnings == []


def test_one_missing_stamp_is_filled() -> None:
    result, warnings = times([0, 4, None, 12])
    assert result == pytest.approx([0.0, 0.04, 0.08, 0.12])
    assert warnings == [
        ("times_repaired", "Frame 2 has no time stamp; such frames are placed 40 ms after the one before", 2)
    ]


def test_doubled_and_backward_stamps_move_only_themselves() -> None:
    result, warnings = times([0, 4, 4, 3, 20])
    assert result == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.20])
    assert len(warnings) == 1
    assert warnings[0][2] == 2


def test_a_restarted_counter_goes_on() -> None:
    result, _ = times([0, 4, 8, 1000, 0, 4, 9])
    assert result == pytest.approx([0.0, 0.04, 0.08, 10.0, 10.04, 10.08, 10.13])


def test_no_stamps_at_all() -> None:
    result, warnings = times([None, None, None])
    assert result == pytest.approx([0.0, 0.04, 0.08])
    assert len(warnings) == 1


def test_decoding_stamps_stand_in_for_missing_presentation_stamps() -> None:
    result, warnings = times([None, None, None], dts=[7, 10, 15])
    assert result == pytest.approx([0.0, 0.03, 0.08])
    assert warnings == []
