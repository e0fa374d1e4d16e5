# SPDX-License-Identifier: GPL-3.0-or-later
"""Time stamps of all kinds become times that increase."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
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
    both = [*zip(stamps, decoding, strict=True), (None, None)]
    return [clock.tick(*pair, index) for index, pair in enumerate(pairwise(both))], warnings


def test_good_stamps_are_taken_as_they_are_from_the_first() -> None:
    result, warnings = times([500, 504, 540, 541])
    assert result == pytest.approx([0.0, 0.04, 0.40, 0.41])
    assert warnings == []


def test_one_missing_stamp_is_filled() -> None:
    result, warnings = times([0, 4, None, 12])
    assert result == pytest.approx([0.0, 0.04, 0.08, 0.12])
    assert warnings == [
        (
            "times_repaired",
            "Frame 2 has no time stamp; such frames are placed at most 40 ms after the one before",
            2,
        )
    ]


def test_doubled_and_backward_stamps_move_only_themselves() -> None:
    result, warnings = times([0, 4, 4, 3, 20])
    assert result == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.20])
    assert len(warnings) == 1
    assert warnings[0][2] == 2


def test_a_restarted_counter_goes_on() -> None:
    result, _ = times([0, 4, 8, 1000, 0, 4, 9])
    assert result == pytest.approx([0.0, 0.04, 0.08, 10.0, 10.04, 10.08, 10.13])


def test_one_late_stamp_moves_only_itself() -> None:
    result, warnings = times([0, 4, 98, 12, 16, 21])
    assert result == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16, 0.21])
    assert warnings[0][1].startswith("Frame 2 is stamped 0.980 s, before one at 0.120 s; such frames are")


def test_swapped_stamps_move_only_the_first() -> None:
    result, _ = times([0, 4, 40, 12, 44, 48])
    assert result == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.44, 0.48])


def test_one_early_stamp_moves_only_itself() -> None:
    for early in (0, 402, 407):  # no restarted counter, if far away
        result, _ = times([0, 4, 400, 404, 408, early, 416, 420])
        assert result == pytest.approx([0.0, 0.04, 4.0, 4.04, 4.08, 4.12, 4.16, 4.20])


def test_a_true_pause_is_kept() -> None:
    result, warnings = times([0, 4, 8, 300, 304])
    assert result == pytest.approx([0.0, 0.04, 0.08, 3.0, 3.04])
    assert warnings == []


def test_stamps_in_disorder_are_caught_up_with() -> None:
    result, _ = times([0, 4, 16, 20, 8, 12, 24, 28])
    assert result == pytest.approx([0.0, 0.04, 0.16, 0.20, 0.22, 0.23, 0.24, 0.28])


def test_several_late_stamps_delay_the_rest_which_keeps_its_own_steps() -> None:
    result, _ = times([0, 4, 98, 99, 8, 13, 20])
    assert result == pytest.approx([0.0, 0.04, 0.98, 0.99, 1.03, 1.08, 1.15])


def test_equal_stamps_go_on_at_the_nominal_rate() -> None:
    result, _ = times([7] * 40)
    assert result == pytest.approx([0.04 * index for index in range(40)])


def test_times_increase_whatever_the_stamps() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        stamps = [int(stamp) if rng.random() < 0.9 else None for stamp in rng.integers(0, 200, 20)]
        result, warnings = times(stamps)
        assert np.diff(result).min() > 1e-7
        assert len(warnings) == 1


def test_no_stamps_at_all() -> None:
    result, warnings = times([None, None, None])
    assert result == pytest.approx([0.0, 0.04, 0.08])
    assert len(warnings) == 1


def test_decoding_stamps_stand_in_for_missing_presentation_stamps() -> None:
    result, warnings = times([None, None, None], dts=[7, 10, 15])
    assert result == pytest.approx([0.0, 0.03, 0.08])
    assert warnings == []
